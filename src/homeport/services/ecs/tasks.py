"""Tasks: stop, describe, list. They are made in ``run_task`` and by the service controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.task import Task
from homeport.scheduling.stop import stop_task as ask_to_stop
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SERVICES, TASKS
from homeport.wire.paging import paginate

from . import run_task
from .errors import ClientException, InvalidParameterException, ServiceNotFoundException
from .not_run_yet import refusal
from .resolve import find_cluster
from .task_views import task_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DescribeTasksRequestTypeDef,
        ListTasksRequestTypeDef,
        StopTaskRequestTypeDef,
    )

MAX_DESCRIBED = 100
MAX_PAGE = 100
MAX_REASON = 1024

Filter = Callable[[Task], bool]


def describe_tasks(call: Call, request: DescribeTasksRequestTypeDef) -> Response:
    """Up to 100 tasks; those not found (or over for an hour) are ``failures`` MISSING."""
    identifiers = request["tasks"]
    if not identifiers:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(identifiers) > MAX_DESCRIBED:
        raise InvalidParameterException("Tasks cannot exceed 100 items.")
    cluster = find_cluster(call, request.get("cluster"))
    prefix = _task_prefix(call, cluster)
    include_tags = "TAGS" in (request.get("include") or ())
    found, failures = [], []
    for identifier in identifiers:
        arn = prefix + last_segment(identifier)
        task = call.tx.get(TASKS, arn)
        if task is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(task_view(task, include_tags=include_tags))
    return {"tasks": found, "failures": failures}


def stop_task(call: Call, request: StopTaskRequestTypeDef) -> Response:
    """Asks for a stop; a task that is stopped already is the answer as it is."""
    cluster = find_cluster(call, request.get("cluster"))
    task = call.tx.get(TASKS, _task_prefix(call, cluster) + last_segment(request["task"]))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    reason = request.get("reason") or "Task stopped by user"
    if len(reason) > MAX_REASON:
        raise InvalidParameterException("Reason must be at most 1024 characters.")
    task = ask_to_stop(call.tx, task, now=call.now, code="UserInitiated", reason=reason)
    return {"task": task_view(task)}


def list_tasks(call: Call, request: ListTasksRequestTypeDef) -> Response:
    """ARNs of a cluster's tasks; ``desiredStatus`` is RUNNING unless given."""
    cluster = find_cluster(call, request.get("cluster"))
    if request.get("serviceName") and (request.get("family") or request.get("startedBy")):
        raise InvalidParameterException(
            "serviceName cannot be combined with the family and startedBy filters."
        )
    if request.get("daemonName"):
        raise ClientException(refusal("daemonName"))
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    filters = list(_filters(call, cluster, request))
    tasks = call.tx.find(TASKS, "cluster", cluster.arn)
    arns = [task.arn for task in tasks if all(matches(task) for matches in filters)]
    page, token = paginate(arns, str, max_results, request.get("nextToken"))
    return {"taskArns": page, "nextToken": token}


def _filters(call: Call, cluster: Cluster, request: ListTasksRequestTypeDef) -> Iterator[Filter]:
    status = request.get("desiredStatus") or "RUNNING"
    if status not in ("RUNNING", "PENDING", "STOPPED"):
        raise InvalidParameterException(
            "Desired status should be one of [RUNNING, PENDING, STOPPED]"
        )
    yield lambda task: task.desired_status == status
    if name := request.get("containerInstance"):
        instance = call.arns.ecs(f"container-instance/{cluster.name}/{last_segment(name)}")
        yield lambda task: task.container_instance_arn == instance and task.launch_type != "FARGATE"
    if family := request.get("family"):
        prefix = call.arns.ecs(f"task-definition/{family}:")
        yield lambda task: task.task_definition_arn.startswith(prefix)
    if started_by := request.get("startedBy"):
        yield lambda task: task.started_by == started_by
    if service_name := request.get("serviceName"):
        service = call.arns.ecs(f"service/{cluster.name}/{last_segment(service_name)}")
        if call.tx.get(SERVICES, service) is None:
            raise ServiceNotFoundException("Service not found.")
        yield lambda task: task.service_arn == service
    if launch_type := request.get("launchType"):
        yield lambda task: task.launch_type == launch_type


def _task_prefix(call: Call, cluster: Cluster) -> str:
    return call.arns.ecs(f"task/{cluster.name}/")


OPERATIONS: dict[str, Handler] = {
    **run_task.OPERATIONS,
    "DescribeTasks": describe_tasks,
    "StopTask": stop_task,
    "ListTasks": list_tasks,
}
