"""Checks the targets of target groups that are in use, and writes what it saw.

One owner task per target. The first check comes at once, and while a target is ``initial`` it
is checked every second if that is sooner than the interval, so that a deployment is not held
up by the interval (an ALB waits for it); only one failure per interval counts then. Draining
targets are not checked. A row is written only when the verdict changes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from homeport.domain.load_balancing import Action, Target, TargetGroup, TargetHealth
from homeport.store import Store, Transaction
from homeport.store.schema import LISTENERS, RULES, TARGET_GROUPS, TARGET_HEALTH, TARGETS

from .health_state import DISABLED, INITIAL, NOT_IN_USE, Progress, Verdict, observe
from .probe import Probe, probe_of, run_probe
from .snapshot import groups_of

logger = logging.getLogger(__name__)

INITIAL_INTERVAL_SECONDS = 1.0
CONCURRENT_CHECKS = 64
JITTER = 0.05


@dataclass(frozen=True, slots=True)
class _Checked:
    """One target's owner task, what it does and for which registration."""

    probe: Probe
    registered_at: float
    task: asyncio.Task[None]


class HealthChecks:
    """The one writer of TARGET_HEALTH after registration."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._wake = asyncio.Event()
        self._checked: dict[str, _Checked] = {}
        self._slots = asyncio.Semaphore(CONCURRENT_CHECKS)

    def wake(self) -> None:
        """A target, a target group, a listener or a rule changed."""
        self._wake.set()

    async def run(self) -> None:
        """Keep one check running per target that wants it; until cancelled."""
        try:
            while True:
                self._wake.clear()
                self.reconcile()
                await self._wake.wait()
        finally:
            for key in list(self._checked):
                self._stop(key)

    def reconcile(self) -> None:
        """Bring rows and owner tasks in line with the targets."""
        wanted: dict[str, tuple[Probe, Target, Verdict]] = {}
        with self._store.transaction() as tx:
            in_use = set(groups_of(_actions(tx)))
            for target in tx.all(TARGETS):
                group = tx.get(TARGET_GROUPS, target.target_group_arn)
                if group is None or target.draining_since is not None:
                    continue
                verdict = _unchecked_verdict(group, group.arn in in_use)
                if verdict is not None:
                    self._write(tx, target, verdict)
                else:
                    wanted[target.key] = (probe_of(group, target), target, _verdict(tx, target))
                    self._write(tx, target, wanted[target.key][2])
        for key in self._checked.keys() - wanted.keys():
            self._stop(key)
        for key, (probe, target, verdict) in wanted.items():
            self._check(key, probe, target, verdict)

    def _check(self, key: str, probe: Probe, target: Target, verdict: Verdict) -> None:
        known = self._checked.get(key)
        if known is not None:
            if (known.probe, known.registered_at) == (probe, target.registered_at):
                return
            self._stop(key)
        task = asyncio.create_task(self._own(target, probe, verdict), name=f"health check {key}")
        self._checked[key] = _Checked(probe, target.registered_at, task)

    def _stop(self, key: str) -> None:
        self._checked.pop(key).task.cancel()

    async def _own(self, target: Target, probe: Probe, verdict: Verdict) -> None:
        """Check one target until cancelled."""
        progress = Progress(verdict)
        loop = asyncio.get_running_loop()
        counted_at = float("-inf")
        while True:
            started = loop.time()
            async with self._slots:
                outcome = await run_probe(probe)
            after = observe(progress, outcome, probe)
            if after.failures or after.verdict[0] == "unhealthy":
                if progress.verdict[0] == "initial" and started - counted_at < probe.interval:
                    after = progress  # an extra check: its failure does not count
                else:
                    counted_at = started
            if after.verdict != progress.verdict:
                self._publish(target, after.verdict)
            progress = after
            pause = probe.interval * random.uniform(1 - JITTER, 1)
            if progress.verdict[0] == "initial":
                pause = min(pause, INITIAL_INTERVAL_SECONDS)
            await asyncio.sleep(max(0.0, started + pause - loop.time()))

    def _publish(self, target: Target, verdict: Verdict) -> None:
        with self._store.transaction() as tx:
            current = tx.get(TARGETS, target.key)
            if current == target:  # else deregistered or registered anew meanwhile
                self._write(tx, target, verdict)
                logger.info("target %s is %s %s", target.key, verdict[0], verdict[2])

    def _write(self, tx: Transaction, target: Target, verdict: Verdict) -> None:
        before = tx.get(TARGET_HEALTH, target.key)
        if before is not None and (before.state, before.reason, before.description) == verdict:
            return
        state, reason, description = verdict
        tx.put(
            TARGET_HEALTH,
            TargetHealth(
                key=target.key,
                target_group_arn=target.target_group_arn,
                state=state,
                reason=reason,
                description=description,
                changed_at=self._clock(),
            ),
        )


def _actions(tx: Transaction) -> list[Action]:
    listeners = [action for listener in tx.all(LISTENERS) for action in listener.default_actions]
    return listeners + [action for rule in tx.all(RULES) for action in rule.actions]


def _unchecked_verdict(group: TargetGroup, in_use: bool) -> Verdict | None:
    """The verdict on targets that are not checked; None where they are."""
    if not in_use:
        return NOT_IN_USE
    return None if group.health_check_enabled else DISABLED


def _verdict(tx: Transaction, target: Target) -> Verdict:
    """What the checks go on from: the last verdict of a check, else ``initial``."""
    health = tx.get(TARGET_HEALTH, target.key)
    if health is None or health.state not in ("healthy", "unhealthy"):
        return INITIAL
    return health.state, health.reason, health.description
