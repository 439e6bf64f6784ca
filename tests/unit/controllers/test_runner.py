"""The controller runner: keys are deduplicated, retried with backoff, looked at when due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from homeport.controllers.runner import FIRST_RETRY_SECONDS, Runner
from homeport.domain.cluster import Cluster
from homeport.store import Change, Store, Transaction
from homeport.store.journal import MemoryJournal
from homeport.store.schema import CLUSTERS, TABLES


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Recorder:
    """Records what it was asked; fails while ``failing``; asks to look again at ``again_at``."""

    name: str = "recorder"
    seen: list[str] = field(default_factory=list)
    failing: bool = False
    again_at: float | None = None

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        return (change.key,) if change.of(CLUSTERS) else ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        return [c.arn for c in tx.all(CLUSTERS)]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        self.seen.append(key)
        if self.failing:
            tx.put(CLUSTERS, Cluster(arn="half-done", name="x", created_at=now))
            raise RuntimeError("no")
        return self.again_at


def new_runner() -> tuple[Store, Recorder, Clock, Runner]:
    store = Store(TABLES, MemoryJournal())
    recorder, clock = Recorder(), Clock()
    runner = Runner(store, [recorder], clock)
    store.feed.subscribe(runner._on_changes)
    return store, recorder, clock, runner


def put(store: Store, arn: str, status: str = "ACTIVE") -> None:
    with store.transaction() as tx:
        tx.put(CLUSTERS, Cluster(arn=arn, name=arn, created_at=0.0, status=status))  # type: ignore[arg-type]


def test_every_key_is_looked_at_once_at_start() -> None:
    store, recorder, _, runner = new_runner()
    put(store, "a")
    put(store, "b")
    runner.enqueue_everything()
    runner.work(10)
    assert recorder.seen == ["a", "b"]


def test_many_changes_of_a_key_are_one_pass() -> None:
    store, recorder, _, runner = new_runner()
    put(store, "a")
    put(store, "a", "INACTIVE")
    runner.work(10)
    assert recorder.seen == ["a"]


def test_a_failing_key_is_retried_with_backoff_and_leaves_nothing_behind() -> None:
    store, recorder, clock, runner = new_runner()
    recorder.failing = True
    put(store, "a")
    runner.work(10)
    assert runner.work(10) == 0, "not before its time"
    with store.transaction() as tx:
        assert tx.get(CLUSTERS, "half-done") is None
    clock.now += FIRST_RETRY_SECONDS
    assert runner.work(10) == 1
    clock.now += FIRST_RETRY_SECONDS
    assert runner.work(10) == 0, "the second wait is longer"
    clock.now += FIRST_RETRY_SECONDS
    recorder.failing = False
    assert runner.work(10) == 1
    assert runner.next_due() is None


def test_a_key_is_looked_at_again_when_it_asked_to() -> None:
    store, recorder, clock, runner = new_runner()
    recorder.again_at = 1010.0
    put(store, "a")
    runner.work(10)
    assert runner.next_due() == 1010.0
    clock.now = 1010.0
    recorder.again_at = None
    runner.work(10)
    assert recorder.seen == ["a", "a"]
