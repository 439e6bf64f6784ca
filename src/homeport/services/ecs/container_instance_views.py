"""Container instance record → the API's structure; what remains is derived from its tasks."""

from __future__ import annotations

from collections.abc import Iterable

from homeport.domain.container_instance import ContainerInstance
from homeport.domain.task import Task
from homeport.store import Transaction
from homeport.store.schema import TASKS

from .tags import view as tags_view

View = dict[str, object]


def container_instance_view(
    tx: Transaction, instance: ContainerInstance, *, include_tags: bool
) -> View:
    """``ContainerInstance`` as DescribeContainerInstances shows it."""
    tasks = [t for t in tx.find(TASKS, "container_instance", instance.arn) if t.holds_resources()]
    # FARGATE tasks take their part of the host but are no tasks of its cluster.
    own = [task for task in tasks if task.launch_type != "FARGATE"]
    return {
        "containerInstanceArn": instance.arn,
        "capacityProviderName": instance.capacity_provider_name,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": instance.version,
        "versionInfo": _version_info(instance),
        "remainingResources": _remaining(instance, tasks),
        "registeredResources": _resources(
            instance.cpu,
            instance.memory,
            instance.reserved_tcp_ports,
            instance.reserved_udp_ports,
        ),
        "status": instance.status,
        "statusReason": instance.status_reason or None,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": sum(1 for task in own if task.last_status == "RUNNING"),
        "pendingTasksCount": sum(1 for task in own if is_pending(task)),
        "attributes": [_attribute(name, value) for name, value in instance.attributes.items()],
        "registeredAt": instance.registered_at,
        "attachments": [],
        "tags": tags_view(instance.tags) if include_tags else [],
    }


def is_pending(task: Task) -> bool:
    """Wanted and not yet RUNNING: what ``pendingCount`` and ``pendingTasksCount`` count."""
    return task.desired_status == "RUNNING" and task.last_status in (
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
    )


def _version_info(instance: ContainerInstance) -> View:
    return {
        "agentVersion": instance.agent_version or None,
        "agentHash": instance.agent_hash or None,
        "dockerVersion": instance.docker_version or None,
    }


def _attribute(name: str, value: str | None) -> View:
    return {"name": name, "value": value}


def _remaining(instance: ContainerInstance, tasks: Iterable[Task]) -> list[View]:
    held = list(tasks)
    # Port sets list what is taken: they grow with use.
    return _resources(
        instance.cpu - sum(task.cpu for task in held),
        instance.memory - sum(task.memory for task in held),
        {*instance.reserved_tcp_ports, *(port for task in held for port in task.tcp_ports)},
        {*instance.reserved_udp_ports, *(port for task in held for port in task.udp_ports)},
    )


def _resources(cpu: int, memory: int, tcp: Iterable[int], udp: Iterable[int]) -> list[View]:
    return [
        _integer("CPU", cpu),
        _integer("MEMORY", memory),
        _ports("PORTS", tcp),
        _ports("PORTS_UDP", udp),
    ]


def _integer(name: str, value: int) -> View:
    return {
        "name": name,
        "type": "INTEGER",
        "doubleValue": 0.0,
        "longValue": 0,
        "integerValue": value,
    }


def _ports(name: str, ports: Iterable[int]) -> View:
    return {
        "name": name,
        "type": "STRINGSET",
        "doubleValue": 0.0,
        "longValue": 0,
        "integerValue": 0,
        "stringSetValue": [str(port) for port in sorted(ports)],
    }
