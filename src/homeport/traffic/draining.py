"""Ends the draining of targets: the row of a target vanishes when its delay is over.

Controllers wait for the row to vanish before they stop the task behind it. As on AWS the full
``deregistration_delay.timeout_seconds`` passes, even for a target that is idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from homeport.domain.load_balancing import Target
from homeport.store import Store, Transaction
from homeport.store.schema import TARGET_GROUPS, TARGET_HEALTH, TARGETS

DELAY_ATTRIBUTE = "deregistration_delay.timeout_seconds"
DEFAULT_DELAY_SECONDS = 300.0


class Draining:
    """The one remover of drained targets."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A target or a target group changed."""
        self._wake.set()

    async def run(self) -> None:
        """Remove each drained target when it is due; until cancelled."""
        while True:
            self._wake.clear()
            due = self.sweep()
            timeout = None if due is None else max(0.0, due - self._clock())
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def sweep(self) -> float | None:
        """Remove what is due now; returns when the next one is (epoch seconds)."""
        now = self._clock()
        next_due: float | None = None
        with self._store.transaction() as tx:
            for target in tx.all(TARGETS):
                due = drained_at(tx, target)
                if due is None:
                    continue
                if due <= now:
                    tx.delete(TARGETS, target.key)
                    tx.delete(TARGET_HEALTH, target.key)
                else:
                    next_due = due if next_due is None else min(next_due, due)
        return next_due


def drained_at(tx: Transaction, target: Target) -> float | None:
    """When the target's delay is over; None if it is not draining."""
    if target.draining_since is None:
        return None
    group = tx.get(TARGET_GROUPS, target.target_group_arn)
    if group is None:
        return target.draining_since
    return target.draining_since + float(
        group.attributes.get(DELAY_ATTRIBUTE, DEFAULT_DELAY_SECONDS)
    )
