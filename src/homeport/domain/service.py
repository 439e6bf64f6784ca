"""Services, their deployments and their events."""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import StrategyItem, Tag
from .network_interface import NetworkConfiguration

ServiceStatus = Literal["ACTIVE", "DRAINING", "INACTIVE"]
DeploymentStatus = Literal["PRIMARY", "ACTIVE"]
RolloutState = Literal["IN_PROGRESS", "COMPLETED", "FAILED"]


class CircuitBreaker(msgspec.Struct, frozen=True):
    """The deployment circuit breaker of a service. ``value`` is a percentage of the desired
    count, or for COUNT a number of tasks."""

    enable: bool = False
    rollback: bool = False
    reset_on_healthy_task: bool = True
    threshold_type: Literal["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"] = "BOUNDED_PERCENT"
    value: int = 50


class ServiceLoadBalancer(msgspec.Struct, frozen=True):
    """One ``loadBalancers[]`` item of a service."""

    target_group_arn: str
    container_name: str
    container_port: int


class PlacementConstraint(msgspec.Struct, frozen=True):
    """``distinctInstance`` or ``memberOf`` with an expression."""

    type: str
    expression: str = ""


class PlacementStrategy(msgspec.Struct, frozen=True):
    """``spread``, ``binpack`` or ``random`` with its field."""

    type: str
    field: str = ""


class Deployment(msgspec.Struct, frozen=True):
    """One deployment of a service. ``id`` is ``ecs-svc/<19 digits>`` and is also the
    ``started_by`` of its tasks. Counts of running and pending tasks are derived from tasks.

    ``failed_tasks`` counts for the circuit breaker: tasks that failed to start, ended at once or
    were stopped by a health check, since one became healthy. ``consecutive_failures`` and
    ``next_launch_at`` hold back the launches of a deployment whose tasks never reach RUNNING, or
    end by themselves soon after.
    """

    id: str
    task_definition_arn: str
    created_at: float
    updated_at: float
    status: DeploymentStatus = "PRIMARY"
    rollout_state: RolloutState = "IN_PROGRESS"
    rollout_state_reason: str = ""
    failed_tasks: int = 0
    consecutive_failures: int = 0
    next_launch_at: float = 0.0
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    launch_type: str = "EC2"
    capacity_provider_strategy: tuple[StrategyItem, ...] = ()
    platform_version: str = ""  # FARGATE: as it was resolved when the deployment was made
    # StopServiceDeployment asked for it: the service controller does it while IN_PROGRESS.
    stop_type: Literal["", "ABORT", "ROLLBACK"] = ""
    network: NetworkConfiguration | None = None


class Service(msgspec.Struct, frozen=True):
    """One service. ``deployments[0]`` is PRIMARY; the others are ACTIVE, newest first.

    ``document`` keeps members that are stored and returned but not acted on yet.
    """

    arn: str
    name: str
    cluster_arn: str
    task_definition_arn: str
    desired_count: int
    created_at: float
    created_by: str
    deployments: tuple[Deployment, ...]
    status: ServiceStatus = "ACTIVE"
    scheduling_strategy: str = "REPLICA"
    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    health_check_grace_period_seconds: int | None = None
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    placement_strategy: tuple[PlacementStrategy, ...] = ()
    launch_type: str = "EC2"
    network: NetworkConfiguration | None = None  # of awsvpc tasks
    capacity_provider_strategy: tuple[StrategyItem, ...] = ()
    platform_version: str = ""  # FARGATE: as it was given
    role_arn: str = ""
    propagate_tags: str = "NONE"
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    client_token: str | None = None
    document: dict[str, object] = {}
    steady: bool = False
    last_event_sequence: int = 0
    inactive_since: float | None = None
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    last_completed: Deployment | None = None  # what a failed deployment is rolled back to
    last_failed: Deployment | None = None  # it may be gone from ``deployments`` at once
    tags: tuple[Tag, ...] = ()


class ServiceEvent(msgspec.Struct, frozen=True):
    """One line of ``events[]``; the newest 100 of a service are kept."""

    service_arn: str
    sequence: int
    id: str
    created_at: float
    message: str
    # The ECS Service Action event that it is too, if it is one.
    action_type: str = ""
    action_name: str = ""
    reason: str = ""
