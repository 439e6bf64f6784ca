"""The history of a service: its deployments, and the revision that each was for."""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import StrategyItem
from .network_interface import NetworkConfiguration
from .service import CircuitBreaker, ServiceLoadBalancer

ServiceDeploymentStatus = Literal[
    "PENDING",
    "SUCCESSFUL",
    "STOPPED",
    "STOP_REQUESTED",
    "IN_PROGRESS",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]
OVER = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})


class ServiceRevision(msgspec.Struct, frozen=True):
    """What a deployment's tasks are made of: never changed once it is there."""

    arn: str
    service_arn: str
    cluster_arn: str
    task_definition_arn: str
    created_at: float
    launch_type: str = "EC2"
    capacity_provider_strategy: tuple[StrategyItem, ...] = ()
    platform_version: str = ""
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    network: NetworkConfiguration | None = None
    container_images: tuple[tuple[str, str], ...] = ()  # (container name, image)


class ServiceDeployment(msgspec.Struct, frozen=True):
    """One attempt to bring a service to a revision. ``deployment_id`` is ``ecs-svc/…``.

    ::

        IN_PROGRESS ─┬─▶ SUCCESSFUL
                     ├─▶ STOP_REQUESTED ─▶ STOPPED
                     └─▶ ROLLBACK_REQUESTED ─▶ ROLLBACK_IN_PROGRESS ─┬─▶ ROLLBACK_SUCCESSFUL
                                  │                                  └─▶ ROLLBACK_FAILED
                                  └─────────(nothing to go back to)─────────────▲
    """

    arn: str
    deployment_id: str
    service_arn: str
    cluster_arn: str
    created_at: float
    target_revision_arn: str
    source_revision_arns: tuple[str, ...] = ()
    status: ServiceDeploymentStatus = "IN_PROGRESS"
    status_reason: str = ""
    updated_at: float = 0.0
    finished_at: float | None = None
    stopped_at: float | None = None
    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    failed_tasks: int = 0
    circuit_breaker_triggered: bool = False
    rollback_started_at: float | None = None
    rollback_revision_arn: str = ""
