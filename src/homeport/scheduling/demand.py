"""What a task will hold on its instance.

Cpu: the task-level value, else the containers' sum. Memory (MiB): the task-level value, else the
sum of ``memoryReservation`` or ``memory``. Ports: the static host ports of bridge and host tasks;
a dynamic port is the agent's choice and counts for nothing here ("Amazon ECS container instance
resource accounting", developer guide). Overrides come before the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from homeport.domain.task_definition import ContainerDefinition, PortMapping, TaskDefinition


@dataclass(frozen=True, slots=True)
class Demand:
    """Cpu units, MiB, host ports."""

    cpu: int
    memory: int
    tcp_ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()


def demand_of(definition: TaskDefinition, overrides: Mapping[str, object]) -> Demand:
    """The demand of one task of ``definition`` with a TaskOverride document."""
    by_name = _container_overrides(overrides)
    changed = [(c, by_name.get(c.name, {})) for c in definition.containers]
    cpu = _task_level(overrides.get("cpu")) or definition.cpu
    memory = _task_level(overrides.get("memory")) or definition.memory
    return Demand(
        cpu=cpu if cpu is not None else sum(_cpu(c, o) for c, o in changed),
        memory=memory if memory is not None else sum(_memory(c, o) for c, o in changed),
        tcp_ports=tuple(sorted(set(_static_ports(definition, "tcp")))),
        udp_ports=tuple(sorted(set(_static_ports(definition, "udp")))),
    )


def _container_overrides(overrides: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    items = overrides.get("containerOverrides")
    return {item["name"]: item for item in items} if isinstance(items, list | tuple) else {}


def _task_level(value: object) -> int | None:
    # Validated by the operation: digits (cpu units or MiB), as the definition keeps them.
    return int(value) if isinstance(value, str | int) and value else None


def _cpu(container: ContainerDefinition, override: Mapping[str, object]) -> int:
    return _number(override.get("cpu"), container.cpu)


def _memory(container: ContainerDefinition, override: Mapping[str, object]) -> int:
    reservation = _number(override.get("memoryReservation"), container.memory_reservation or 0)
    return reservation or _number(override.get("memory"), container.memory or 0)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


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
