"""A journal that keeps nothing beyond the process: for tests and throw-away control planes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .interface import Write


class MemoryJournal:
    """Everything is 'durable' at once, for as long as this object lives."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], bytes] = {}
        self._last_revision = 0
        self._on_durable: Callable[[int], None] | None = None

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        """Every record appended so far."""
        return [(table, key, document) for (table, key), document in self._documents.items()]

    def last_revision(self) -> int:
        """The revision appended last."""
        return self._last_revision

    def start(self, on_durable: Callable[[int], None]) -> None:
        """Begin."""
        self._on_durable = on_durable

    def append(self, revision: int, writes: Sequence[Write]) -> None:
        """Keep the writes and report them durable."""
        for table, key, document in writes:
            if document is None:
                self._documents.pop((table, key), None)
            else:
                self._documents[table, key] = document
        self._last_revision = revision
        if self._on_durable is not None:
            self._on_durable(revision)

    def close(self) -> None:
        """Nothing to release."""
