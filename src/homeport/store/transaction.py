"""One serializable transaction over the tables."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import msgspec

from .tables import Rows, Table

R = TypeVar("R", bound=msgspec.Struct)


class Transaction:
    """Reads see every commit and this transaction's own writes; a raised exception undoes them.

    Given out by ``Store.transaction()`` and valid only inside its ``with`` block.
    """

    __slots__ = ("_rows", "before", "revision")

    def __init__(self, rows: dict[str, Rows[Any]], revision: int) -> None:
        self._rows = rows
        # (table name, key) → the row before this transaction's first write to it
        self.before: dict[tuple[str, str], msgspec.Struct | None] = {}
        self.revision = revision

    def get(self, table: Table[R], key: str) -> R | None:
        """The row with this key, or None."""
        row: R | None = self._rows[table.name].by_key.get(key)
        return row

    def all(self, table: Table[R]) -> list[R]:
        """Every row, in no particular order (a restart changes it): sort by what you need."""
        return list(self._rows[table.name].by_key.values())

    def find(self, table: Table[R], index: str, value: Hashable) -> list[R]:
        """Rows whose declared index ``index`` equals ``value``, in no particular order."""
        return self._rows[table.name].find(index, value)

    def put(self, table: Table[R], record: R) -> R:
        """Insert or replace a row; returns the record."""
        self._write(table, table.key(record), record)
        return record

    def delete(self, table: Table[R], key: str) -> None:
        """Remove a row; a missing one is fine."""
        if key in self._rows[table.name].by_key:
            self._write(table, key, None)

    def _write(self, table: Table[R], key: str, record: R | None) -> None:
        before = self._rows[table.name].set(key, record)
        self.before.setdefault((table.name, key), before)

    def undo(self) -> None:
        """Put every written row back (the store calls this when the block raised)."""
        for (name, key), before in self.before.items():
            self._rows[name].set(key, before)
