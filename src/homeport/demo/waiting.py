"""Waiting for what can be observed, with a deadline and words for when it does not come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
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
        f"Waited {timeout_seconds:.0f} s for this: {what}. Last seen: {seen}. Log: {log}"
    )


async def to_the_end(doing: Coroutine[object, object, None]) -> None:
    """Do it whole, whatever is cancelled meanwhile; what ``doing`` waits for has deadlines."""
    task = asyncio.ensure_future(doing)
    interrupted = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            interrupted = True
    task.result()
    if interrupted:
        raise asyncio.CancelledError
