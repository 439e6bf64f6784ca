"""A table with its index, its feed and its journal, against a plain dictionary."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from journals import ITEMS, Item, coloured, open_store, put, rows

from homeport.store import Change, Store, Transaction
from homeport.store.journal import MemoryJournal

COLOURS = ("red", "blue")
KEYS = st.sampled_from("abcdef")
ITEM = st.builds(Item, KEYS, st.sampled_from([*COLOURS, None]), st.integers(0, 2))
STEPS = st.lists(st.one_of(ITEM, KEYS), max_size=6)
"""Of one transaction: an item is put, a key is deleted."""


class GaveUp(Exception):
    """What a transaction that fails raises."""


class TableAgainstDict(RuleBasedStateMachine):
    """``model`` is what was committed, ``told`` what a subscriber makes of the feed."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = MemoryJournal()
        self.model: dict[str, Item] = {}
        self.told: dict[str, Item] = {}
        self.store = self._open()

    @rule(item=ITEM)
    def put_one(self, item: Item) -> None:
        put(self.store, item)
        self.model[item.key] = item

    @rule(steps=STEPS)
    def commit(self, steps: list[Item | str]) -> None:
        wanted, revision = dict(self.model), self.store.revision
        with self.store.transaction() as tx:
            self._apply(tx, wanted, steps)
        assert self.store.revision == revision + (wanted != self.model)
        assert tx.revision == self.store.revision
        self.model = wanted

    @rule(steps=STEPS)
    def fail(self, steps: list[Item | str]) -> None:
        revision = self.store.revision
        try:
            with self.store.transaction() as tx:
                self._apply(tx, dict(self.model), steps)
                raise GaveUp
        except GaveUp:
            assert self.store.revision == revision

    @rule()
    def restart(self) -> None:
        revision = self.store.revision
        self.store = self._open()
        assert self.store.revision == revision

    @invariant()
    def agrees(self) -> None:
        assert rows(self.store) == self.model
        assert self.told == self.model
        for colour in COLOURS:
            expected = {key for key, item in self.model.items() if item.colour == colour}
            assert coloured(self.store, colour) == expected

    def _open(self) -> Store:
        store = open_store(self.journal)
        store.feed.subscribe(self._told)
        return store

    def _apply(self, tx: Transaction, wanted: dict[str, Item], steps: list[Item | str]) -> None:
        """Do the steps to both, reading one's own writes after each."""
        for step in steps:
            if isinstance(step, Item):
                tx.put(ITEMS, step)
                wanted[step.key] = step
            else:
                tx.delete(ITEMS, step)
                wanted.pop(step, None)
            assert {item.key: item for item in tx.all(ITEMS)} == wanted
            red = {item.key for item in tx.find(ITEMS, "colour", "red")}
            assert red == {key for key, item in wanted.items() if item.colour == "red"}

    def _told(self, changes: Sequence[Change]) -> None:
        for change in changes:
            assert change.revision == self.store.revision
            before, after = change.of(ITEMS) or (None, None)
            assert before == self.told.get(change.key)
            assert before != after
            if after is None:
                del self.told[change.key]
            else:
                self.told[change.key] = after


TestTableAgainstDict = TableAgainstDict.TestCase
TestTableAgainstDict.settings = settings(max_examples=60, deadline=None)
