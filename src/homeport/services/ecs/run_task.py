"""RunTask and StartTask: tasks that nobody replaces.

Placement failures are not errors: they are the answer's ``failures[]``, one per instance tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.task import Task
from homeport.domain.task_definition import TaskDefinition
from homeport.scheduling.launch import LaunchResult, start_tasks
from homeport.scheduling.providers import launch_by_strategy
from homeport.scheduling.template import TaskTemplate, managed_tags, task_tags
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES, TASKS

from .capacity_strategy import resolve_capacity
from .client_tokens import check_token, recall, remember
from .errors import InvalidParameterException
from .fargate_launch import platform_version, resolved
from .launch_checks import check_launch, check_roles
from .network_configuration import parse_network
from .placement_request import parse_constraints, parse_strategy
from .resolve import active_cluster, runnable_task_definition
from .tags import parse_tags
from .task_overrides import check_overrides
from .task_views import task_view

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import RunTaskRequestTypeDef, StartTaskRequestTypeDef

MAX_COUNT = 10
MAX_GROUP = 255
STOPPED_TASK_SECONDS = 3600.0
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")
# Groups of these namespaces are ECS's own.
_RESERVED_GROUPS = ("service:", "family:")


def run_task(call: Call, request: RunTaskRequestTypeDef) -> Response:
    """Places and starts 1–10 tasks."""
    cluster = active_cluster(call, request.get("cluster"))
    token = check_token(request.get("clientToken") or "")
    document = cast(Mapping[str, object], request)
    repeated = _repeated(call, cluster, token, document)
    if repeated is not None:
        return {"tasks": [task_view(task) for task in repeated], "failures": []}
    capacity = resolve_capacity(call, cluster, request)
    count = request.get("count", 1)
    if not 1 <= count <= MAX_COUNT:
        raise InvalidParameterException("Tasks count should be between 1 and 10.")
    template = _template(call, cluster, request, capacity.launch_type)
    constraints = parse_constraints(
        request.get("placementConstraints") or (), template.task_definition
    )
    strategy = parse_strategy(request.get("placementStrategy") or ())
    on_instances = capacity.launch_type == "EC2" and not capacity.strategy
    if on_instances and not any(
        instance.status == "ACTIVE"
        for instance in call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn)
    ):
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    result = launch_by_strategy(
        call.tx,
        template,
        count,
        capacity=capacity.strategy,
        running={},
        constraints=constraints,
        strategy=strategy,
        now=call.now,
        ids=call.ids,
        arns=call.arns,
    )
    if token and result.tasks:
        remember(call, "RunTask", cluster.arn, token, document, (t.arn for t in result.tasks))
    return _response(result)


def start_task(call: Call, request: StartTaskRequestTypeDef) -> Response:
    """Starts one task on each of up to ten given instances, without choosing."""
    cluster = active_cluster(call, request.get("cluster"))
    instances = request["containerInstances"]
    if not instances:
        raise InvalidParameterException("Container instances cannot be empty.")
    if len(instances) > MAX_COUNT:
        raise InvalidParameterException("Container instances cannot exceed 10 items.")
    template = _template(call, cluster, request, "EC2")
    prefix = call.arns.ecs(f"container-instance/{cluster.name}/")
    result = start_tasks(
        call.tx,
        template,
        [prefix + last_segment(identifier) for identifier in instances],
        now=call.now,
        ids=call.ids,
        arns=call.arns,
    )
    return _response(result)


def _template(
    call: Call,
    cluster: Cluster,
    request: RunTaskRequestTypeDef | StartTaskRequestTypeDef,
    launch_type: str,
) -> TaskTemplate:
    definition = runnable_task_definition(call, request["taskDefinition"])
    overrides: Mapping[str, Any] = request.get("overrides") or {}
    check_overrides(overrides, definition)
    network = parse_network(call, request, definition, launch_type)
    check_launch(request, definition, overrides, launch_type)
    check_roles(call, definition, overrides, cluster.arn)
    version = platform_version(request, launch_type, definition)
    managed = request.get("enableECSManagedTags", False)
    return TaskTemplate(
        task_definition=definition,
        cluster_arn=cluster.arn,
        group=_group(request.get("group") or "", definition),
        started_by=_started_by(request.get("startedBy") or ""),
        overrides=overrides,
        launch_type=launch_type,
        tags=task_tags(
            definition.tags if _propagates(request.get("propagateTags")) else (),
            parse_tags(request.get("tags") or ()),
            managed_tags(cluster.name) if managed else (),
        ),
        platform_version=resolved(version),
        network=network,
        enable_ecs_managed_tags=managed,
        enable_execute_command=request.get("enableExecuteCommand", False),
    )


def _repeated(
    call: Call, cluster: Cluster, token: str, request: Mapping[str, object]
) -> list[Task] | None:
    """What the token made before, while a task of it lives and for an hour after."""
    arns = recall(call, "RunTask", cluster.arn, token, request) if token else None
    if arns is None:
        return None
    tasks = [task for arn in arns if (task := call.tx.get(TASKS, arn)) is not None]
    fresh = [
        t for t in tasks if t.stopped_at is None or call.now - t.stopped_at < STOPPED_TASK_SECONDS
    ]
    return tasks if fresh else None


def _group(group: str, definition: TaskDefinition) -> str:
    if group.startswith(_RESERVED_GROUPS):
        raise InvalidParameterException("Invalid namespace for group.")
    if len(group) > MAX_GROUP:
        raise InvalidParameterException("Group must be at most 255 characters.")
    return group or f"family:{definition.family}"


def _started_by(started_by: str) -> str:
    if not _STARTED_BY.fullmatch(started_by):
        raise InvalidParameterException(
            "startedBy must be at most 128 letters, numbers, hyphens, forward slashes and "
            "underscores."
        )
    return started_by


def _propagates(propagate_tags: str | None) -> bool:
    if propagate_tags not in (None, "NONE", "TASK_DEFINITION"):
        raise InvalidParameterException("propagateTags must be TASK_DEFINITION or NONE.")
    return propagate_tags == "TASK_DEFINITION"


def _response(result: LaunchResult) -> Response:
    return {
        "tasks": [task_view(task) for task in result.tasks],
        "failures": [{"arn": r.arn or None, "reason": r.reason} for r in result.refusals],
    }


OPERATIONS: dict[str, Handler] = {"RunTask": run_task, "StartTask": start_task}
