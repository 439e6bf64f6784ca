"""Services: what is wanted. The controllers do it.

::

    CreateService ──▶ ACTIVE ──DeleteService──▶ DRAINING ──(controller: last task gone)──▶ INACTIVE

A new deployment goes to the front of ``deployments`` as PRIMARY; the former PRIMARY becomes
ACTIVE and the controller takes it to no tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.service import CircuitBreaker, Deployment, Service
from homeport.domain.task_definition import TaskDefinition
from homeport.scheduling.events import delete_events
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SERVICES, TASK_DEFINITIONS
from homeport.wire.paging import paginate

from .capacity_strategy import changed_capacity, resolve_capacity, without_strategy
from .client_tokens import check_token, remember, repeats
from .errors import (
    ClientException,
    InvalidParameterException,
    ServiceNotActiveException,
    ServiceNotFoundException,
)
from .fargate_launch import platform_version, resolved
from .launch_checks import check_launch
from .network_configuration import parse_network
from .placement_request import parse_constraints, parse_strategy
from .resolve import active_cluster, find_cluster, runnable_task_definition
from .service_load_balancers import check_load_balancers, parse_load_balancers
from .service_settings import (
    Percents,
    default_percents,
    parse_circuit_breaker,
    parse_desired_count,
    parse_grace_period,
    parse_percents,
    parse_propagate_tags,
    parse_scheduling_strategy,
    refuse_not_run_yet,
)
from .service_views import service_view
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        CreateServiceRequestTypeDef,
        DeleteServiceRequestTypeDef,
        DescribeServicesRequestTypeDef,
        ListServicesRequestTypeDef,
        UpdateServiceRequestTypeDef,
    )

MAX_DESCRIBED = 10
MAX_PAGE = 100
DEFAULT_PAGE = 10
MAX_TOKEN = 36
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def create_service(call: Call, request: CreateServiceRequestTypeDef) -> Response:
    """A new service with its first deployment; the same token and request give the same one."""
    cluster = active_cluster(call, request.get("cluster"))
    name = _name(request["serviceName"])
    arn = _arn(call, cluster, name)
    existing = _existing(call, arn, request)
    if existing is not None:
        return {"service": service_view(call.tx, existing, include_tags=True)}
    delete_events(call.tx, arn)
    service = call.tx.put(SERVICES, _new_service(call, cluster, arn, request))
    token = check_token(request.get("clientToken") or "", MAX_TOKEN)
    if token:
        document = cast(Mapping[str, object], request)
        remember(call, "CreateService", cluster.arn, token, document, [arn])
    return {"service": service_view(call.tx, service, include_tags=True)}


def update_service(call: Call, request: UpdateServiceRequestTypeDef) -> Response:
    """Changes a service; a new deployment starts only for what its tasks are made of."""
    cluster = find_cluster(call, request.get("cluster"))
    service = _service(call, cluster, request["service"])
    if service.status != "ACTIVE":
        raise ServiceNotActiveException("Service was not ACTIVE.")
    changed = _changed(call, cluster, service, request)
    if request.get("forceNewDeployment") or _deploys(service, changed):
        changed = _redeployed(call, changed)
    call.tx.put(SERVICES, changed)
    return {"service": service_view(call.tx, changed, include_tags=True)}


def delete_service(call: Call, request: DeleteServiceRequestTypeDef) -> Response:
    """The service drains: the controller stops its tasks and then makes it INACTIVE."""
    cluster = find_cluster(call, request.get("cluster"))
    service = _service(call, cluster, request["service"])
    if service.status == "INACTIVE":
        raise ServiceNotFoundException("Service not found.")
    scaled = service.desired_count > 0 and service.scheduling_strategy == "REPLICA"
    if scaled and not request.get("force"):
        raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
    if service.status == "ACTIVE":
        service = msgspec.structs.replace(service, status="DRAINING", desired_count=0)
        call.tx.put(SERVICES, service)
    return {"service": service_view(call.tx, service, include_tags=True)}


def describe_services(call: Call, request: DescribeServicesRequestTypeDef) -> Response:
    """Up to 10 services, INACTIVE ones too while they are remembered."""
    identifiers = request["services"]
    if not identifiers:
        raise InvalidParameterException("Services cannot be empty.")
    if len(identifiers) > MAX_DESCRIBED:
        raise InvalidParameterException("Services cannot exceed 10 items.")
    cluster = find_cluster(call, request.get("cluster"))
    include_tags = "TAGS" in (request.get("include") or ())
    found, failures = [], []
    for identifier in identifiers:
        arn = _arn(call, cluster, last_segment(identifier))
        service = call.tx.get(SERVICES, arn)
        if service is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(service_view(call.tx, service, include_tags=include_tags))
    return {"services": found, "failures": failures}


def list_services(call: Call, request: ListServicesRequestTypeDef) -> Response:
    """ARNs of the ACTIVE services of a cluster."""
    cluster = find_cluster(call, request.get("cluster"))
    max_results = request.get("maxResults", DEFAULT_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    launch_type, strategy = request.get("launchType"), request.get("schedulingStrategy")
    arns = [
        service.arn
        for service in call.tx.find(SERVICES, "cluster", cluster.arn)
        if service.status == "ACTIVE"
        and launch_type in (None, service.launch_type)
        and strategy in (None, service.scheduling_strategy)
    ]
    page, token = paginate(arns, str, max_results, request.get("nextToken"))
    return {"serviceArns": page, "nextToken": token}


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            "Service name must be 1-255 letters, numbers, hyphens and underscores."
        )
    return name


def _arn(call: Call, cluster: Cluster, name: str) -> str:
    return call.arns.ecs(f"service/{cluster.name}/{name}")


def _service(call: Call, cluster: Cluster, identifier: str) -> Service:
    service = call.tx.get(SERVICES, _arn(call, cluster, last_segment(identifier)))
    if service is None:
        raise ServiceNotFoundException("Service not found.")
    return service


def _existing(call: Call, arn: str, request: CreateServiceRequestTypeDef) -> Service | None:
    """The service that this very request made before, or None when the name is free."""
    service = call.tx.get(SERVICES, arn)
    if service is None or service.status == "INACTIVE":
        return None
    if service.status == "DRAINING":
        raise InvalidParameterException("Unable to Start a service that is still Draining.")
    token, document = request.get("clientToken") or "", cast(Mapping[str, object], request)
    if repeats(call, "CreateService", service.cluster_arn, token, document):
        return service
    raise InvalidParameterException("Creation of service was not idempotent.")


def _new_service(
    call: Call, cluster: Cluster, arn: str, request: CreateServiceRequestTypeDef
) -> Service:
    if not request.get("taskDefinition"):
        raise InvalidParameterException("TaskDefinition can not be blank.")
    definition = runnable_task_definition(call, request["taskDefinition"])
    refuse_not_run_yet(request)
    strategy = parse_scheduling_strategy(request)
    desired_count = 0 if strategy == "DAEMON" else request.get("desiredCount")
    if desired_count is None:
        raise InvalidParameterException("DesiredCount is missing")
    percents = parse_percents(request, default_percents(strategy))
    load_balancers = parse_load_balancers(request.get("loadBalancers") or ())
    check_load_balancers(call.tx, load_balancers, definition)
    capacity = resolve_capacity(call, cluster, request)
    if strategy == "DAEMON":
        capacity = without_strategy(capacity, request)
    network = parse_network(call, request, definition, capacity.launch_type)
    check_launch(request, definition, {}, capacity.launch_type)
    grace = parse_grace_period(request.get("healthCheckGracePeriodSeconds"))
    service = Service(
        arn=arn,
        name=request["serviceName"],
        cluster_arn=cluster.arn,
        task_definition_arn=definition.arn,
        desired_count=parse_desired_count(desired_count),
        created_at=call.now,
        created_by=call.principal.arn,
        deployments=(),
        scheduling_strategy=strategy,
        launch_type=capacity.launch_type,
        capacity_provider_strategy=capacity.strategy,
        minimum_healthy_percent=percents.minimum_healthy,
        maximum_percent=percents.maximum,
        # Shown as 0 with load balancers and not at all without them.
        health_check_grace_period_seconds=0 if grace is None and load_balancers else grace,
        load_balancers=load_balancers,
        platform_version=platform_version(request, capacity.launch_type, definition),
        network=network,
        placement_constraints=parse_constraints(
            request.get("placementConstraints") or (), definition
        ),
        placement_strategy=parse_strategy(request.get("placementStrategy") or ()),
        role_arn=request.get("role") or _service_role(call),
        propagate_tags=parse_propagate_tags(request.get("propagateTags")),
        circuit_breaker=parse_circuit_breaker(request, CircuitBreaker()),
        enable_ecs_managed_tags=request.get("enableECSManagedTags", False),
        enable_execute_command=request.get("enableExecuteCommand", False),
        client_token=request.get("clientToken"),
        tags=parse_tags(request.get("tags") or ()),
    )
    return msgspec.structs.replace(service, deployments=(_new_deployment(call, service),))


def _service_role(call: Call) -> str:
    account = call.platform.account_id
    return f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"


def _new_deployment(call: Call, service: Service) -> Deployment:
    deployment_id = f"ecs-svc/{call.ids.digits19()}"
    return Deployment(
        id=deployment_id,
        task_definition_arn=service.task_definition_arn,
        created_at=call.now,
        updated_at=call.now,
        rollout_state_reason=f"ECS deployment {deployment_id} in progress.",
        load_balancers=service.load_balancers,
        launch_type=service.launch_type,
        platform_version=resolved(service.platform_version),
        network=service.network,
        capacity_provider_strategy=service.capacity_provider_strategy,
    )


def _changed(
    call: Call, cluster: Cluster, service: Service, request: UpdateServiceRequestTypeDef
) -> Service:
    """The service with the request's members applied; what is absent stays, ``[]`` empties."""
    refuse_not_run_yet(request)
    definition = _definition(call, service, request)
    percents = parse_percents(
        request, Percents(service.minimum_healthy_percent, service.maximum_percent)
    )
    capacity = changed_capacity(cluster, service, request)
    changes: dict[str, Any] = {
        "task_definition_arn": definition.arn,
        "launch_type": capacity.launch_type,
        "capacity_provider_strategy": capacity.strategy,
        "network": parse_network(call, request, definition, capacity.launch_type, service.network),
        "platform_version": platform_version(
            request, capacity.launch_type, definition, service.platform_version
        ),
        "minimum_healthy_percent": percents.minimum_healthy,
        "maximum_percent": percents.maximum,
        "propagate_tags": parse_propagate_tags(
            request.get("propagateTags"), service.propagate_tags
        ),
        "circuit_breaker": parse_circuit_breaker(request, service.circuit_breaker),
    }
    if "desiredCount" in request:
        if service.scheduling_strategy == "DAEMON":
            parse_scheduling_strategy({**request, "schedulingStrategy": "DAEMON"})
        changes["desired_count"] = parse_desired_count(request["desiredCount"])
    if "healthCheckGracePeriodSeconds" in request:
        grace = parse_grace_period(request["healthCheckGracePeriodSeconds"])
        changes["health_check_grace_period_seconds"] = grace
    if "enableECSManagedTags" in request:
        changes["enable_ecs_managed_tags"] = request["enableECSManagedTags"]
    if "enableExecuteCommand" in request:
        changes["enable_execute_command"] = request["enableExecuteCommand"]
    if "placementConstraints" in request:
        items = request["placementConstraints"]
        changes["placement_constraints"] = parse_constraints(items, definition)
    if "placementStrategy" in request:
        changes["placement_strategy"] = parse_strategy(request["placementStrategy"])
    if "loadBalancers" in request:
        changes["load_balancers"] = parse_load_balancers(request["loadBalancers"])
    changed = msgspec.structs.replace(service, **changes)
    if _deploys(service, changed) or request.get("forceNewDeployment"):
        check_load_balancers(call.tx, changed.load_balancers, definition)
    check_launch(request, definition, {}, changed.launch_type)
    return changed


def _definition(
    call: Call, service: Service, request: UpdateServiceRequestTypeDef
) -> TaskDefinition:
    """The wanted task definition; the present one may be INACTIVE by now and still counts."""
    if request.get("taskDefinition"):
        return runnable_task_definition(call, request["taskDefinition"])
    definition = call.tx.get(TASK_DEFINITIONS, service.task_definition_arn)
    if definition is None:
        raise ClientException("TaskDefinition not found.")
    return definition


def _deploys(before: Service, after: Service) -> bool:
    """Whether what tasks are made of changed ("UpdateService", ECS API reference). Counts,
    percentages, the grace period and placement do not start tasks anew."""
    return (
        before.task_definition_arn != after.task_definition_arn
        or before.load_balancers != after.load_balancers
        or before.network != after.network
        or before.capacity_provider_strategy != after.capacity_provider_strategy
        or before.platform_version != after.platform_version
        or before.propagate_tags != after.propagate_tags
        or before.enable_ecs_managed_tags != after.enable_ecs_managed_tags
    )


def _redeployed(call: Call, service: Service) -> Service:
    replaced = tuple(
        msgspec.structs.replace(d, status="ACTIVE", updated_at=call.now)
        if d.status == "PRIMARY"
        else d
        for d in service.deployments
    )
    new = _new_deployment(call, service)
    return msgspec.structs.replace(service, deployments=(new, *replaced))


OPERATIONS: dict[str, Handler] = {
    "CreateService": create_service,
    "UpdateService": update_service,
    "DeleteService": delete_service,
    "DescribeServices": describe_services,
    "ListServices": list_services,
}
