"""One file per task: what must survive the agent. Written by one writer, in batches.

A task's file is durable before its first container is created and before its payload is
acknowledged, so a container without a file can't be, and an acknowledged task can't be lost.
What changes later is written soon: after a kill the Engine knows what the file does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from .backoff import Backoff
from .data_dir import sync_directory, write_durably
from .task_state import TaskState

logger = logging.getLogger(__name__)


class TaskFiles:
    """Reads tasks at start, writes them afterwards. ``run`` must be running for writes."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "tasks"
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._dirty: dict[str, TaskState | None] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._writing: asyncio.Future[None] | None = None
        self._wake = asyncio.Event()

    def load(self) -> list[TaskState]:
        """Every task. A file that can't be read is put aside and named in the log."""
        tasks: list[TaskState] = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                tasks.append(msgspec.json.decode(path.read_bytes(), type=TaskState))
            except msgspec.DecodeError as error:
                logger.error("%s can't be read and is put aside: %s", path, error)
                path.rename(path.with_suffix(".unreadable"))
        return tasks

    def save_soon(self, task: TaskState) -> None:
        """Write the task with the next batch."""
        self._dirty[task.arn] = task
        self._wake.set()

    async def save(self, task: TaskState) -> None:
        """Return once the task is durable. Raises OSError."""
        self.save_soon(task)
        await self._written()

    async def delete(self, task_arn: str) -> None:
        """Return once the task's file is gone for good. Raises OSError."""
        self._dirty[task_arn] = None
        self._wake.set()
        await self._written()

    async def run(self) -> None:
        """Write batches until cancelled; the last one is written then."""
        backoff = Backoff(0.5, 30.0, 2.0)
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if await self._write_batch():
                    backoff.reset()
                else:
                    await asyncio.sleep(backoff.next())
                    self._wake.set()
        finally:
            await self._write_the_rest()

    def _written(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    async def _write_batch(self) -> bool:
        batch, self._dirty = self._dirty, {}
        waiting, self._waiting = self._waiting, []
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
        try:
            await asyncio.shield(self._writing)
        except OSError as error:
            logger.error("tasks can't be written to %s: %s", self._directory, error)
            self._dirty = {**batch, **self._dirty}
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return False
        for future in waiting:
            if not future.done():
                future.set_result(None)
        return True

    async def _write_the_rest(self) -> None:
        if self._writing is not None:  # a thread can't be cancelled
            await asyncio.gather(self._writing, return_exceptions=True)
        try:
            self._write(self._dirty)
        except OSError as error:
            logger.error("tasks can't be written to %s: %s", self._directory, error)

    def _write(self, batch: Mapping[str, TaskState | None]) -> None:
        for arn, task in batch.items():
            if task is not None:
                write_durably(self._path(arn), msgspec.json.encode(task))
            else:
                self._path(arn).unlink(missing_ok=True)
        sync_directory(self._directory)

    def _path(self, task_arn: str) -> Path:
        return self._directory / f"{quote(task_arn.rpartition('/')[2], safe='')}.json"
