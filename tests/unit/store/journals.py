"""The journals that the conformance tests hold to the same promises; a new one joins here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from homeport.store import Store
from homeport.store.journal import GroupCommit, SqliteEngine
from homeport.store.journal.interface import Journal
from homeport.store.journal.memory import MemoryJournal
from homeport.store.tables import Table

OpenJournal = Callable[[Path], Journal]


def sqlite(directory: Path) -> Journal:
    return GroupCommit(SqliteEngine(directory / "journal.sqlite"))


JOURNALS: dict[str, OpenJournal] = {
    "sqlite": sqlite,
    "memory": lambda directory: MemoryJournal(),
}
DURABLE = {"sqlite": sqlite}
"""Those that outlive the process."""


class Item(msgspec.Struct, frozen=True):
    """A record with an index and one field that may be absent from it."""

    key: str
    colour: str | None = None
    size: int = 0


ITEMS = Table("items", Item, key=lambda r: r.key, indexes={"colour": lambda r: r.colour})
OTHERS = Table("others", Item, key=lambda r: r.key)


def open_store(journal: Journal) -> Store:
    store = Store((ITEMS, OTHERS), journal)
    store.load()
    return store
