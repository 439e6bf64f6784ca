"""Ends tasks: the wish that one stop, and the end of one whose host is gone.

::

    stop_task   desired RUNNING ──▶ desired STOPPED, DEACTIVATING (registered targets) or STOPPING
    orphan_task any state       ──▶ STOPPED (nobody is left who could report it)
    fail_to_start PROVISIONING  ──▶ STOPPED (nobody was ever told of it)
"""

from __future__ import annotations

import msgspec

from homeport.domain.task import Task, TaskStatus, may_advance
from homeport.store import Transaction
from homeport.store.schema import TASKS

from .network_interfaces import release_interface

MAX_REASON = 1024


def stop_task(tx: Transaction, task: Task, *, now: float, code: str, reason: str) -> Task:
    """Ask for ``task`` to stop; the first code and reason stand, later calls change nothing.

    ``code`` is a ``stopCode`` (``UserInitiated``, ``ServiceSchedulerInitiated``…). A task whose
    load-balancer registrations were made goes to DEACTIVATING first: the targets controller
    moves it to STOPPING when its targets have drained, and only then the agent is told. Any
    other task goes to STOPPING at once, whether or not the agent has seen it. Returns the
    record as it now stands in the store.
    """
    current = tx.get(TASKS, task.arn) or task
    if current.desired_status == "STOPPED" or current.last_status == "STOPPED":
        return current
    wanted: TaskStatus = "DEACTIVATING" if current.targets_registered else "STOPPING"
    status = wanted if may_advance(current.last_status, wanted) else current.last_status
    stopping = msgspec.structs.replace(
        current,
        desired_status="STOPPED",
        last_status=status,
        stopping_at=now,
        stop_code=code,
        stopped_reason=reason[:MAX_REASON],
        version=current.version + 1,
    )
    return tx.put(TASKS, stopping)


def orphan_task(tx: Transaction, task: Task, *, now: float, code: str, reason: str) -> Task:
    """End the record of a task whose host no longer belongs to the cluster.

    Its containers keep the state that was last observed: nobody can say more about them. A code
    and reason given earlier stand. Frees what the task held on the instance.
    """
    current = tx.get(TASKS, task.arn) or task
    if current.last_status == "STOPPED":
        return current
    ended = msgspec.structs.replace(
        current,
        desired_status="STOPPED",
        last_status="STOPPED",
        stopping_at=current.stopping_at or now,
        stopped_at=now,
        stop_code=current.stop_code or code,
        stopped_reason=current.stopped_reason or reason[:MAX_REASON],
        version=current.version + 1,
        tags=(),
    )
    return tx.put(TASKS, release_interface(tx, ended))


def fail_to_start(tx: Transaction, task: Task, *, now: float, reason: str) -> Task:
    """End a task that no agent was told of. A code and reason given earlier stand."""
    current = tx.get(TASKS, task.arn) or task
    if current.last_status != "STOPPED":
        stopped = (msgspec.structs.replace(c, last_status="STOPPED") for c in current.containers)
        tx.put(TASKS, msgspec.structs.replace(current, containers=tuple(stopped)))
    return orphan_task(tx, current, now=now, code="TaskFailedToStart", reason=reason)
