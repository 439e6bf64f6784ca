"""Forgets what is over: stopped tasks, inactive services and instances, after an hour.

ECS shows a stopped task for at least one hour, then answers MISSING.
"""

from __future__ import annotations

from collections.abc import Iterable

from homeport.domain.task import Task
from homeport.store import Change, Transaction
from homeport.store.schema import TASKS

KEEP_STOPPED_SECONDS = 3600.0


class RetentionController:
    """Keys are ARNs of stopped tasks."""

    name = "retention"

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A task that has stopped."""
        match change.of(TASKS):
            case (_, Task(last_status="STOPPED") as task):
                return (task.arn,)
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every stopped task."""
        return [t.arn for t in tx.all(TASKS) if t.last_status == "STOPPED"]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Delete the task when its hour is over."""
        task = tx.get(TASKS, key)
        if task is None or task.last_status != "STOPPED":
            return None
        forget_at = (task.stopped_at or task.created_at) + KEEP_STOPPED_SECONDS
        if now < forget_at:
            return forget_at
        tx.delete(TASKS, key)
        return None
