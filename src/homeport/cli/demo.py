"""``homeport demo``: see it work in a minute."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Annotated

import typer


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running for exploring.")
    ] = False,
    rate: Annotated[float, typer.Option(help="Requests per second.", min=1, max=2000)] = 200.0,
    requests: Annotated[
        int, typer.Option(help="How many requests to send, at least.", min=1, max=1_000_000)
    ] = 2000,
) -> None:
    """Run a service behind a load balancer, kill a container, roll forward and back, count."""
    from rich.console import Console

    from homeport.demo import EXPECTED, DemoOptions, run_demo

    options = DemoOptions(keep=keep, per_second=rate, requests=requests)
    try:
        code = asyncio.run(_until_signal(run_demo(options, Console())))
    except EXPECTED as error:
        typer.echo(f"homeport demo: {error or 'no answer in time'}", err=True)
        raise typer.Exit(1) from None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise typer.Exit(130) from None
    raise typer.Exit(code)


async def _until_signal(demo: object) -> int:
    """The demo's exit code; Ctrl-C and SIGTERM end it and let it clean up."""
    running: asyncio.Task[int] = asyncio.ensure_future(demo)  # type: ignore[call-overload]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, running.cancel)
    return await running
