"""ECS: which member of a request names the resource. The cluster is ``default`` if none is given.

Where an ARN is given, both it and the ARN that the operation makes of its last part have to be
allowed: they differ only if the request contradicts itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeport.domain.arn import last_segment
from homeport.services.ecs.resolve import cluster_arn, find_task_definition

from .passed_roles import of_definition, of_tasks
from .rule import Asked, Resources, Rule, arns_in, members


def _cluster(asked: Asked) -> str:
    return cluster_arn(asked.call, asked.document.get("cluster"))


def _clusters(asked: Asked) -> list[str]:
    return [_cluster(asked)]


def _described_clusters(asked: Asked) -> list[str]:
    return [cluster_arn(asked.call, each) for each in members(asked, "clusters") or [""]]


def _in_cluster(kind: str, *names: str) -> Resources:
    def resources(asked: Asked) -> Iterable[str]:
        cluster = last_segment(_cluster(asked))
        for given in members(asked, *names):
            yield asked.call.arns.ecs(f"{kind}/{cluster}/{last_segment(given)}")
            if given.startswith("arn:"):
                yield given

    return resources


def _instance_or_any(asked: Asked) -> list[str]:
    return list(_in_cluster("container-instance", "containerInstance")(asked)) or ["*"]


def _attributes_of(asked: Asked) -> Iterator[str]:
    cluster = last_segment(_cluster(asked))
    for attribute in asked.document.get("attributes") or ():
        target = last_segment(attribute.get("targetId") or "")
        yield asked.call.arns.ecs(f"container-instance/{cluster}/{target}")


def _polling_instance(asked: Asked) -> list[str]:
    return members(asked, "containerInstanceArn", "containerInstance") or ["*"]


def _definitions(asked: Asked) -> Iterator[str]:
    for given in members(asked, "taskDefinition", "taskDefinitions"):
        found = find_task_definition(asked.call, given)
        name = last_segment(given)
        yield found.arn if found else asked.call.arns.ecs(f"task-definition/{name}")


def _cluster_and_task(asked: Asked) -> list[str]:
    return [_cluster(asked), *_in_cluster("task", "task")(asked)]


def _capacity_providers(asked: Asked) -> Iterator[str]:
    for given in members(asked, "capacityProvider", "capacityProviders", "name") or ["*"]:
        arn = given.startswith("arn:")
        yield given if arn else asked.call.arns.ecs(f"capacity-provider/{given}")


def _service_keys(asked: Asked) -> Mapping[str, str | None]:
    execute = asked.document.get("enableExecuteCommand")
    definition = asked.document.get("taskDefinition")
    found = find_task_definition(asked.call, definition) if definition else None
    return {
        "ecs:cluster": _cluster(asked),
        "ecs:task-definition": found.arn if found else definition,
        "ecs:enable-execute-command": None if execute is None else str(execute).lower(),
    }


def _cluster_key(asked: Asked) -> Mapping[str, str | None]:
    return {"ecs:cluster": _cluster(asked)}


def _polled_cluster_key(asked: Asked) -> Mapping[str, str | None]:
    return {"ecs:cluster": asked.document.get("clusterArn") or _cluster(asked)}


def _container_key(asked: Asked) -> Mapping[str, str | None]:
    return {**_cluster_key(asked), "ecs:container-name": asked.document.get("container")}


_SERVICE = _in_cluster("service", "service", "serviceName")
_SERVICES = _in_cluster("service", "services")
_TASK = _in_cluster("task", "task")
_TASKS = _in_cluster("task", "tasks")
_INSTANCES = _in_cluster("container-instance", "containerInstance", "containerInstances")
_TAGGED = Rule(arns_in("resourceArn"))

RULES: Mapping[str, Rule] = {
    "CreateCluster": Rule(tagging="TagResource"),
    "UpdateCluster": Rule(_clusters),
    "UpdateClusterSettings": Rule(_clusters),
    "PutClusterCapacityProviders": Rule(_clusters),
    "DeleteCluster": Rule(_clusters),
    "DescribeClusters": Rule(_described_clusters),
    "ListClusters": Rule(),
    "CreateService": Rule(_SERVICE, keys=_service_keys, tagging="TagResource", also=of_tasks),
    "UpdateService": Rule(_SERVICE, keys=_service_keys, also=of_tasks),
    "DeleteService": Rule(_SERVICE, keys=_cluster_key),
    "DescribeServices": Rule(_SERVICES, keys=_cluster_key),
    "ListServices": Rule(keys=_cluster_key),
    "ListServicesByNamespace": Rule(),
    "ListServiceDeployments": Rule(_SERVICE, keys=_cluster_key),
    "DescribeServiceDeployments": Rule(arns_in("serviceDeploymentArns")),
    "DescribeServiceRevisions": Rule(arns_in("serviceRevisionArns")),
    "StopServiceDeployment": Rule(arns_in("serviceDeploymentArn")),
    "RegisterTaskDefinition": Rule(tagging="TagResource", also=of_definition),
    "DeregisterTaskDefinition": Rule(),
    "DescribeTaskDefinition": Rule(),
    "DeleteTaskDefinitions": Rule(_definitions),
    "ListTaskDefinitions": Rule(),
    "ListTaskDefinitionFamilies": Rule(),
    "RunTask": Rule(_definitions, keys=_cluster_key, tagging="TagResource", also=of_tasks),
    "StartTask": Rule(_definitions, keys=_cluster_key, tagging="TagResource", also=of_tasks),
    "StopTask": Rule(_TASK, keys=_cluster_key),
    "DescribeTasks": Rule(_TASKS, keys=_cluster_key),
    "ListTasks": Rule(_instance_or_any, keys=_cluster_key),
    "ExecuteCommand": Rule(_cluster_and_task, keys=_container_key),
    "GetTaskProtection": Rule(_TASKS, keys=_cluster_key),
    "UpdateTaskProtection": Rule(_TASKS, keys=_cluster_key),
    "DescribeContainerInstances": Rule(_INSTANCES, keys=_cluster_key),
    "ListContainerInstances": Rule(_clusters),
    "RegisterContainerInstance": Rule(_clusters, tagging="TagResource"),
    "DeregisterContainerInstance": Rule(_clusters),
    "UpdateContainerInstancesState": Rule(_INSTANCES, keys=_cluster_key),
    "UpdateContainerAgent": Rule(_INSTANCES, keys=_cluster_key),
    "PutAttributes": Rule(_attributes_of, keys=_cluster_key),
    "DeleteAttributes": Rule(_attributes_of, keys=_cluster_key),
    "ListAttributes": Rule(_clusters),
    "DiscoverPollEndpoint": Rule(),
    "Poll": Rule(_polling_instance, keys=_polled_cluster_key),
    "StartTelemetrySession": Rule(_polling_instance, keys=_polled_cluster_key),
    "SubmitTaskStateChange": Rule(_clusters),
    "SubmitContainerStateChange": Rule(_clusters),
    "SubmitAttachmentStateChanges": Rule(_clusters),
    "TagResource": _TAGGED,
    "UntagResource": _TAGGED,
    "ListTagsForResource": _TAGGED,
    "CreateCapacityProvider": Rule(_capacity_providers, tagging="TagResource"),
    "UpdateCapacityProvider": Rule(_capacity_providers),
    "DeleteCapacityProvider": Rule(_capacity_providers),
    "DescribeCapacityProviders": Rule(_capacity_providers),
    "PutAccountSetting": Rule(),
    "PutAccountSettingDefault": Rule(),
    "DeleteAccountSetting": Rule(),
    "ListAccountSettings": Rule(),
}
