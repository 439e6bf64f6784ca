"""The facts that placement looks at."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class TaskToPlace(msgspec.Struct, frozen=True):
    """Demand of one task: cpu units, MiB, static host ports, attributes it requires.

    ``group`` is the task's group (``service:NAME``, ``family:NAME`` or the user's).
    """

    group: str
    cpu: int = 0
    memory: int = 0
    tcp_ports: frozenset[int] = frozenset()
    udp_ports: frozenset[int] = frozenset()
    required_attributes: frozenset[str] = frozenset()


class CandidateInstance(msgspec.Struct, frozen=True):
    """An instance with what is left on it.

    ``group_counts``: tasks by group whose desired status is RUNNING; ``running_tasks_count``
    counts RUNNING tasks, as the query language's subject does.
    """

    arn: str
    ec2_instance_id: str
    availability_zone: str
    remaining_cpu: int
    remaining_memory: int
    used_tcp_ports: frozenset[int] = frozenset()
    used_udp_ports: frozenset[int] = frozenset()
    status: str = "ACTIVE"
    agent_connected: bool = True
    agent_version: str = ""
    registered_at: float = 0.0
    running_tasks_count: int = 0
    attributes: Mapping[str, str | None] = {}
    group_counts: Mapping[str, int] = {}


def reserve(instance: CandidateInstance, task: TaskToPlace) -> CandidateInstance:
    """The instance after the task was placed on it."""
    counts = dict(instance.group_counts)
    counts[task.group] = counts.get(task.group, 0) + 1
    return msgspec.structs.replace(
        instance,
        remaining_cpu=instance.remaining_cpu - task.cpu,
        remaining_memory=instance.remaining_memory - task.memory,
        used_tcp_ports=instance.used_tcp_ports | task.tcp_ports,
        used_udp_ports=instance.used_udp_ports | task.udp_ports,
        group_counts=counts,
    )
