"""What the store promises, whatever keeps its records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from journals import DURABLE, ITEMS, JOURNALS, OTHERS, Item, OpenJournal, open_store

from homeport.store import Change, Store
from homeport.store.journal import GroupCommit, SqliteEngine
from homeport.store.journal.interface import Write
from homeport.store.journal.memory import MemoryJournal
from homeport.store.tables import Table

every_journal = pytest.mark.parametrize("open_journal", JOURNALS.values(), ids=JOURNALS)
every_durable_journal = pytest.mark.parametrize("open_journal", DURABLE.values(), ids=DURABLE)
DEADLINE_SECONDS = 10.0


def put(store: Store, *items: Item) -> None:
    with store.transaction() as tx:
        for item in items:
            tx.put(ITEMS, item)


def keys(store: Store) -> list[str]:
    with store.transaction() as tx:
        return sorted(item.key for item in tx.all(ITEMS))


@every_journal
async def test_a_transaction_reads_what_it_wrote(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    with store.transaction() as tx:
        tx.put(ITEMS, Item("a", "red"))
        assert tx.get(ITEMS, "a") == Item("a", "red")
        tx.put(ITEMS, Item("a", "blue"))
        assert tx.find(ITEMS, "colour", "red") == []
        assert tx.find(ITEMS, "colour", "blue") == [Item("a", "blue")]
        tx.delete(ITEMS, "a")
        assert tx.get(ITEMS, "a") is None
    assert store.revision == 0, "nothing has changed in the end"
    await store.close()


@every_journal
async def test_an_exception_undoes_everything(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("kept", "red"))
    revision = store.revision

    def change_and_fail() -> None:
        with store.transaction() as tx:
            tx.put(ITEMS, Item("kept", "blue"))
            tx.put(ITEMS, Item("new", "red"))
            tx.put(OTHERS, Item("new"))
            tx.delete(ITEMS, "kept")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_and_fail()
    assert store.revision == revision
    with store.transaction() as tx:
        assert tx.all(ITEMS) == [Item("kept", "red")]
        assert tx.find(ITEMS, "colour", "red") == [Item("kept", "red")]
        assert tx.all(OTHERS) == []
    await store.close()


@every_journal
async def test_transactions_do_not_nest(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))

    def nest() -> None:
        with store.transaction(), store.transaction():
            pass

    with pytest.raises(RuntimeError, match="do not nest"):
        nest()
    put(store, Item("a"))
    assert keys(store) == ["a"]


@every_journal
async def test_subscribers_see_each_change_once_in_order(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    seen: list[tuple[str, object, object, int]] = []

    def subscriber(changes: Sequence[Change]) -> None:
        seen.extend((c.key, c.before, c.after, c.revision) for c in changes)

    unsubscribe = store.feed.subscribe(subscriber)
    put(store, Item("a"), Item("b"))
    put(store, Item("a"))  # the same again is no change
    put(store, Item("a", "red"))
    with store.transaction() as tx:
        tx.put(ITEMS, Item("b", "blue"))
        tx.delete(ITEMS, "b")
    unsubscribe()
    put(store, Item("c"))
    assert seen == [
        ("a", None, Item("a"), 1),
        ("b", None, Item("b"), 1),
        ("a", Item("a"), Item("a", "red"), 2),
        ("b", Item("b"), None, 3),
    ]


@every_durable_journal
async def test_what_is_durable_is_there_after_a_restart(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("a", "red", 1), Item("b", "red", 2), Item("gone"))
    with store.transaction() as tx:
        tx.delete(ITEMS, "gone")
        tx.put(OTHERS, Item("a", "other table"))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await store.durable(store.revision)
    revision = store.revision
    await store.close()
    again = open_store(open_journal(tmp_path))
    assert again.revision == revision
    with again.transaction() as tx:
        assert tx.all(ITEMS) == [Item("a", "red", 1), Item("b", "red", 2)]
        assert tx.find(ITEMS, "colour", "red") == [Item("a", "red", 1), Item("b", "red", 2)]
        assert tx.all(OTHERS) == [Item("a", "other table")]


@every_journal
async def test_all_who_wait_are_told(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()

    async def write(number: int) -> None:
        put(store, Item(str(number)))
        await store.durable(store.revision)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*(write(number) for number in range(200)))
    assert len(keys(store)) == 200
    await store.close()


class SlowEngine:
    """Counts flushes and holds each until it is let go."""

    def __init__(self) -> None:
        self.flushed: list[list[int]] = []
        self.failing = False

    def load(self) -> list[tuple[str, str, bytes]]:
        return []

    def last_revision(self) -> int:
        return 0

    def flush(self, commits: Sequence[tuple[int, Sequence[Write]]]) -> None:
        if self.failing:
            raise OSError("the disk is gone")
        self.flushed.append([revision for revision, _ in commits])

    def close(self) -> None:
        pass


async def test_commits_that_wait_together_share_one_flush() -> None:
    engine = SlowEngine()
    journal = GroupCommit(engine)
    store = open_store(journal)
    for number in range(50):  # the writer has not been started: all of these wait
        put(store, Item(str(number)))
    store.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await store.durable(store.revision)
    assert engine.flushed == [list(range(1, 51))]
    await store.close()


async def test_a_journal_that_fails_stops_the_process_instead_of_lying() -> None:
    engine = SlowEngine()
    loop, failed = asyncio.get_running_loop(), asyncio.Event()
    journal = GroupCommit(engine, on_failure=lambda _: loop.call_soon_threadsafe(failed.set))
    store = open_store(journal)
    store.start()
    put(store, Item("a"))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await store.durable(store.revision)
    engine.failing = True
    put(store, Item("b"))
    waiting = asyncio.ensure_future(store.durable(store.revision))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await failed.wait()
    assert not waiting.done(), "nobody is told that it is durable"
    waiting.cancel()


def test_records_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    class Old(msgspec.Struct, frozen=True):
        key: str
        removed: str = "x"

    engine = SqliteEngine(tmp_path / "journal.sqlite")
    engine.flush([(1, [("items", "a", msgspec.json.encode(Old("a")))])])
    engine.close()
    store = open_store(GroupCommit(SqliteEngine(tmp_path / "journal.sqlite")))
    with store.transaction() as tx:
        assert tx.all(ITEMS) == [Item("a")]


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "journal.sqlite")
    engine._db.execute("PRAGMA user_version=99")
    engine.flush([(1, [("tables_of_tomorrow", "a", b"{}")])])
    engine.close()
    with pytest.raises(ValueError, match="newer Homeport"):
        SqliteEngine(tmp_path / "journal.sqlite")


def test_a_table_that_this_version_lacks_is_refused(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path / "journal.sqlite")
    engine.flush([(1, [("tables_of_tomorrow", "a", b"{}")])])
    engine.close()
    with pytest.raises(ValueError, match="tables_of_tomorrow"):
        open_store(GroupCommit(SqliteEngine(tmp_path / "journal.sqlite")))


def test_the_journal_is_its_owners_alone(tmp_path: Path) -> None:
    SqliteEngine(tmp_path / "journal.sqlite").close()
    assert (tmp_path / "journal.sqlite").stat().st_mode & 0o077 == 0


class TableAgainstDict(RuleBasedStateMachine):
    """A table with its index behaves as a dictionary does."""

    some_key = st.sampled_from("abcdef")
    some_colour = st.sampled_from(["red", "blue", None])

    def __init__(self) -> None:
        super().__init__()
        self.store = Store((ITEMS,), MemoryJournal())
        self.model: dict[str, Item] = {}

    @rule(key=some_key, colour=some_colour, size=st.integers(0, 3))
    def put(self, key: str, colour: str | None, size: int) -> None:
        put(self.store, Item(key, colour, size))
        self.model[key] = Item(key, colour, size)

    @rule(key=some_key)
    def delete(self, key: str) -> None:
        with self.store.transaction() as tx:
            tx.delete(ITEMS, key)
        self.model.pop(key, None)

    @rule(key=some_key, other=some_key, colour=some_colour)
    def fail_halfway(self, key: str, other: str, colour: str | None) -> None:
        def change_and_fail() -> None:
            with self.store.transaction() as tx:
                tx.put(ITEMS, Item(key, colour, 9))
                tx.delete(ITEMS, other)
                raise KeyError

        with pytest.raises(KeyError):
            change_and_fail()

    @invariant()
    def agrees(self) -> None:
        with self.store.transaction() as tx:
            assert {item.key: item for item in tx.all(ITEMS)} == self.model
            for colour in ("red", "blue"):
                found = {item.key for item in tx.find(ITEMS, "colour", colour)}
                assert found == {k for k, item in self.model.items() if item.colour == colour}


TestTableAgainstDict = TableAgainstDict.TestCase
TestTableAgainstDict.settings = settings(max_examples=60, deadline=None)


def test_every_table_of_homeport_keeps_its_records() -> None:
    """Names are unique, and every record's fields can be left out of an older document."""
    from homeport.store.schema import TABLES

    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names)
    assert all(isinstance(table, Table) for table in TABLES)
