"""Group commit: one writer thread, one engine transaction for everything that is waiting."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence

from .interface import Engine, Write

logger = logging.getLogger(__name__)

FLUSH_AT_CLOSE_SECONDS = 30.0


def stop_process(error: Exception) -> None:
    """Fail-stop: memory is ahead of the disk and can't be trusted any more."""
    logger.critical("journal flush failed, stopping the process: %s", error, exc_info=error)
    logging.shutdown()
    os._exit(70)


class GroupCommit:
    """A journal over an engine. Commits that arrive during a flush share the next one."""

    def __init__(
        self, engine: Engine, on_failure: Callable[[Exception], None] = stop_process
    ) -> None:
        self._engine = engine
        self._on_failure = on_failure
        self._condition = threading.Condition()
        self._waiting: list[tuple[int, Sequence[Write]]] = []
        self._closing = False
        self._on_durable: Callable[[int], None] = lambda revision: None
        self._thread = threading.Thread(target=self._run, name="homeport-journal", daemon=True)

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        """Every live record of the engine."""
        return self._engine.load()

    def last_revision(self) -> int:
        """The engine's last revision."""
        return self._engine.last_revision()

    def start(self, on_durable: Callable[[int], None]) -> None:
        """Start the writer thread."""
        self._on_durable = on_durable
        self._thread.start()

    def append(self, revision: int, writes: Sequence[Write]) -> None:
        """Queue one commit."""
        with self._condition:
            self._waiting.append((revision, writes))
            self._condition.notify()

    def close(self) -> None:
        """Flush what waits, stop the thread, close the engine."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(FLUSH_AT_CLOSE_SECONDS)
        self._engine.close()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._engine.flush(batch)
            except Exception as error:  # outer edge of the writer thread: fail-stop
                self._on_failure(error)
                return
            self._on_durable(batch[-1][0])

    def _next_batch(self) -> list[tuple[int, Sequence[Write]]]:
        with self._condition:
            while not self._waiting and not self._closing:
                self._condition.wait()
            batch, self._waiting = self._waiting, []
            return batch
