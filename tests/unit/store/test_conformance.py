"""What the store promises, whatever keeps its records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journals import (
    DEADLINE_SECONDS,
    DURABLE,
    ITEMS,
    JOURNALS,
    OTHERS,
    Item,
    OpenJournal,
    coloured,
    open_store,
    put,
    rows,
)

from homeport.store import Change, Store

every_journal = pytest.mark.parametrize("open_journal", JOURNALS.values(), ids=JOURNALS)
every_durable_journal = pytest.mark.parametrize("open_journal", DURABLE.values(), ids=DURABLE)


async def durable(store: Store) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        await store.durable(store.revision)


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
        assert tx.find(ITEMS, "colour", "blue") == []
    assert store.revision == 0, "nothing has changed in the end"
    await store.close()


@every_journal
async def test_indexes_follow_puts_and_deletes(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("a", "red"), Item("b", "red"), Item("c"))
    assert coloured(store, "red") == {"a", "b"}
    put(store, Item("a", "blue"), Item("c", "red"))
    assert (coloured(store, "red"), coloured(store, "blue")) == ({"b", "c"}, {"a"})
    put(store, Item("b"))  # no value: not indexed any more
    with store.transaction() as tx:
        tx.delete(ITEMS, "c")
        tx.delete(ITEMS, "never there")
    assert (coloured(store, "red"), coloured(store, "blue")) == (set(), {"a"})
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
    assert rows(store) == {"kept": Item("kept", "red")}
    assert rows(store, OTHERS) == {}
    assert (coloured(store, "red"), coloured(store, "blue")) == ({"kept"}, set())
    await store.close()


NO_TEXT: Any = "\ud800"
UNHASHABLE: Any = ["red"]
NAN: Any = float("nan")
NUMBER: Any = 5


@every_journal
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (Item("kept", NO_TEXT), UnicodeEncodeError),
        (Item("kept", "blue", NAN), msgspec.ValidationError),
        (Item("kept", NUMBER), msgspec.ValidationError),
        (Item("kept", UNHASHABLE), TypeError),
        (Item("new", UNHASHABLE), TypeError),
    ],
    ids=[
        "not-encodable",
        "not-a-number",
        "of-another-type",
        "not-indexable",
        "new-and-not-indexable",
    ],
)
async def test_a_record_that_cannot_be_kept_undoes_its_transaction(
    open_journal: OpenJournal, tmp_path: Path, bad: Item, error: type[Exception]
) -> None:
    """Else memory would hold what the journal never will, or the next start would fail."""
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("kept", "red"))
    told: list[Change] = []
    store.feed.subscribe(told.extend)
    with pytest.raises(error):
        put(store, Item("before", "red"), bad)
    assert rows(store) == {"kept": Item("kept", "red")}
    assert coloured(store, "red") == {"kept"}
    assert (store.revision, told) == (1, [])
    put(store, Item("after"))  # and the store goes on
    await durable(store)
    await store.close()


@every_journal
async def test_transactions_do_not_nest(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()

    def nest() -> None:
        with store.transaction(), store.transaction():
            pass

    with pytest.raises(RuntimeError, match="do not nest"):
        nest()
    put(store, Item("a"))
    assert set(rows(store)) == {"a"}
    await store.close()


@every_journal
async def test_each_commit_that_changes_something_is_one_revision(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    revisions = []
    for item in (Item("a"), Item("a"), Item("b"), Item("a", "red")):
        with store.transaction() as tx:
            tx.put(ITEMS, item)
        revisions.append((tx.revision, store.revision))
    assert revisions == [(1, 1), (1, 1), (2, 2), (3, 3)]
    await store.close()


@every_journal
async def test_subscribers_see_each_change_once_in_order(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    seen: list[tuple[str, object, object, int]] = []
    commits: list[int] = []

    def subscriber(changes: Sequence[Change]) -> None:
        commits.append(len(changes))
        seen.extend((c.key, c.before, c.after, c.revision) for c in changes)

    unsubscribe = store.feed.subscribe(subscriber)
    put(store, Item("a"), Item("b"))
    put(store, Item("a"))  # the same again is no change
    put(store, Item("a", "blue"), Item("a", "red"))  # two writes of one row are one change
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
    assert commits == [2, 1, 1], "one call for each commit"
    await store.close()


@every_journal
async def test_a_change_is_of_its_own_table(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    told: list[Change] = []
    store.feed.subscribe(told.extend)
    with store.transaction() as tx:
        tx.put(ITEMS, Item("a"))
        tx.put(OTHERS, Item("a", "red"))
    assert [change.of(ITEMS) for change in told] == [(None, Item("a")), None]
    assert [change.of(OTHERS) for change in told] == [None, (None, Item("a", "red"))]
    await store.close()


@every_durable_journal
async def test_what_is_durable_is_there_after_a_restart(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("a", "red", 1), Item("b", "red", 2), Item("gone"))
    with store.transaction() as tx:
        tx.delete(ITEMS, "gone")
        tx.put(ITEMS, Item("b", "blue", 2))
        tx.put(OTHERS, Item("a", "other table"))
    await durable(store)
    was = (store.revision, rows(store), rows(store, OTHERS))
    await store.close()

    again = open_store(open_journal(tmp_path))
    assert (again.revision, rows(again), rows(again, OTHERS)) == was
    assert (coloured(again, "red"), coloured(again, "blue")) == ({"a"}, {"b"})
    again.start()
    await durable(again)  # what was loaded is durable already
    put(again, Item("c"))
    assert again.revision == was[0] + 1, "revisions go on where they were"
    await durable(again)
    await again.close()


@every_durable_journal
async def test_closing_keeps_what_nobody_waited_for(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    for number in range(100):
        put(store, Item(str(number)))
    await store.close()
    again = open_store(open_journal(tmp_path))
    assert len(rows(again)) == again.revision == 100
    again.start()
    await again.close()


@every_journal
async def test_all_who_wait_are_told(open_journal: OpenJournal, tmp_path: Path) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()

    async def write(number: int) -> None:
        put(store, Item(str(number)))
        await store.durable(store.revision)

    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*(write(number) for number in range(200)))
    assert len(rows(store)) == 200
    await store.close()


@every_journal
async def test_one_who_gives_up_waiting_holds_up_nobody(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    store = open_store(open_journal(tmp_path))
    store.start()
    put(store, Item("a"))
    waiting = asyncio.ensure_future(store.durable(store.revision))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    put(store, Item("b"))
    await durable(store)
    await store.close()
