"""``homeport up``: the control plane and one local agent."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from homeport.bootstrap import Ready


def up(
    data: Annotated[Path | None, typer.Option(help="Data directory.", metavar="DIR")] = None,
    listen: Annotated[
        str, typer.Option(help="Where the API listens.", metavar="HOST:PORT")
    ] = "127.0.0.1:4566",
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Accept any credentials.")] = False,
    no_agent: Annotated[bool, typer.Option("--no-agent", help="Start no local agent.")] = False,
    cluster: Annotated[str, typer.Option(help="The cluster that the local agent joins.")] = (
        "default"
    ),
    region: Annotated[str, typer.Option(help="The region that Homeport answers for.")] = (
        "us-east-1"
    ),
    lb_address: Annotated[
        str, typer.Option(help="The address that load balancers listen on.", metavar="ADDRESS")
    ] = "127.0.0.1",
    stop_tasks: Annotated[
        bool, typer.Option("--stop-tasks", help="Stop every task when Homeport stops.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Start Homeport and keep it running until Ctrl-C; tasks go on running after that."""
    import uvloop

    from homeport.bootstrap import StartError, serve
    from homeport.settings import Settings, default_data_dir

    host, port = parse_listen(listen)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("uvicorn", "botocore", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    settings = Settings(
        data_dir=(data or default_data_dir()).absolute(),
        host=host,
        port=port,
        authenticate=not no_auth,
        run_agent=not no_agent,
        stop_tasks_at_exit=stop_tasks,
        region=region,
        traffic_address=lb_address,
        default_cluster=cluster,
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, lambda ready: announce(ready, data)))
    except StartError as error:
        typer.echo(f"homeport: {error}", err=True)
        raise typer.Exit(1) from None


def parse_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT`` → its parts."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT, e.g. 127.0.0.1:4566")
    return host.strip("[]") or "127.0.0.1", int(port)


def announce(ready: Ready, data: Path | None) -> None:
    """Say that it is ready and what to type next."""
    option = f" --data {data}" if data else ""
    typer.echo(
        f"Homeport is ready at {ready.endpoint_url} ({ready.seconds:.1f} s).\n"
        f"Data: {ready.data_dir}\n\n"
        "In another terminal:\n"
        f'  eval "$(homeport env{option})"\n'
        "  aws ecs list-container-instances\n\n"
        "Ctrl-C stops Homeport; tasks keep running."
    )
