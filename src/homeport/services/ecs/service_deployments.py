"""Service deployments and service revisions: the history of a service, and how to stop what of it
is still going on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from homeport.decide.circuit_breaker import threshold
from homeport.domain.arn import last_segment
from homeport.domain.service_deployment import OVER, ServiceDeployment, ServiceRevision
from homeport.domain.task import Task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS, SERVICES, TASKS
from homeport.wire.paging import paginate

from .capacity_strategy import strategy_view
from .errors import (
    ConflictException,
    InvalidParameterException,
    ServiceDeploymentNotFoundException,
    ServiceNotFoundException,
)
from .fargate_launch import platform_members
from .network_configuration import network_view
from .resolve import find_cluster
from .service_views import circuit_breaker_view, load_balancer_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DescribeServiceDeploymentsRequestTypeDef,
        DescribeServiceRevisionsRequestTypeDef,
        ListServiceDeploymentsRequestTypeDef,
        StopServiceDeploymentRequestTypeDef,
    )

MAX_DESCRIBED = 20
MAX_PAGE = 100
STOP_REASONS = {
    "ABORT": "Service deployment stopped because StopServiceDeployment was called.",
    "ROLLBACK": "Service deployment rolled back because StopServiceDeployment was called.",
}


def describe_service_deployments(
    call: Call, request: DescribeServiceDeploymentsRequestTypeDef
) -> Response:
    """Up to 20 deployments by ARN."""
    arns = request["serviceDeploymentArns"]
    _check_count(arns, "serviceDeploymentArns")
    found = [call.tx.get(SERVICE_DEPLOYMENTS, arn) for arn in arns]
    return {
        "serviceDeployments": [_deployment(call, d) for d in found if d is not None],
        "failures": _missing(arns, found),
    }


def list_service_deployments(call: Call, request: ListServiceDeploymentsRequestTypeDef) -> Response:
    """The deployments of a service, the newest first; by status and time of creation."""
    cluster = find_cluster(call, request.get("cluster"))
    name = last_segment(request["service"])
    service = call.tx.get(SERVICES, call.arns.ecs(f"service/{cluster.name}/{name}"))
    if service is None:
        raise ServiceNotFoundException
    statuses = request.get("status") or ()
    created: Mapping[str, Any] = request.get("createdAt") or {}
    after, before = _epoch(created.get("after")), _epoch(created.get("before"))
    chosen = [
        d
        for d in call.tx.find(SERVICE_DEPLOYMENTS, "service", service.arn)
        if (not statuses or d.status in statuses)
        and (after is None or d.created_at > after)
        and (before is None or d.created_at < before)
    ]
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException(f"maxResults must be between 1 and {MAX_PAGE}.")
    page, token = paginate(chosen, _newest_first, max_results, request.get("nextToken"))
    return {"serviceDeployments": [_brief(d) for d in page], "nextToken": token}


def describe_service_revisions(
    call: Call, request: DescribeServiceRevisionsRequestTypeDef
) -> Response:
    """Up to 20 revisions by ARN."""
    arns = request["serviceRevisionArns"]
    _check_count(arns, "serviceRevisionArns")
    found = [call.tx.get(SERVICE_REVISIONS, arn) for arn in arns]
    return {
        "serviceRevisions": [_revision(r) for r in found if r is not None],
        "failures": _missing(arns, found),
    }


def stop_service_deployment(call: Call, request: StopServiceDeploymentRequestTypeDef) -> Response:
    """Asks for the end of a deployment that is going on; the service controller does it.

    What was requested before, or is being rolled back, goes on as it is ("Stopping Amazon ECS
    service deployments", developer guide).
    """
    stop_type = request.get("stopType") or "ROLLBACK"
    if stop_type not in ("ABORT", "ROLLBACK"):
        raise InvalidParameterException("stopType must be one of [ABORT, ROLLBACK]")
    record = call.tx.get(SERVICE_DEPLOYMENTS, request["serviceDeploymentArn"])
    if record is None:
        raise ServiceDeploymentNotFoundException
    if record.status in OVER:
        raise ConflictException(
            f"The service deployment is {record.status} and can't be stopped any more."
        )
    if record.status in ("PENDING", "IN_PROGRESS"):
        _request_stop(call, record, stop_type)
    return {"serviceDeploymentArn": record.arn}


def _request_stop(
    call: Call, record: ServiceDeployment, stop_type: Literal["ABORT", "ROLLBACK"]
) -> None:
    service = call.tx.get(SERVICES, record.service_arn)
    primary = service.deployments[0] if service is not None else None
    if (
        service is None
        or primary is None
        or (primary.id, primary.rollout_state) != (record.deployment_id, "IN_PROGRESS")
    ):
        raise ConflictException("The service deployment is not in progress any more.")
    primary = msgspec.structs.replace(primary, stop_type=stop_type, updated_at=call.now)
    deployments = (primary, *service.deployments[1:])
    call.tx.put(SERVICES, msgspec.structs.replace(service, deployments=deployments))
    requested = msgspec.structs.replace(
        record,
        status="ROLLBACK_REQUESTED" if stop_type == "ROLLBACK" else "STOP_REQUESTED",
        status_reason=STOP_REASONS[stop_type],
        updated_at=call.now,
    )
    call.tx.put(SERVICE_DEPLOYMENTS, requested)


def _check_count(arns: Any, field: str) -> None:
    if not 1 <= len(arns) <= MAX_DESCRIBED:
        raise InvalidParameterException(f"{field} must have between 1 and {MAX_DESCRIBED} items.")


def _missing(arns: Any, found: list[Any]) -> list[dict[str, str]]:
    pairs = zip(arns, found, strict=True)
    return [{"arn": arn, "reason": "MISSING"} for arn, record in pairs if record is None]


def _epoch(value: datetime | None) -> float | None:
    return value.timestamp() if value is not None else None


def _newest_first(deployment: ServiceDeployment) -> str:
    return f"{10**15 - int(deployment.created_at * 1000):020d}|{deployment.arn}"


def _brief(deployment: ServiceDeployment) -> dict[str, object]:
    return {
        "serviceDeploymentArn": deployment.arn,
        "serviceArn": deployment.service_arn,
        "clusterArn": deployment.cluster_arn,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "finishedAt": deployment.finished_at,
        "targetServiceRevisionArn": deployment.target_revision_arn,
        "status": deployment.status,
        "statusReason": deployment.status_reason or None,
    }


def _deployment(call: Call, deployment: ServiceDeployment) -> dict[str, object]:
    service = call.tx.get(SERVICES, deployment.service_arn)
    tasks = call.tx.find(TASKS, "service", deployment.service_arn)
    desired = service.desired_count if service else 0
    brief = _brief(deployment)
    del brief["targetServiceRevisionArn"]
    return {
        **brief,
        "stoppedAt": deployment.stopped_at,
        "updatedAt": deployment.updated_at,
        "sourceServiceRevisions": [{"arn": arn} for arn in deployment.source_revision_arns],
        "targetServiceRevision": {
            "arn": deployment.target_revision_arn,
            "requestedTaskCount": desired,
            **_counts([t for t in tasks if t.deployment_id == deployment.deployment_id]),
        },
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": circuit_breaker_view(deployment.circuit_breaker),
            "minimumHealthyPercent": deployment.minimum_healthy_percent,
            "maximumPercent": deployment.maximum_percent,
            "strategy": "ROLLING",
        },
        "rollback": _rollback(deployment),
        "deploymentCircuitBreaker": {
            "status": _breaker_status(deployment),
            "failureCount": deployment.failed_tasks,
            "threshold": threshold(deployment.circuit_breaker, desired),
        },
    }


def _counts(tasks: list[Task]) -> dict[str, int]:
    statuses = [task.last_status for task in tasks]
    pending = sum(status in ("PROVISIONING", "PENDING", "ACTIVATING") for status in statuses)
    return {"runningTaskCount": statuses.count("RUNNING"), "pendingTaskCount": pending}


def _rollback(deployment: ServiceDeployment) -> dict[str, object] | None:
    if deployment.rollback_started_at is None:
        return None
    return {
        "reason": deployment.status_reason,
        "startedAt": deployment.rollback_started_at,
        "serviceRevisionArn": deployment.rollback_revision_arn,
    }


def _breaker_status(deployment: ServiceDeployment) -> str:
    if not deployment.circuit_breaker.enable:
        return "DISABLED"
    if deployment.circuit_breaker_triggered:
        return "TRIGGERED"
    return "MONITORING" if deployment.status == "IN_PROGRESS" else "MONITORING_COMPLETE"


def _revision(revision: ServiceRevision) -> dict[str, object]:
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": revision.service_arn,
        "clusterArn": revision.cluster_arn,
        "taskDefinition": revision.task_definition_arn,
        "launchType": None if revision.capacity_provider_strategy else revision.launch_type,
        "capacityProviderStrategy": strategy_view(revision.capacity_provider_strategy) or None,
        **platform_members(revision.launch_type, revision.platform_version),
        "loadBalancers": [load_balancer_view(item) for item in revision.load_balancers],
        "networkConfiguration": network_view(revision.network),
        "containerImages": [
            {"containerName": name, "image": image} for name, image in revision.container_images
        ],
        "guardDutyEnabled": False,
        "createdAt": revision.created_at,
    }


OPERATIONS: dict[str, Handler] = {
    "DescribeServiceDeployments": describe_service_deployments,
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
    "StopServiceDeployment": stop_service_deployment,
}
