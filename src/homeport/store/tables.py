"""Typed tables with a key and declared secondary indexes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

R = TypeVar("R", bound=msgspec.Struct)


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """Declares a table: its name in the journal, its record type, its key and its indexes.

    An index maps a record to a hashable value, or to None when it is not to be indexed.
    """

    name: str
    record: type[R]
    key: Callable[[R], str]
    indexes: Mapping[str, Callable[[R], Hashable | None]] = field(default_factory=dict)


class Rows(Generic[R]):
    """The live rows of one table with its indexes; only the store touches it."""

    __slots__ = ("_indexes", "by_key", "table")

    def __init__(self, table: Table[R]) -> None:
        self.table = table
        self.by_key: dict[str, R] = {}
        self._indexes: dict[str, dict[Hashable, dict[str, R]]] = {n: {} for n in table.indexes}

    def set(self, key: str, record: R | None) -> R | None:
        """Store or (None) remove a row; returns what was there before.

        All or nothing: a record that can't be indexed raises before anything has changed.
        """
        values = {} if record is None else self._index_values(record)
        before = self.by_key.get(key)
        if before is not None:
            self._unindex(key, self._index_values(before))
        if record is None:
            self.by_key.pop(key, None)
        else:
            self.by_key[key] = record
            for name, value in values.items():
                self._indexes[name].setdefault(value, {})[key] = record
        return before

    def find(self, index: str, value: Hashable) -> list[R]:
        """Rows whose index value equals ``value``, in no particular order."""
        return list(self._indexes[index].get(value, {}).values())

    def _index_values(self, record: R) -> dict[str, Hashable]:
        values = {name: value_of(record) for name, value_of in self.table.indexes.items()}
        for value in values.values():
            hash(value)  # raises TypeError now, while nothing has changed
        return {name: value for name, value in values.items() if value is not None}

    def _unindex(self, key: str, values: Mapping[str, Hashable]) -> None:
        for name, value in values.items():
            bucket = self._indexes[name][value]
            del bucket[key]
            if not bucket:
                del self._indexes[name][value]
