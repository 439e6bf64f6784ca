"""The journals and engines that the conformance tests hold to the same promises.

A new database joins with one line in ``ENGINES``: it is then tested as an engine, as a journal
under ``GroupCommit``, and under the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from homeport.store import Store
from homeport.store.journal import Engine, GroupCommit, Journal, MemoryJournal, SqliteEngine, Write
from homeport.store.tables import Table

DEADLINE_SECONDS = 10.0

OpenEngine = Callable[[Path], Engine]
OpenJournal = Callable[[Path], Journal]

ENGINES: dict[str, OpenEngine] = {
    "sqlite": lambda directory: SqliteEngine(directory / "journal.sqlite"),
}
"""Each opens the database that it keeps in a directory, new or not."""


def under_group_commit(open_engine: OpenEngine) -> OpenJournal:
    return lambda directory: GroupCommit(open_engine(directory))


DURABLE: dict[str, OpenJournal] = {name: under_group_commit(e) for name, e in ENGINES.items()}
"""The journals that outlive the process."""
JOURNALS: dict[str, OpenJournal] = {**DURABLE, "memory": lambda directory: MemoryJournal()}


class Item(msgspec.Struct, frozen=True):
    """A record with an index and fields that may be absent from its document."""

    key: str
    colour: str | None = None
    size: int = 0


ITEMS = Table("items", Item, key=lambda r: r.key, indexes={"colour": lambda r: r.colour})
OTHERS = Table("others", Item, key=lambda r: r.key)


def open_store(journal: Journal) -> Store:
    store = Store((ITEMS, OTHERS), journal)
    store.load()
    return store


def put(store: Store, *items: Item) -> None:
    with store.transaction() as tx:
        for item in items:
            tx.put(ITEMS, item)


def rows(store: Store, table: Table[Item] = ITEMS) -> dict[str, Item]:
    with store.transaction() as tx:
        return {item.key: item for item in tx.all(table)}


def coloured(store: Store, colour: str) -> set[str]:
    with store.transaction() as tx:
        return {item.key for item in tx.find(ITEMS, "colour", colour)}


def document(record: msgspec.Struct) -> bytes:
    return msgspec.json.encode(record)


def kept(engine: Engine) -> dict[tuple[str, str], bytes]:
    """What an engine holds, by table and key."""
    return {(table, key): bytes(content) for table, key, content in engine.load()}


class Wrapped:
    """An engine as it is; tests override what they observe or break."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> Iterable[tuple[str, str, bytes]]:
        return self._engine.load()

    def last_revision(self) -> int:
        return self._engine.last_revision()

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        self._engine.flush(commits)

    def close(self) -> None:
        self._engine.close()
