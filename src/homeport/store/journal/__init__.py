"""Making commits durable.

A journal takes the writes of each commit in order and calls back with the highest revision
that is on disk. ``GroupCommit`` gives any ``Engine`` (SQLite here) a writer thread that
flushes everything that is waiting in one engine transaction. A failed flush stops the
process: fail-stop, never diverge.
"""

from .group_commit import GroupCommit
from .interface import Engine, Journal, Write
from .memory import MemoryJournal
from .sqlite import SqliteEngine

__all__ = ["Engine", "GroupCommit", "Journal", "MemoryJournal", "SqliteEngine", "Write"]
