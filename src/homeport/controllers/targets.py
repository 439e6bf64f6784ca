"""Registers the tasks of services with their target groups, and takes them out before a stop.

::

    RUNNING ──register──▶ (targets_registered)
    DEACTIVATING ──deregister──▶ draining … ──target rows gone──▶ STOPPING (the agent may stop it)
    STOPPED by itself ──deregister at once──▶

Source of the events' words: "Amazon ECS service event messages", developer guide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from homeport.domain.arn import Ids, last_segment
from homeport.domain.service import Service
from homeport.domain.task import Task
from homeport.scheduling.events import add_service_event
from homeport.scheduling.targets import deregister_target, register_target
from homeport.scheduling.task_targets import load_balancers_of, services_using, task_targets
from homeport.store import Change, Transaction
from homeport.store.schema import (
    SERVICES,
    TARGETS,
    TASKS,
)


class TargetsController:
    """Keys are service ARNs."""

    name = "targets"

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A changed task of a service, or a target row that vanished."""
        if task_change := change.of(TASKS):
            return [t.service_arn for t in task_change if t is not None and t.service_arn][:1]
        if target_change := change.of(TARGETS):
            before, after = target_change
            if before is not None and after is None:
                return services_using(tx, before.target_group_arn)
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every service."""
        return [service.arn for service in tx.all(SERVICES)]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Bring the registrations of a service's tasks in line with the tasks."""
        service = tx.get(SERVICES, key)
        if service is None:
            return None
        registered: Counter[str] = Counter()
        deregistered: Counter[str] = Counter()
        draining: Counter[str] = Counter()
        for task in tx.find(TASKS, "service", key):
            if task.desired_status == "RUNNING" and task.last_status == "RUNNING":
                registered.update(self._register(tx, service, task, now))
            elif task.targets_registered and is_leaving(task):
                groups = self._deregister(tx, service, task, now)
                deregistered.update(groups)
                draining.update([task.deployment_id or ""] if groups else [])
            if task.last_status == "DEACTIVATING":
                self._release_when_drained(tx, service, task)
        for message in _messages(service.name, registered, deregistered, draining):
            add_service_event(tx, service.arn, message, now, self._ids)
        return None

    def _register(self, tx: Transaction, service: Service, task: Task, now: float) -> list[str]:
        wanted = load_balancers_of(service, task)
        if task.targets_registered or not wanted:
            return []
        targets = task_targets(tx, service, task)
        for target in targets:
            register_target(
                tx,
                target.target_group,
                target.id,
                target.port,
                target.address,
                target.availability_zone,
                now,
            )
        if targets:
            _update(tx, task, lambda t: msgspec.structs.replace(t, targets_registered=True))
        return [target.target_group.arn for target in targets]

    def _deregister(self, tx: Transaction, service: Service, task: Task, now: float) -> list[str]:
        groups = []
        for target in task_targets(tx, service, task):
            row = tx.get(TARGETS, target.key)
            if row is not None and row.draining_since is None:
                deregister_target(tx, target.target_group, target.id, target.port, now)
                groups.append(target.target_group.arn)
        # From here on the address may belong to a later task that got the same port.
        _update(tx, task, lambda t: msgspec.structs.replace(t, targets_registered=False))
        return groups

    def _release_when_drained(self, tx: Transaction, service: Service, task: Task) -> None:
        if any(tx.get(TARGETS, target.key) for target in task_targets(tx, service, task)):
            return
        _update(
            tx,
            task,
            lambda t: msgspec.structs.replace(t, last_status="STOPPING", version=t.version + 1),
        )


def is_leaving(task: Task) -> bool:
    """Whether the task is to receive no new requests."""
    return task.desired_status == "STOPPED" or task.last_status == "STOPPED"


def _update(tx: Transaction, task: Task, change: Callable[[Task], Task]) -> None:
    current = tx.get(TASKS, task.arn)
    if current is not None:
        tx.put(TASKS, change(current))


def _messages(
    service_name: str,
    registered: Counter[str],
    deregistered: Counter[str],
    draining: Counter[str],
) -> Iterator[str]:
    prefix = f"(service {service_name})"
    for group, count in registered.items():
        yield f"{prefix} registered {count} targets in (target-group {group})"
    for group, count in deregistered.items():
        yield f"{prefix} deregistered {count} targets in (target-group {group})"
    for deployment_id, count in draining.items():
        task_set = f"(service {service_name}, taskSet ecs-svc/{last_segment(deployment_id)})"
        yield f"{task_set} has begun draining connections on {count} tasks."
