"""Task protection: a task of a service asks not to be stopped for a while.

Source: "Protect your Amazon ECS tasks from being terminated by scale-in events", developer guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.task import Task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import TASKS

from .errors import InvalidParameterException
from .resolve import active_cluster

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        GetTaskProtectionRequestTypeDef,
        UpdateTaskProtectionRequestTypeDef,
    )

MAX_UPDATED = 10
MAX_DESCRIBED = 100
DEFAULT_MINUTES = 120
LONGEST_MINUTES = 2880


def update_task_protection(call: Call, request: UpdateTaskProtectionRequestTypeDef) -> Response:
    """Protects tasks for ``expiresInMinutes`` (two hours unless given), or ends it."""
    cluster = active_cluster(call, request["cluster"])
    identifiers = request["tasks"]
    if not 1 <= len(identifiers) <= MAX_UPDATED:
        raise InvalidParameterException(f"tasks must have between 1 and {MAX_UPDATED} items.")
    minutes = request.get("expiresInMinutes")
    if minutes is not None and not 1 <= minutes <= LONGEST_MINUTES:
        raise InvalidParameterException(
            f"expiresInMinutes must be between 1 and {LONGEST_MINUTES}."
        )
    until = None
    if request["protectionEnabled"]:
        until = call.now + 60 * (minutes or DEFAULT_MINUTES)
    found, failures = _find(call, cluster, identifiers)
    changed = [
        call.tx.put(TASKS, msgspec.structs.replace(task, protected_until=until)) for task in found
    ]
    return {"protectedTasks": [_view(call, task) for task in changed], "failures": failures}


def get_task_protection(call: Call, request: GetTaskProtectionRequestTypeDef) -> Response:
    """The protection of tasks, or of all protected tasks of the cluster."""
    cluster = active_cluster(call, request["cluster"])
    identifiers = request.get("tasks") or ()
    if len(identifiers) > MAX_DESCRIBED:
        raise InvalidParameterException(f"tasks must have at most {MAX_DESCRIBED} items.")
    if identifiers:
        found, failures = _find(call, cluster, identifiers)
    else:
        tasks = call.tx.find(TASKS, "cluster", cluster.arn)
        found, failures = [t for t in tasks if t.is_protected(call.now)], []
    return {"protectedTasks": [_view(call, task) for task in found], "failures": failures}


def _find(
    call: Call, cluster: Cluster, identifiers: Sequence[str]
) -> tuple[list[Task], list[dict[str, str]]]:
    found: list[Task] = []
    failures: list[dict[str, str]] = []
    for identifier in identifiers:
        arn = call.arns.ecs(f"task/{cluster.name}/{last_segment(identifier)}")
        task = call.tx.get(TASKS, arn)
        if task is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        elif task.service_arn is None or task.desired_status == "STOPPED":
            what = "is not a task of a service" if task.service_arn is None else "is stopping"
            failures.append({"arn": arn, "reason": "TASK_NOT_VALID", "detail": f"The task {what}."})
        else:
            found.append(task)
    return found, failures


def _view(call: Call, task: Task) -> dict[str, object]:
    protected = task.is_protected(call.now)
    return {
        "taskArn": task.arn,
        "protectionEnabled": protected,
        "expirationDate": task.protected_until if protected else None,
    }


OPERATIONS: dict[str, Handler] = {
    "UpdateTaskProtection": update_task_protection,
    "GetTaskProtection": get_task_protection,
}
