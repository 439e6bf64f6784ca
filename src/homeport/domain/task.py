"""Tasks: one-shot, never restarted; a replacement is a new task.

::

    PROVISIONING ──▶ PENDING ──▶ ACTIVATING ──▶ RUNNING
           └────────────┴─────────────┴────────────┴──▶ (forward only)
    ──▶ DEACTIVATING ──▶ STOPPING ──▶ DEPROVISIONING ──▶ STOPPED

PROVISIONING and DEPROVISIONING are for tasks with a network interface of their own.

``desired_status`` belongs to the control plane, ``last_status`` and the containers to what
the agent reports (DEACTIVATING and STOPPING mark how far a wanted stop has come).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import Tag
from .network_interface import InterfaceAttachment

TaskStatus = Literal[
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
]
DesiredStatus = Literal["RUNNING", "STOPPED"]
HealthStatus = Literal["HEALTHY", "UNHEALTHY", "UNKNOWN"]
ContainerStatus = Literal["PENDING", "RUNNING", "STOPPED"]

TASK_STATUS_ORDER: dict[str, int] = {
    "PROVISIONING": 0,
    "PENDING": 1,
    "ACTIVATING": 2,
    "RUNNING": 3,
    "DEACTIVATING": 4,
    "STOPPING": 5,
    "DEPROVISIONING": 6,
    "STOPPED": 7,
}


class NetworkBinding(msgspec.Struct, frozen=True):
    """A published port, as the agent observed it; or a range of them, the ports then being 0."""

    container_port: int
    host_port: int
    protocol: str = "tcp"
    bind_ip: str = "0.0.0.0"
    container_port_range: str | None = None
    host_port_range: str | None = None


class ManagedAgent(msgspec.Struct, frozen=True):
    """A program of ECS beside a container (``ExecuteCommandAgent``), as the agent reported it."""

    name: str
    last_status: ContainerStatus = "PENDING"
    last_started_at: float | None = None
    reason: str | None = None


class Container(msgspec.Struct, frozen=True):
    """A container of a task, as the agent reported it."""

    arn: str
    name: str
    image: str
    last_status: ContainerStatus = "PENDING"
    health_status: HealthStatus = "UNKNOWN"
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()
    # What was asked for it (units and MiB), overrides included; shown by DescribeTasks.
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    managed_agents: tuple[ManagedAgent, ...] = ()


class Task(msgspec.Struct, frozen=True):
    """One task. ``cpu``/``memory``/``host_ports`` are the resources it holds on its instance
    until it is STOPPED; ``starting_reported``… times are the agent's."""

    arn: str
    cluster_arn: str
    task_definition_arn: str
    group: str
    created_at: float
    containers: tuple[Container, ...]
    cpu: int = 0
    memory: int = 0
    tcp_ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()
    launch_type: str = "EC2"
    capacity_provider_name: str | None = None
    container_instance_arn: str | None = None  # of a FARGATE task too; users are not shown it
    availability_zone: str = ""
    interface: InterfaceAttachment | None = None  # awsvpc tasks
    desired_status: DesiredStatus = "RUNNING"
    last_status: TaskStatus = "PENDING"
    service_arn: str | None = None
    deployment_id: str | None = None
    started_by: str = ""
    overrides: dict[str, object] = {}
    version: int = 1
    stop_code: str | None = None
    stopped_reason: str | None = None
    health_status: HealthStatus = "UNKNOWN"
    connectivity_at: float | None = None
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopping_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    # Whether the load-balancer registrations of this task were made (controllers/targets).
    targets_registered: bool = False
    # Whether the service controller has counted the end of this task for its deployment.
    end_counted: bool = False
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    # Until then (epoch seconds) neither scaling in nor a deployment stops it.
    protected_until: float | None = None
    # FARGATE tasks: the platform version as it was resolved, the processor, the disk, and why it
    # will not start.
    platform_version: str = ""
    cpu_architecture: str = ""
    ephemeral_storage_gib: int | None = None
    start_failure: str = ""
    tags: tuple[Tag, ...] = ()

    def is_protected(self, now: float) -> bool:
        """Whether its protection is in force."""
        return self.protected_until is not None and now < self.protected_until

    def holds_resources(self) -> bool:
        """A task holds cpu, memory and ports from placement until it is STOPPED."""
        return self.last_status != "STOPPED"


def may_advance(current: TaskStatus, new: TaskStatus) -> bool:
    """Status only moves forward."""
    return TASK_STATUS_ORDER[new] > TASK_STATUS_ORDER[current]


class ClientToken(msgspec.Struct, frozen=True):
    """An idempotency token: ``key`` = operation|cluster|token, and what it first made."""

    key: str
    request_digest: str
    resource_arns: tuple[str, ...]
    created_at: float
