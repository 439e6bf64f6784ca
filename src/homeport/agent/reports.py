"""What the control plane is told of a task: built here, pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .task_state import ContainerState, Reported, TaskState, definition, task_status

MAX_REASON = 1024  # the API's limit for task and container reasons

Change = Mapping[str, Any]  # a SubmitTaskStateChange request


def due(task: TaskState) -> bool:
    """Whether there is something to report that has not been acknowledged.

    That is: the task runs, or it has stopped, or a container has stopped that tells the control
    plane something: one of a running task, or an essential one.
    """
    status = task_status(task)
    if status == "STOPPED":
        return task.reported.status != "STOPPED"
    if status == "RUNNING" and task.reported.status == "PENDING":
        return True
    return any(
        c.status == "STOPPED"
        and c.name not in task.reported.stopped
        and (status == "RUNNING" or definition(task, c.name).essential)
        for c in task.containers
    )


def acknowledged(task: TaskState) -> Reported:
    """What is known to be known once a report of ``task`` has been answered."""
    return Reported(
        task_status(task), tuple(c.name for c in task.containers if c.status == "STOPPED")
    )


def state_change(task: TaskState, cluster: str) -> Change:
    """The request; monotone, because it is built from a state that only moves forward."""
    change: dict[str, Any] = {
        "cluster": cluster,
        "task": task.arn,
        "status": task_status(task),
        "reason": task.reason[:MAX_REASON],
        "containers": [_container(c) for c in task.containers],
    }
    times = {
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "executionStoppedAt": task.execution_stopped_at,
    }
    return {**change, **{name: at for name, at in times.items() if at is not None}}


def _container(state: ContainerState) -> dict[str, Any]:
    document: dict[str, Any] = {
        "containerName": state.name,
        "status": "PENDING" if state.status in ("NONE", "CREATED") else state.status,
        "networkBindings": [
            {
                "bindIP": "0.0.0.0",
                "containerPort": b.container_port,
                "hostPort": b.host_port,
                "protocol": b.protocol,
            }
            for b in state.bindings
        ],
    }
    if state.docker_id:
        document["runtimeId"] = state.docker_id
    if state.image_digest:
        document["imageDigest"] = state.image_digest
    if state.exit_code is not None:
        document["exitCode"] = state.exit_code
    if state.reason:
        document["reason"] = state.reason[:MAX_REASON]
    return document
