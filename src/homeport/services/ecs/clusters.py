"""Clusters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.cluster import Cluster
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CLUSTERS, CONTAINER_INSTANCES, SERVICES, TASKS
from homeport.wire.paging import paginate

from .account_settings import effective
from .capacity_strategy import parse_cluster_providers, strategy_view
from .errors import (
    ClusterContainsContainerInstancesException,
    ClusterContainsServicesException,
    ClusterContainsTasksException,
    InvalidParameterException,
)
from .resolve import DEFAULT_CLUSTER, active_cluster, cluster_arn, find_cluster
from .tags import parse_tags
from .tags import view as tags_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        CreateClusterRequestTypeDef,
        DeleteClusterRequestTypeDef,
        DescribeClustersRequestTypeDef,
        ListClustersRequestTypeDef,
        UpdateClusterRequestTypeDef,
        UpdateClusterSettingsRequestTypeDef,
    )

MAX_PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
SETTINGS = {"containerInsights": ("enabled", "disabled", "enhanced")}


def create_cluster(call: Call, request: CreateClusterRequestTypeDef) -> Response:
    """Creates a cluster; one that is ACTIVE already is the answer as it is."""
    name = request.get("clusterName") or DEFAULT_CLUSTER
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            "Identifier was empty or too long or contained invalid characters: clusterName must "
            "be up to 255 letters, numbers, underscores and hyphens."
        )
    existing = call.tx.get(CLUSTERS, cluster_arn(call, name))
    if existing is not None and existing.status == "ACTIVE":
        return {"cluster": view(call, existing, ("SETTINGS", "TAGS"))}
    providers, strategy = parse_cluster_providers(
        call,
        request.get("capacityProviders") or (),
        request.get("defaultCapacityProviderStrategy") or (),
    )
    cluster = Cluster(
        arn=cluster_arn(call, name),
        name=name,
        created_at=call.now,
        settings=_settings(request.get("settings") or (), _default_settings(call)),
        configuration=_document(request.get("configuration")),
        service_connect_defaults=_document(request.get("serviceConnectDefaults")),
        capacity_providers=providers,
        default_capacity_provider_strategy=strategy,
        tags=parse_tags(request.get("tags") or ()),
    )
    call.tx.put(CLUSTERS, cluster)
    return {"cluster": view(call, cluster, ("SETTINGS", "TAGS", "CONFIGURATIONS"))}


def _default_settings(call: Call) -> tuple[tuple[str, str], ...]:
    return tuple((name, effective(call, call.principal.arn, name)) for name in SETTINGS)


def describe_clusters(call: Call, request: DescribeClustersRequestTypeDef) -> Response:
    """Clusters by name or ARN, ``default`` unless given; unknown ones are failures."""
    include = request.get("include") or ()
    clusters, failures = [], []
    for identifier in request.get("clusters") or (DEFAULT_CLUSTER,):
        arn = cluster_arn(call, identifier)
        cluster = call.tx.get(CLUSTERS, arn)
        if cluster is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            clusters.append(view(call, cluster, include))
    return {"clusters": clusters, "failures": failures}


def list_clusters(call: Call, request: ListClustersRequestTypeDef) -> Response:
    """ARNs of the ACTIVE clusters."""
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    arns = [c.arn for c in call.tx.all(CLUSTERS) if c.status == "ACTIVE"]
    page, token = paginate(arns, str, max_results, request.get("nextToken"))
    return {"clusterArns": page, "nextToken": token}


def delete_cluster(call: Call, request: DeleteClusterRequestTypeDef) -> Response:
    """Makes an empty cluster INACTIVE; it stays describable for a while."""
    cluster = find_cluster(call, request["cluster"])
    if any(s.status == "ACTIVE" for s in call.tx.find(SERVICES, "cluster", cluster.arn)):
        raise ClusterContainsServicesException
    instances = call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn)
    if any(i.status != "INACTIVE" for i in instances):
        raise ClusterContainsContainerInstancesException
    if any(t.last_status != "STOPPED" for t in call.tx.find(TASKS, "cluster", cluster.arn)):
        raise ClusterContainsTasksException
    if cluster.status != "INACTIVE":
        inactive = msgspec.structs.replace(cluster, status="INACTIVE", inactive_since=call.now)
        cluster = call.tx.put(CLUSTERS, inactive)
    return {"cluster": view(call, cluster, ("SETTINGS",))}


def update_cluster(call: Call, request: UpdateClusterRequestTypeDef) -> Response:
    """Changes settings, configuration or Service Connect defaults."""
    cluster = active_cluster(call, request["cluster"])
    configuration = _document(request.get("configuration"))
    defaults = _document(request.get("serviceConnectDefaults"))
    cluster = msgspec.structs.replace(
        cluster,
        settings=_settings(request.get("settings") or (), cluster.settings),
        configuration=configuration or cluster.configuration,
        service_connect_defaults=defaults or cluster.service_connect_defaults,
    )
    return {"cluster": view(call, call.tx.put(CLUSTERS, cluster), ("SETTINGS", "CONFIGURATIONS"))}


def update_cluster_settings(call: Call, request: UpdateClusterSettingsRequestTypeDef) -> Response:
    """Changes settings."""
    cluster = active_cluster(call, request["cluster"])
    settings = _settings(request["settings"], cluster.settings)
    cluster = call.tx.put(CLUSTERS, msgspec.structs.replace(cluster, settings=settings))
    return {"cluster": view(call, cluster, ("SETTINGS",))}


def view(call: Call, cluster: Cluster, include: Collection[str]) -> dict[str, object]:
    """A cluster as ECS describes it; counts are taken from the rows."""
    tasks = call.tx.find(TASKS, "cluster", cluster.arn)
    instances = call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn)
    services = call.tx.find(SERVICES, "cluster", cluster.arn)
    running = [t for t in tasks if t.last_status == "RUNNING"]
    pending = [t for t in tasks if t.last_status in ("PROVISIONING", "PENDING", "ACTIVATING")]
    active = [s for s in services if s.status == "ACTIVE"]
    document: dict[str, object] = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": sum(i.status != "INACTIVE" for i in instances),
        "runningTasksCount": len(running),
        "pendingTasksCount": len(pending),
        "activeServicesCount": len(active),
        "statistics": [],
        "tags": tags_view(cluster.tags) if "TAGS" in include else [],
        "settings": [],
        "capacityProviders": list(cluster.capacity_providers),
        "defaultCapacityProviderStrategy": strategy_view(
            cluster.default_capacity_provider_strategy
        ),
        "serviceConnectDefaults": cluster.service_connect_defaults,
    }
    if "SETTINGS" in include:
        document["settings"] = [{"name": n, "value": v} for n, v in cluster.settings]
    if "CONFIGURATIONS" in include:
        document["configuration"] = cluster.configuration
    if "STATISTICS" in include:
        draining = [s for s in services if s.status == "DRAINING"]
        document["statistics"] = [
            {"name": name, "value": str(value)}
            for of, records in (
                ("running{}TasksCount", running),
                ("pending{}TasksCount", pending),
                ("active{}ServiceCount", active),
                ("draining{}ServiceCount", draining),
            )
            for name, value in _by_launch_type(of, [record.launch_type for record in records])
        ]
    return document


def _by_launch_type(name: str, launch_types: Sequence[str]) -> list[tuple[str, int]]:
    on_fargate = sum(launch_type == "FARGATE" for launch_type in launch_types)
    return [
        (name.format("EC2"), len(launch_types) - on_fargate),
        (name.format("Fargate"), on_fargate),
    ]


def _settings(
    given: Sequence[Mapping[str, Any]], current: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    merged = dict(current)
    for setting in given:
        name, value = setting.get("name", ""), setting.get("value", "")
        allowed = SETTINGS.get(name)
        if allowed is None:
            raise InvalidParameterException(f"Setting name '{name[:64]}' is invalid: settings.")
        if value not in allowed:
            raise InvalidParameterException(
                f"Value '{value[:64]}' of setting {name} must be one of [{','.join(allowed)}]."
            )
        merged[name] = value
    return tuple(merged.items())


def _document(value: Mapping[str, Any] | None) -> dict[str, object] | None:
    return dict(value) if value else None


OPERATIONS: dict[str, Handler] = {
    "CreateCluster": create_cluster,
    "DescribeClusters": describe_clusters,
    "ListClusters": list_clusters,
    "DeleteCluster": delete_cluster,
    "UpdateCluster": update_cluster,
    "UpdateClusterSettings": update_cluster_settings,
}
