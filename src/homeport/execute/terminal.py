"""This end's stdin and stdout: a terminal in raw mode, or whatever they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import termios
import threading
import tty
from collections.abc import Iterator

from homeport.datachannel.contents import Size

CHUNK = 4096
READ_AHEAD = 16


def is_terminal() -> bool:
    """Whether a person sits at both ends of it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def size() -> Size:
    """Of the terminal."""
    columns, rows = shutil.get_terminal_size()
    return Size(cols=columns, rows=rows)


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """Every key goes to the container, Ctrl-C too; what was set before is set again after."""
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


class Input:
    """stdin, read beside the event loop: a read of it can't be cancelled."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(READ_AHEAD)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def chunk(self) -> bytes:
        """The next bytes; empty at the end."""
        return await self._chunks.get()

    def _read(self) -> None:
        data = b"?"
        while data:
            try:
                data = os.read(0, CHUNK)
            except OSError:
                data = b""
            putting = asyncio.run_coroutine_threadsafe(self._chunks.put(data), self._loop)
            try:
                putting.result()
            except Exception:  # the loop is gone, and with it whoever would read on
                return


def write(descriptor: int, data: bytes) -> None:
    """All of it; OSError when nobody reads."""
    while data:
        data = data[os.write(descriptor, data) :]
