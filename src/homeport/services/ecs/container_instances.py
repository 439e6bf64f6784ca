"""Container instances: describe, list, deregister, drain. Agents register in agent_reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.container_instance import ContainerInstance, InstanceStatus
from homeport.domain.task import Task
from homeport.scheduling.stop import orphan_task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES, TASKS
from homeport.wire.paging import paginate

from .container_instance_views import container_instance_view
from .errors import InvalidParameterException
from .instance_filter import instance_filter
from .resolve import find_cluster

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DeregisterContainerInstanceRequestTypeDef,
        DescribeContainerInstancesRequestTypeDef,
        ListContainerInstancesRequestTypeDef,
        UpdateContainerInstancesStateRequestTypeDef,
    )

MAX_DESCRIBED = 100
MAX_UPDATED = 10
MAX_PAGE = 100
FORCED = "Container instance deregistration forced by user"


def describe_container_instances(
    call: Call, request: DescribeContainerInstancesRequestTypeDef
) -> Response:
    """Up to 100 instances; those not found are ``failures`` with reason MISSING."""
    identifiers = request["containerInstances"]
    if not identifiers:
        raise InvalidParameterException("Container instances cannot be empty.")
    if len(identifiers) > MAX_DESCRIBED:
        raise InvalidParameterException("Container instances cannot exceed 100 items.")
    cluster = find_cluster(call, request.get("cluster"))
    include_tags = "TAGS" in (request.get("include") or ())
    found, failures = _find(call, cluster, identifiers)
    return {
        "containerInstances": [
            container_instance_view(call.tx, instance, include_tags=include_tags)
            for instance in found
        ],
        "failures": failures,
    }


def list_container_instances(call: Call, request: ListContainerInstancesRequestTypeDef) -> Response:
    """ARNs by status (default: all but INACTIVE) and by a cluster query ``filter``."""
    cluster = find_cluster(call, request.get("cluster"))
    instances = call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn)
    status = request.get("status")
    if status:
        instances = [i for i in instances if i.status == status]
    else:
        instances = [i for i in instances if i.status != "INACTIVE"]
    expression = request.get("filter")
    if expression:
        matches = instance_filter(call.tx, expression)
        instances = [i for i in instances if matches(i)]
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    arns = [instance.arn for instance in instances]
    page, token = paginate(arns, str, max_results, request.get("nextToken"))
    return {"containerInstanceArns": page, "nextToken": token}


def deregister_container_instance(
    call: Call, request: DeregisterContainerInstanceRequestTypeDef
) -> Response:
    """The instance becomes INACTIVE. With ``force`` its tasks end at once in the records (services
    replace them) while its agent keeps their containers until it hears that it is out."""
    cluster = find_cluster(call, request.get("cluster"))
    arn = _arn(call, cluster, request["containerInstance"])
    instance = call.tx.get(CONTAINER_INSTANCES, arn)
    if instance is None:
        raise InvalidParameterException("Referenced container instance not found.")
    tasks = _held_by(call, instance)
    if tasks and not request.get("force"):
        raise InvalidParameterException("Found running tasks on the instance.")
    for task in tasks:
        orphan_task(call.tx, task, now=call.now, code="UserInitiated", reason=FORCED)
    if instance.status != "INACTIVE":
        instance = _put(call, instance, status="INACTIVE")
    return {"containerInstance": container_instance_view(call.tx, instance, include_tags=False)}


def update_container_instances_state(
    call: Call, request: UpdateContainerInstancesStateRequestTypeDef
) -> Response:
    """ACTIVE or DRAINING; what draining means for tasks is the controllers' business."""
    status = request["status"]
    if status not in ("ACTIVE", "DRAINING"):
        raise InvalidParameterException(
            "Container instance status should be one of [ACTIVE, DRAINING]"
        )
    identifiers = request["containerInstances"]
    if not identifiers:
        raise InvalidParameterException("Container instances cannot be empty.")
    if len(identifiers) > MAX_UPDATED:
        raise InvalidParameterException("Container instances cannot exceed 10 items.")
    cluster = find_cluster(call, request.get("cluster"))
    found, failures = _find(call, cluster, identifiers)
    updated = []
    for instance in found:
        if instance.status == "INACTIVE":
            failures.append({"arn": instance.arn, "reason": "INACTIVE"})
        elif instance.status == status:
            updated.append(instance)
        else:
            updated.append(_put(call, instance, status=status))
    return {
        "containerInstances": [
            container_instance_view(call.tx, instance, include_tags=False) for instance in updated
        ],
        "failures": failures,
    }


def _find(
    call: Call, cluster: Cluster, identifiers: Sequence[str]
) -> tuple[list[ContainerInstance], list[dict[str, str]]]:
    found: list[ContainerInstance] = []
    failures: list[dict[str, str]] = []
    for identifier in identifiers:
        arn = _arn(call, cluster, identifier)
        instance = call.tx.get(CONTAINER_INSTANCES, arn)
        if instance is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(instance)
    return found, failures


def _arn(call: Call, cluster: Cluster, identifier: str) -> str:
    return call.arns.ecs(f"container-instance/{cluster.name}/{last_segment(identifier)}")


def _held_by(call: Call, instance: ContainerInstance) -> list[Task]:
    tasks = call.tx.find(TASKS, "container_instance", instance.arn)
    return [task for task in tasks if task.holds_resources()]


def _put(call: Call, instance: ContainerInstance, status: InstanceStatus) -> ContainerInstance:
    changed = msgspec.structs.replace(
        instance,
        status=status,
        version=instance.version + 1,
        inactive_since=call.now if status == "INACTIVE" else None,
    )
    return call.tx.put(CONTAINER_INSTANCES, changed)


OPERATIONS: dict[str, Handler] = {
    "DescribeContainerInstances": describe_container_instances,
    "ListContainerInstances": list_container_instances,
    "DeregisterContainerInstance": deregister_container_instance,
    "UpdateContainerInstancesState": update_container_instances_state,
}
