"""Runs the host's network tools: ``ip``, ``nft``, ``iptables``, ``nsenter``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

COMMAND_SECONDS = 20.0
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"


class CommandFailed(Exception):
    """What was run, and what it said."""


async def run(command: Sequence[str], given: str = "", seconds: float = COMMAND_SECONDS) -> str:
    """Its output; ``given`` goes to its standard input. Raises CommandFailed."""
    shown = " ".join(command)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": f"{os.environ.get('PATH', '')}:{_PATH}", "LC_ALL": "C"},
        )
    except OSError as error:
        raise CommandFailed(f"{shown}: {error.strerror}") from error
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(given.encode())
    except TimeoutError:
        raise CommandFailed(f"{shown}: not done within {seconds:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = err.decode(errors="replace").strip() or f"exit code {process.returncode}"
        raise CommandFailed(f"{shown}: {said}")
    return out.decode(errors="replace")


async def ip(*arguments: str) -> str:
    """``ip ARGUMENTS``. Raises CommandFailed."""
    return await run(("ip", *arguments))
