"""Runs the host's network tools: ``ip``, ``nft``, ``iptables``, ``nsenter``."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence

COMMAND_SECONDS = 20.0
PATH = ":".join(
    (os.environ.get("PATH", ""), "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin")
)
"""Where the tools are, also where a user's own path has no ``sbin``."""


class CommandFailed(Exception):
    """What was run, and what it said."""


async def run(command: Sequence[str], given: str = "", seconds: float = COMMAND_SECONDS) -> str:
    """Its output; ``given`` goes to its standard input. Raises CommandFailed."""
    return await asyncio.to_thread(_run, command, given, seconds)


def _run(command: Sequence[str], given: str, seconds: float) -> str:
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            env={"PATH": PATH, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{shown}: not done within {seconds:g} s") from None
    except OSError as error:
        raise CommandFailed(f"{shown}: {error.strerror}") from error
    if done.returncode:
        raise CommandFailed(f"{shown}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


async def ip(*arguments: str) -> str:
    """``ip ARGUMENTS``. Raises CommandFailed."""
    return await run(("ip", *arguments))
