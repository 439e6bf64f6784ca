"""What changed of ECS's resources, as the events that ECS sends to EventBridge. Pure.

Sources: "Amazon ECS task state change events", "container instance state change events", "service
action events" and "service deployment state change events", developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from homeport.domain.container_instance import ContainerInstance
from homeport.domain.service import Deployment, Service, ServiceEvent
from homeport.domain.task import Task
from homeport.store import Change, Transaction
from homeport.store.schema import CONTAINER_INSTANCES, SERVICE_EVENTS, SERVICES, TASKS

from .container_instance_views import container_instance_view
from .task_views import task_view

Detail = Mapping[str, object]

# Health is not told in events; tags and placeholders are not either.
_NOT_OF_TASKS = frozenset({"healthStatus", "tags", "inferenceAccelerators", "connectivityAt"})
_OF_INSTANCES = (
    *("agentConnected", "attributes", "capacityProviderName", "containerInstanceArn"),
    *("ec2InstanceId", "registeredAt", "registeredResources", "remainingResources", "status"),
    *("statusReason", "version", "versionInfo"),
)
_NAMES = {
    "IN_PROGRESS": ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
    "COMPLETED": ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
    "FAILED": ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
}


@dataclass(frozen=True, slots=True)
class StateChange:
    """One event to be; ``resource`` is the ARN of what it is about."""

    detail_type: str
    resource: str
    detail: Detail


def state_changes(change: Change, tx: Transaction, now: float) -> Iterator[StateChange]:
    """The events that a change of one row comes to: mostly none."""
    if tasks := change.of(TASKS):
        before, task = tasks
        if task is not None and _tells(before, task):
            yield StateChange("ECS Task State Change", task.arn, _task(task, now))
    elif instances := change.of(CONTAINER_INSTANCES):
        if (instance := instances[1]) is not None:
            yield StateChange(
                "ECS Container Instance State Change",
                instance.arn,
                _instance(tx, instance, now),
            )
    elif services := change.of(SERVICES):
        before_service, service = services
        if service is not None:
            yield from _deployments(before_service, service, now)
    elif service_events := change.of(SERVICE_EVENTS):
        event = service_events[1]
        if event is not None and event.action_name:
            yield _action(tx, event)


def iso(epoch: float) -> str:
    """``2020-01-23T17:57:58.103Z``."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _tells(before: Task | None, task: Task) -> bool:
    """Whether the change is one of the task's state, not of Homeport's own notes about it."""
    return before is None or _state(before) != _state(task)


def _state(task: Task) -> tuple[object, ...]:
    containers = tuple((c.last_status, c.exit_code, c.runtime_id) for c in task.containers)
    return (task.version, task.last_status, task.desired_status, containers)


def _task(task: Task, now: float) -> Detail:
    view = {k: v for k, v in task_view(task).items() if k not in _NOT_OF_TASKS}
    detail: dict[str, Any] = _plain({**view, "updatedAt": now})
    for container in detail["containers"]:
        container.pop("healthStatus", None)
    for attachment in detail["attachments"]:  # DescribeTasks calls it ElasticNetworkInterface
        attachment["type"] = "eni"
    if task.connectivity_at is not None:
        detail["connectivityAt"] = iso(task.connectivity_at)
    return detail


def _instance(tx: Transaction, instance: ContainerInstance, now: float) -> Detail:
    view = container_instance_view(tx, instance, include_tags=False)
    chosen = {name: view.get(name) for name in _OF_INSTANCES}
    detail: dict[str, Any] = _plain(
        {**chosen, "clusterArn": instance.cluster_arn, "updatedAt": now}
    )
    for name in ("registeredResources", "remainingResources"):
        detail[name] = [
            {k: v for k, v in resource.items() if k not in ("doubleValue", "longValue")}
            for resource in detail[name]
        ]
    return detail


def _deployments(before: Service | None, service: Service, now: float) -> Iterator[StateChange]:
    known = {d.id: d.rollout_state for d in before.deployments} if before is not None else {}
    for deployment in reversed(service.deployments):
        if known.get(deployment.id) != deployment.rollout_state:
            yield StateChange(
                "ECS Deployment State Change", service.arn, _deployment(deployment, now)
            )


def _deployment(deployment: Deployment, now: float) -> Detail:
    kind, name = _NAMES[deployment.rollout_state]
    return {
        "eventType": kind,
        "eventName": name,
        "deploymentId": deployment.id,
        "updatedAt": iso(now),
        "reason": deployment.rollout_state_reason,
    }


def _action(tx: Transaction, event: ServiceEvent) -> StateChange:
    service = tx.get(SERVICES, event.service_arn)
    detail: dict[str, Any] = {
        "eventType": event.action_type,
        "eventName": event.action_name,
        "clusterArn": service.cluster_arn if service is not None else None,
        "reason": event.reason or None,
        "createdAt": event.created_at,
    }
    return StateChange("ECS Service Action", event.service_arn, _plain(detail))


def _plain(value: Any, name: str = "") -> Any:
    """A view as JSON: nothing that is None, times as ISO texts."""
    if isinstance(value, dict):
        return {k: _plain(v, k) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if name.endswith("At") and isinstance(value, int | float):
        return iso(value)
    return value
