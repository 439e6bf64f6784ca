"""The agent's data directory: one agent at a time, files whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

LOCK_WAIT_SECONDS = 3.0


class DataDirError(Exception):
    """Why the data directory can't be used, in words for the person who named it."""


@contextlib.contextmanager
def locked(data_dir: Path, wait: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the directory until the block ends; a kill releases it too. Raises DataDirError.

    Waits a little, because a replaced agent may still be on its way out.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data_dir / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataDirError(f"The data directory {data_dir} can't be used: {error}.") from error
    try:
        _take(descriptor, data_dir, time.monotonic() + wait)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, data_dir: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DataDirError(
                    f"Another agent uses the data directory {data_dir}: stop it, or give this"
                    " one a directory of its own."
                ) from None
            time.sleep(0.05)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, mode 0600, on disk when this returns."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames and removals in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
