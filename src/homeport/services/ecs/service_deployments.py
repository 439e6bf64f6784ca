"""Service deployments and service revisions: reading the history of a service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from homeport.decide.circuit_breaker import threshold
from homeport.domain.arn import last_segment
from homeport.domain.service_deployment import ServiceDeployment, ServiceRevision
from homeport.domain.task import Task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS, SERVICES, TASKS
from homeport.wire.paging import paginate

from .errors import InvalidParameterException, ServiceNotFoundException
from .resolve import find_cluster
from .service_views import circuit_breaker_view, load_balancer_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DescribeServiceDeploymentsRequestTypeDef,
        DescribeServiceRevisionsRequestTypeDef,
        ListServiceDeploymentsRequestTypeDef,
    )

MAX_DESCRIBED = 20
MAX_PAGE = 100


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
    if deployment.rollback_started_at is not None or deployment.status == "STOPPED":
        return "TRIGGERED"
    return "MONITORING" if deployment.status == "IN_PROGRESS" else "MONITORING_COMPLETE"


def _revision(revision: ServiceRevision) -> dict[str, object]:
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": revision.service_arn,
        "clusterArn": revision.cluster_arn,
        "taskDefinition": revision.task_definition_arn,
        "launchType": revision.launch_type,
        "loadBalancers": [load_balancer_view(item) for item in revision.load_balancers],
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
}
