"""Takes away the network interfaces of tasks that have ended, or that never got theirs.

::

    PROVISIONING for five minutes ──▶ to stop, TaskFailedToStart
    DEPROVISIONING ──delete the interface──▶ STOPPED
    STOPPED or forgotten, with an interface left ──delete it

One transaction does both, so an address is free exactly when its task has stopped; a control
plane that died in between finds the same work again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from homeport.domain.task import Task
from homeport.scheduling.network_interfaces import release_interface
from homeport.scheduling.stop import stop_task
from homeport.store import Change, Transaction
from homeport.store.schema import NETWORK_INTERFACES, TASKS

CONCERNED = ("PROVISIONING", "DEPROVISIONING", "STOPPED")
ATTACH_SECONDS = 300.0
TIMED_OUT = "Timeout waiting for network interface provisioning to complete."


class InterfacesController:
    """Keys are task ARNs."""

    name = "interfaces"

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A task with an interface that waits for it, that has ended, or that is gone."""
        if task_change := change.of(TASKS):
            before, after = task_change
            if (after is None or after.last_status in CONCERNED) and _has_interface(
                after or before
            ):
                return (change.key,)
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every task that an interface names, and every task that is DEPROVISIONING."""
        named = {i.task_arn for i in tx.all(NETWORK_INTERFACES) if i.task_arn}
        return named | {t.arn for t in tx.all(TASKS) if t.last_status == "DEPROVISIONING"}

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """End a task, delete what one that has ended left behind, or look again at one that
        waits."""
        task = tx.get(TASKS, key)
        if task is not None and task.last_status == "DEPROVISIONING":
            tx.put(TASKS, release_interface(tx, _ended(task, now)))
        elif task is not None and _is_waiting(task):
            if now < task.created_at + ATTACH_SECONDS:
                return task.created_at + ATTACH_SECONDS
            stop_task(tx, task, now=now, code="TaskFailedToStart", reason=TIMED_OUT)
        elif task is None or task.last_status == "STOPPED":
            for interface in tx.find(NETWORK_INTERFACES, "task", key):
                tx.delete(NETWORK_INTERFACES, interface.network_interface_id)
        return None


def _is_waiting(task: Task) -> bool:
    return task.last_status == "PROVISIONING" and task.desired_status == "RUNNING"


def _has_interface(task: Task | None) -> bool:
    return task is not None and task.interface is not None


def _ended(task: Task, now: float) -> Task:
    return msgspec.structs.replace(
        task, last_status="STOPPED", stopped_at=now, version=task.version + 1
    )
