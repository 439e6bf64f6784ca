"""Service record → the API's structure. Counts are derived from tasks, never stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from homeport.domain.service import (
    CircuitBreaker,
    Deployment,
    PlacementConstraint,
    PlacementStrategy,
    Service,
    ServiceEvent,
    ServiceLoadBalancer,
)
from homeport.domain.task import Task
from homeport.scheduling.events import newest_events
from homeport.store import Transaction
from homeport.store.schema import TASKS

from .capacity_strategy import strategy_view
from .container_instance_views import is_pending
from .fargate_launch import platform_members
from .network_configuration import network_view
from .tags import view as tags_view

View = dict[str, object]


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Tasks of a service by deployment id."""

    running: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)


def count_tasks(tasks: Iterable[Task]) -> TaskCounts:
    """Running and pending as ECS counts them; wanted: desired status RUNNING."""
    counts = TaskCounts()
    for task in tasks:
        deployment = task.deployment_id or ""
        counts.running[deployment] += task.last_status == "RUNNING"
        counts.pending[deployment] += is_pending(task)
        counts.wanted[deployment] += task.desired_status == "RUNNING"
    return counts


def service_view(tx: Transaction, service: Service, *, include_tags: bool) -> View:
    """``Service`` as DescribeServices shows it, deployments newest first, events newest first."""
    counts = count_tasks(tx.find(TASKS, "service", service.arn))
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "loadBalancers": [load_balancer_view(item) for item in service.load_balancers],
        "serviceRegistries": [],
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": counts.running.total(),
        "pendingCount": counts.pending.total(),
        "launchType": None if service.capacity_provider_strategy else service.launch_type,
        "capacityProviderStrategy": strategy_view(service.capacity_provider_strategy) or None,
        **platform_members(service.launch_type, service.platform_version),
        "taskDefinition": service.task_definition_arn,
        "deploymentConfiguration": _deployment_configuration(service),
        "deployments": [_deployment(service, d, counts) for d in service.deployments],
        "roleArn": service.role_arn or None,
        "events": [_event(event) for event in newest_events(tx, service.arn)],
        "createdAt": service.created_at,
        "networkConfiguration": network_view(service.network),
        "placementConstraints": [_constraint(c) for c in service.placement_constraints],
        "placementStrategy": [_strategy(s) for s in service.placement_strategy],
        "healthCheckGracePeriodSeconds": service.health_check_grace_period_seconds,
        "schedulingStrategy": service.scheduling_strategy,
        "deploymentController": {"type": "ECS"},
        "createdBy": service.created_by,
        "enableECSManagedTags": service.enable_ecs_managed_tags,
        "propagateTags": service.propagate_tags,
        "enableExecuteCommand": service.enable_execute_command,
        # Homeport does not rebalance yet, so it does not say that it would.
        "availabilityZoneRebalancing": "DISABLED",
        "tags": tags_view(service.tags) if include_tags else None,
    }


def _deployment(service: Service, deployment: Deployment, counts: TaskCounts) -> View:
    # An ACTIVE deployment is on its way to nothing: it wants what has not been stopped yet.
    primary = deployment.status == "PRIMARY"
    return {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.task_definition_arn,
        "desiredCount": service.desired_count if primary else counts.wanted[deployment.id],
        "pendingCount": counts.pending[deployment.id],
        "runningCount": counts.running[deployment.id],
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        **platform_members(deployment.launch_type, deployment.platform_version),
        "networkConfiguration": network_view(deployment.network),
        "launchType": None if deployment.capacity_provider_strategy else deployment.launch_type,
        "capacityProviderStrategy": strategy_view(deployment.capacity_provider_strategy) or None,
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.rollout_state_reason,
    }


def _deployment_configuration(service: Service) -> View:
    return {
        "deploymentCircuitBreaker": circuit_breaker_view(service.circuit_breaker),
        "maximumPercent": service.maximum_percent,
        "minimumHealthyPercent": service.minimum_healthy_percent,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def circuit_breaker_view(breaker: CircuitBreaker) -> View:
    """``deploymentCircuitBreaker`` of a deployment configuration."""
    return {
        "enable": breaker.enable,
        "rollback": breaker.rollback,
        "resetOnHealthyTask": breaker.reset_on_healthy_task,
        "thresholdConfiguration": {"type": breaker.threshold_type, "value": breaker.value},
    }


def load_balancer_view(item: ServiceLoadBalancer) -> View:
    """One of ``loadBalancers``."""
    return {
        "targetGroupArn": item.target_group_arn,
        "containerName": item.container_name,
        "containerPort": item.container_port,
    }


def _constraint(constraint: PlacementConstraint) -> View:
    return {"type": constraint.type, "expression": constraint.expression or None}


def _strategy(strategy: PlacementStrategy) -> View:
    return {"type": strategy.type, "field": strategy.field or None}


def _event(event: ServiceEvent) -> View:
    return {"id": event.id, "createdAt": event.created_at, "message": event.message}
