"""Waiting for what can be observed, with a deadline and words for when it does not come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_SECONDS = 0.2


class DemoFailed(Exception):
    """What was waited for, what was seen last, and where to read more."""


async def until(
    what: str,
    look: Callable[[], Awaitable[tuple[T | None, str]]],
    timeout_seconds: float,
    log: Path,
) -> T:
    """The first value that ``look`` gives (with what it saw) that is not None."""
    deadline = time.monotonic() + timeout_seconds
    seen = "nothing"
    while time.monotonic() < deadline:
        value, seen = await look()
        if value is not None:
            return value
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    raise DemoFailed(
        f"Waited {timeout_seconds:.0f} s for this: {what}. Last seen: {seen}. Logs: {log}"
    )
