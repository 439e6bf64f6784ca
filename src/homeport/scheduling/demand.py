"""What a task will hold on its instance.

Cpu: the task-level value, else the containers' sum. Memory (MiB): the task-level value, else the
sum of ``memoryReservation`` or ``memory``. Ports: the static host ports of bridge and host tasks;
a dynamic port is the agent's choice and counts for nothing here ("Amazon ECS container instance
resource accounting", developer guide). Overrides come before the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeport.domain.task_definition import ContainerDefinition, PortMapping, TaskDefinition


@dataclass(frozen=True, slots=True)
class Demand:
    """Cpu units, MiB, host ports."""

    cpu: int
    memory: int
    tcp_ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerSize:
    """What one container was given: units, MiB, MiB."""

    cpu: int
    memory: int | None
    memory_reservation: int | None


def container_sizes(
    definition: TaskDefinition, overrides: Mapping[str, object]
) -> dict[str, ContainerSize]:
    """The size of every container by name, overrides applied."""
    by_name = {item["name"]: item for item in container_overrides(overrides)}
    return {c.name: _size(c, by_name.get(c.name, {})) for c in definition.containers}


def container_overrides(overrides: Mapping[str, object]) -> Sequence[Mapping[str, Any]]:
    """``overrides.containerOverrides``, or nothing."""
    items = overrides.get("containerOverrides")
    return items if isinstance(items, list | tuple) else ()


def demand_of(definition: TaskDefinition, overrides: Mapping[str, object]) -> Demand:
    """The demand of one task of ``definition`` with a TaskOverride document."""
    sizes = container_sizes(definition, overrides).values()
    cpu = _task_level(overrides.get("cpu")) or definition.cpu
    memory = _task_level(overrides.get("memory")) or definition.memory
    return Demand(
        cpu=cpu if cpu is not None else sum(size.cpu for size in sizes),
        memory=memory
        if memory is not None
        else sum(s.memory_reservation or s.memory or 0 for s in sizes),
        tcp_ports=tuple(sorted(set(_static_ports(definition, "tcp")))),
        udp_ports=tuple(sorted(set(_static_ports(definition, "udp")))),
    )


def _task_level(value: object) -> int | None:
    # Validated by the operation: digits (cpu units or MiB), as the definition keeps them.
    return int(value) if isinstance(value, str | int) and value else None


def _held(size: ContainerSize) -> int:
    return size.memory_reservation or size.memory or 0


def _size(container: ContainerDefinition, override: Mapping[str, Any]) -> ContainerSize:
    return ContainerSize(
        cpu=override.get("cpu", container.cpu),
        memory=override.get("memory", container.memory),
        memory_reservation=override.get("memoryReservation", container.memory_reservation),
    )


def _static_ports(definition: TaskDefinition, protocol: str) -> Iterator[int]:
    if definition.network_mode not in ("bridge", "host"):
        return
    for container in definition.containers:
        for mapping in container.port_mappings:
            port = _host_port(definition, mapping)
            if mapping.protocol == protocol and port:
                yield port


def _host_port(definition: TaskDefinition, mapping: PortMapping) -> int:
    if definition.network_mode == "host":
        return mapping.host_port or mapping.container_port
    return mapping.host_port
