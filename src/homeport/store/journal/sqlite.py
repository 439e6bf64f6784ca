"""The embedded engine: SQLite in WAL mode, synchronous=FULL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from .interface import Write

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  table_name TEXT NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (table_name, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commits (last_revision INTEGER NOT NULL);
INSERT INTO commits SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM commits);
"""


class SqliteEngine:
    """Keeps records in one file, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        # The writer thread and the loading thread use it one after the other, never at once.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._upgrade(path)

    def _upgrade(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise ValueError(
                f"{path} was written by a newer Homeport (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): start that version, or give another data directory"
            )
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        """Every live record, in the order it was last written."""
        return self._db.execute("SELECT table_name, key, document FROM records ORDER BY revision")

    def last_revision(self) -> int:
        """The revision of the last flushed commit, 0 for a new database."""
        (revision,) = self._db.execute("SELECT last_revision FROM commits").fetchone()
        return int(revision)

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        """Write whole commits in one transaction; durable on return."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for revision, writes in commits:
                for table, key, document in writes:
                    self._write(revision, table, key, document)
            self._db.execute("UPDATE commits SET last_revision=?", (commits[-1][0],))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite rolls back by itself on a full disk
                self._db.execute("ROLLBACK")
            raise

    def _write(self, revision: int, table: str, key: str, document: bytes | None) -> None:
        if document is None:
            self._db.execute("DELETE FROM records WHERE table_name=? AND key=?", (table, key))
        else:
            self._db.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)",
                (table, key, revision, document),
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()
