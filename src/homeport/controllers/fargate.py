"""Ends FARGATE tasks that can't reach what they need to start.

Why is decided when the task is made (``scheduling.fargate_start``) and stands in its record; no
agent is told of such a task. It was accepted, so it fails as on AWS: later, by itself, with
``TaskFailedToStart``.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeport.domain.task import Task
from homeport.scheduling.stop import fail_to_start
from homeport.store import Change, Transaction
from homeport.store.schema import TASKS


class FargateController:
    """Keys are task ARNs."""

    name = "fargate"

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A task that will not start."""
        if task_change := change.of(TASKS):
            return (change.key,) if _is_doomed(task_change[1]) else ()
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every task that will not start."""
        return [task.arn for task in tx.all(TASKS) if _is_doomed(task)]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """End it, and give its address back."""
        task = tx.get(TASKS, key)
        if task is not None and _is_doomed(task):
            fail_to_start(tx, task, now=now, reason=task.start_failure)
        return None


def _is_doomed(task: Task | None) -> bool:
    return task is not None and bool(task.start_failure) and task.last_status != "STOPPED"
