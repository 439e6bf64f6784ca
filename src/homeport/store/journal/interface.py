"""The seam between the store and what keeps its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

# (table name, key, document or None for a deletion)
Write = tuple[str, str, bytes | None]


class Journal(Protocol):
    """What the store needs."""

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        """Every live record as (table, key, document), before ``start``."""

    def last_revision(self) -> int:
        """The revision of the last durable commit, 0 for a new journal; before ``start``."""

    def start(self, on_durable: Callable[[int], None]) -> None:
        """Begin; ``on_durable(revision)`` may be called from another thread."""

    def append(self, revision: int, writes: Sequence[Write]) -> None:
        """Take one commit; never blocks."""

    def close(self) -> None:
        """Flush and release everything."""


class Engine(Protocol):
    """A database that a ``GroupCommit`` journal writes to; every call may block."""

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        """Every live record."""

    def last_revision(self) -> int:
        """The revision of the last flushed commit, 0 for a new database."""

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        """Write whole commits in order, all or nothing, durable on return."""

    def close(self) -> None:
        """Release the database."""
