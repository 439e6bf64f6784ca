"""Capacity providers, and which of them a cluster has.

A provider over an Auto Scaling group is a name here: what is said of scaling is checked, kept and
shown, and no machine is started for it. See ``domain.capacity_provider`` for its instances.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.capacity_provider import (
    FARGATE_PROVIDERS,
    CapacityProvider,
    ManagedScaling,
)
from homeport.domain.cluster import Cluster
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CAPACITY_PROVIDERS, CLUSTERS, SERVICES, TASKS
from homeport.wire.paging import paginate

from .capacity_strategy import parse_cluster_providers
from .clusters import view as cluster_view
from .errors import ClientException, InvalidParameterException, ResourceInUseException
from .not_run_yet import refusal
from .resolve import active_cluster
from .tags import parse_tags
from .tags import view as tags_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        CreateCapacityProviderRequestTypeDef,
        DeleteCapacityProviderRequestTypeDef,
        DescribeCapacityProvidersRequestTypeDef,
        PutClusterCapacityProvidersRequestTypeDef,
        UpdateCapacityProviderRequestTypeDef,
    )

MAX_PAGE = 10
_NAME = re.compile(r"(?!aws|ecs|fargate)[A-Za-z0-9_-]{1,255}", re.IGNORECASE)

Document = Mapping[str, Any]


def create_capacity_provider(call: Call, request: CreateCapacityProviderRequestTypeDef) -> Response:
    """A new provider over an Auto Scaling group, which is not looked up."""
    name = request["name"]
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            "The specified capacity provider name is invalid. Up to 255 characters are allowed, "
            "including letters (upper and lowercase), numbers, underscores, and hyphens. The name "
            'cannot be prefixed with "aws", "ecs", or "fargate". Specify a valid name and try '
            "again."
        )
    if request.get("managedInstancesProvider"):
        raise ClientException(refusal("managedInstancesProvider"))
    given = request.get("autoScalingGroupProvider")
    if not given:
        raise ClientException(
            "The Auto Scaling group provider details are required when creating a capacity "
            "provider: autoScalingGroupProvider."
        )
    if not given["autoScalingGroupArn"]:
        raise InvalidParameterException(
            "autoScalingGroupProvider.autoScalingGroupArn can not be blank."
        )
    arn = _arn(call, name)
    if call.tx.get(CAPACITY_PROVIDERS, arn) is not None:
        raise ClientException(
            "The specified capacity provider already exists. To change the configuration of an "
            "existing capacity provider, update the capacity provider."
        )
    provider = CapacityProvider(
        arn=arn,
        name=name,
        created_at=call.now,
        auto_scaling_group_arn=given["autoScalingGroupArn"],
        tags=parse_tags(request.get("tags") or ()),
    )
    provider = call.tx.put(CAPACITY_PROVIDERS, _configured(provider, given))
    return {"capacityProvider": _view(provider, include_tags=True)}


def describe_capacity_providers(
    call: Call, request: DescribeCapacityProvidersRequestTypeDef
) -> Response:
    """Those asked for by name or ARN, or all, the built-in ones among them."""
    include_tags = "TAGS" in (request.get("include") or ())
    if request.get("cluster"):
        raise ClientException(refusal("cluster: only managed instances belong to a cluster"))
    views = {view["name"]: view for view in _all(call, include_tags)}
    names = [last_segment(name) for name in request.get("capacityProviders") or ()]
    found = [views[name] for name in names if name in views] if names else list(views.values())
    failures = [{"arn": _arn(call, n), "reason": "MISSING"} for n in names if n not in views]
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException(f"maxResults must be between 1 and {MAX_PAGE}.")
    page, token = paginate(
        found, lambda view: str(view["name"]), max_results, request.get("nextToken")
    )
    return {"capacityProviders": page, "failures": failures, "nextToken": token}


def update_capacity_provider(call: Call, request: UpdateCapacityProviderRequestTypeDef) -> Response:
    """Changes what is given of the Auto Scaling group's settings."""
    provider = _find(call, request["name"])
    if request.get("managedInstancesProvider"):
        raise ClientException(refusal("managedInstancesProvider"))
    given = request.get("autoScalingGroupProvider") or {}
    provider = msgspec.structs.replace(
        _configured(provider, given), update_status="UPDATE_COMPLETE"
    )
    call.tx.put(CAPACITY_PROVIDERS, provider)
    return {"capacityProvider": _view(provider, include_tags=True)}


def delete_capacity_provider(call: Call, request: DeleteCapacityProviderRequestTypeDef) -> Response:
    """Forgets a provider that no cluster has."""
    provider = _find(call, request["capacityProvider"])
    for cluster in call.tx.all(CLUSTERS):
        if cluster.status == "ACTIVE" and provider.name in cluster.capacity_providers:
            raise ClientException(
                "The specified capacity provider is in use and cannot be removed. Remove it from "
                f"the cluster {cluster.name} first."
            )
    call.tx.delete(CAPACITY_PROVIDERS, provider.arn)
    deleted = msgspec.structs.replace(provider, update_status="DELETE_COMPLETE")
    return {"capacityProvider": {**_view(deleted, include_tags=False), "status": "INACTIVE"}}


def put_cluster_capacity_providers(
    call: Call, request: PutClusterCapacityProvidersRequestTypeDef
) -> Response:
    """Replaces both lists of a cluster; a provider whose tasks are there cannot be taken away."""
    cluster = active_cluster(call, request["cluster"])
    providers, strategy = parse_cluster_providers(
        call, request["capacityProviders"], request["defaultCapacityProviderStrategy"]
    )
    used = set(_in_use(call, cluster))
    if used & (set(cluster.capacity_providers) - set(providers)):
        raise ResourceInUseException(
            "The specified capacity provider is in use and cannot be removed."
        )
    cluster = msgspec.structs.replace(
        cluster,
        capacity_providers=providers,
        default_capacity_provider_strategy=strategy,
    )
    call.tx.put(CLUSTERS, cluster)
    return {"cluster": cluster_view(call, cluster, ("SETTINGS", "TAGS"))}


def _in_use(call: Call, cluster: Cluster) -> Iterator[str]:
    for service in call.tx.find(SERVICES, "cluster", cluster.arn):
        if service.status != "INACTIVE":
            yield from (item.capacity_provider for item in service.capacity_provider_strategy)
    for task in call.tx.find(TASKS, "cluster", cluster.arn):
        if task.last_status != "STOPPED" and task.capacity_provider_name:
            yield task.capacity_provider_name


def _configured(provider: CapacityProvider, given: Document) -> CapacityProvider:
    """The provider with the members of an ``autoScalingGroupProvider`` applied and checked."""
    scaling = _scaling(provider.managed_scaling, given.get("managedScaling") or {})
    protection = _switch(
        given, "managedTerminationProtection", provider.managed_termination_protection
    )
    if protection == "ENABLED" and scaling.status != "ENABLED":
        raise InvalidParameterException(
            "The managed termination protection setting for the capacity provider is invalid. To "
            "enable managed termination protection for a capacity provider, managed scaling must "
            "be enabled."
        )
    return msgspec.structs.replace(
        provider,
        managed_scaling=scaling,
        managed_termination_protection=protection,
        managed_draining=_switch(given, "managedDraining", provider.managed_draining),
    )


def _scaling(current: ManagedScaling, given: Document) -> ManagedScaling:
    scaling = ManagedScaling(
        status=_switch(given, "status", current.status),
        target_capacity=given.get("targetCapacity", current.target_capacity),
        minimum_scaling_step_size=given.get(
            "minimumScalingStepSize", current.minimum_scaling_step_size
        ),
        maximum_scaling_step_size=given.get(
            "maximumScalingStepSize", current.maximum_scaling_step_size
        ),
        instance_warmup_period=given.get("instanceWarmupPeriod", current.instance_warmup_period),
    )
    if scaling.minimum_scaling_step_size > scaling.maximum_scaling_step_size:
        raise InvalidParameterException(
            "minimumScalingStepSize must not be greater than maximumScalingStepSize."
        )
    return scaling


def _switch(given: Document, name: str, current: str) -> str:
    value: str = given.get(name) or current
    if value not in ("ENABLED", "DISABLED"):
        raise InvalidParameterException(f"{name} must be one of [ENABLED, DISABLED]")
    return value


def _arn(call: Call, name: str) -> str:
    return call.arns.ecs(f"capacity-provider/{name}")


def _find(call: Call, identifier: str) -> CapacityProvider:
    name = last_segment(identifier)
    if name in FARGATE_PROVIDERS:
        raise ClientException(
            f"The capacity provider {name} is reserved and can't be changed or deleted."
        )
    provider = call.tx.get(CAPACITY_PROVIDERS, _arn(call, name))
    if provider is None:
        raise ClientException(
            "The specified capacity provider does not exist. Specify a valid name or ARN and try "
            "again."
        )
    return provider


def _all(call: Call, include_tags: bool) -> Iterator[dict[str, Any]]:
    for name in FARGATE_PROVIDERS:
        yield {
            "capacityProviderArn": _arn(call, name),
            "name": name,
            "status": "ACTIVE",
            "type": name,
            "tags": [],
        }
    for provider in sorted(call.tx.all(CAPACITY_PROVIDERS), key=lambda p: p.name):
        yield _view(provider, include_tags=include_tags)


def _view(provider: CapacityProvider, *, include_tags: bool) -> dict[str, Any]:
    scaling = provider.managed_scaling
    return {
        "capacityProviderArn": provider.arn,
        "name": provider.name,
        "status": "ACTIVE",
        "type": "EC2_AUTOSCALING",
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": provider.auto_scaling_group_arn,
            "managedScaling": {
                "status": scaling.status,
                "targetCapacity": scaling.target_capacity,
                "minimumScalingStepSize": scaling.minimum_scaling_step_size,
                "maximumScalingStepSize": scaling.maximum_scaling_step_size,
                "instanceWarmupPeriod": scaling.instance_warmup_period,
            },
            "managedTerminationProtection": provider.managed_termination_protection,
            "managedDraining": provider.managed_draining,
        },
        "updateStatus": provider.update_status,
        "tags": tags_view(provider.tags) if include_tags else [],
    }


OPERATIONS: dict[str, Handler] = {
    "CreateCapacityProvider": create_capacity_provider,
    "DescribeCapacityProviders": describe_capacity_providers,
    "UpdateCapacityProvider": update_capacity_provider,
    "DeleteCapacityProvider": delete_capacity_provider,
    "PutClusterCapacityProviders": put_cluster_capacity_providers,
}
