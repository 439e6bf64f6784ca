"""Task definitions: the document as registered, and what Homeport acts on."""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import Tag

TaskDefinitionStatus = Literal["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"]


class PortMapping(msgspec.Struct, frozen=True):
    """One port mapping; ``host_port`` 0 means the agent picks one (bridge mode)."""

    container_port: int
    host_port: int = 0
    protocol: Literal["tcp", "udp"] = "tcp"
    name: str | None = None


class ContainerDefinition(msgspec.Struct, frozen=True):
    """What placement, services and the agent link need of a container definition.

    The whole definition with its defaults stands in ``TaskDefinition.document``.
    ``memory`` and ``memory_reservation`` are MiB, ``cpu`` is in units (1024 a core).
    """

    name: str
    image: str
    essential: bool = True
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    port_mappings: tuple[PortMapping, ...] = ()
    has_health_check: bool = False


class TaskDefinition(msgspec.Struct, frozen=True):
    """One immutable revision of a family. ``document`` is what DescribeTaskDefinition returns
    (without tags, status and registration facts), defaults filled in."""

    arn: str
    family: str
    revision: int
    document: dict[str, object]
    containers: tuple[ContainerDefinition, ...]
    network_mode: Literal["bridge", "host", "awsvpc", "none"]
    registered_at: float
    registered_by: str
    status: TaskDefinitionStatus = "ACTIVE"
    deregistered_at: float | None = None
    delete_requested_at: float | None = None
    cpu: int | None = None
    memory: int | None = None
    placement_constraints: tuple[tuple[str, str], ...] = ()
    requires_attributes: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


class FamilyCounter(msgspec.Struct, frozen=True):
    """The last revision number given to a family: numbers are never reused."""

    family: str
    last_revision: int
