"""Runs controllers: a queue of keys, deduplicated, with backoff and look-again times."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from homeport.store import Change, Store, Transaction

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 60.0
KEYS_PER_TURN = 16


class Controller(Protocol):
    """One level-triggered loop."""

    name: str

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """The keys whose promises this change may concern."""

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every key: looked at once at start."""

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Re-read, decide, write; returns the epoch second to look again, or None."""


QueueKey = tuple[int, str]  # (position of the controller, key)


class Runner:
    """The one owner of every controller's work."""

    def __init__(
        self,
        store: Store,
        controllers: Sequence[Controller],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._controllers = controllers
        self._clock = clock
        self._changes: deque[Change] = deque()
        self._ready: dict[QueueKey, None] = {}
        self._due: dict[QueueKey, float] = {}
        self._timers: list[tuple[float, QueueKey]] = []
        self._failures: dict[QueueKey, int] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        unsubscribe = self._store.feed.subscribe(self._on_changes)
        try:
            self.enqueue_everything()
            while True:
                self.work(KEYS_PER_TURN)
                await self._wait()
        finally:
            unsubscribe()

    def enqueue_everything(self) -> None:
        """Queue every key of every controller (the start of a process)."""
        with self._store.transaction() as tx:
            for position, controller in enumerate(self._controllers):
                for key in controller.all_keys(tx):
                    self._ready[position, key] = None

    def work(self, limit: int) -> int:
        """Reconcile up to ``limit`` keys that are ready now; returns how many."""
        done = 0
        self._take_changes()
        self._take_due()
        while self._ready and done < limit:
            queue_key = next(iter(self._ready))
            del self._ready[queue_key]
            self._reconcile(queue_key)
            self._take_changes()
            done += 1
        return done

    def next_due(self) -> float | None:
        """When the next timer is due (epoch seconds), or None."""
        return self._timers[0][0] if self._timers else None

    def _on_changes(self, changes: Sequence[Change]) -> None:
        self._changes.extend(changes)
        self._wake.set()

    def _take_changes(self) -> None:
        if not self._changes:
            return
        with self._store.transaction() as tx:
            while self._changes:
                change = self._changes.popleft()
                for position, controller in enumerate(self._controllers):
                    for key in controller.keys(change, tx):
                        self._ready[position, key] = None

    def _take_due(self) -> None:
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            due, queue_key = heapq.heappop(self._timers)
            if self._due.get(queue_key) == due:
                del self._due[queue_key]
                self._ready[queue_key] = None

    def _reconcile(self, queue_key: QueueKey) -> None:
        position, key = queue_key
        controller = self._controllers[position]
        now = self._clock()
        try:
            with self._store.transaction() as tx:
                again_at = controller.reconcile(key, tx, now)
        except Exception:  # outer edge: one key's trouble must not stop the others
            failures = self._failures[queue_key] = self._failures.get(queue_key, 0) + 1
            again_at = now + min(FIRST_RETRY_SECONDS * 2 ** (failures - 1), LAST_RETRY_SECONDS)
            logger.exception("%s: %s failed (attempt %d)", controller.name, key, failures)
        else:
            self._failures.pop(queue_key, None)
        self._set_timer(queue_key, again_at)

    def _set_timer(self, queue_key: QueueKey, at: float | None) -> None:
        if at is None:
            self._due.pop(queue_key, None)
        elif self._due.get(queue_key) != at:
            self._due[queue_key] = at
            heapq.heappush(self._timers, (at, queue_key))

    async def _wait(self) -> None:
        if self._ready or self._changes:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        due = self.next_due()
        timeout = None if due is None else max(0.0, due - self._clock())
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return
