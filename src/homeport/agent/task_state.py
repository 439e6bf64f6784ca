"""What the agent knows of a task: records that survive a restart, and rules over them. Pure.

Container status::

    NONE ──create──▶ CREATED ──start──▶ RUNNING ──die──▶ STOPPED
      └───────────────────┴─ failed, or no longer wanted ──▶┘

Status only moves forward. Desired status goes from RUNNING to STOPPED, never back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from homeport.decide.container_order import Node, Status, dependencies_of, resolvable
from homeport.domain.agent_payload import PayloadContainer, PayloadTask
from homeport.domain.execute import MANAGED_AGENT

PAUSE = "~internal~ecs~pause"
"""The name of the container that keeps a task's shared namespaces open."""

Desired = Literal["RUNNING", "STOPPED"]
TaskStatus = Literal["PENDING", "RUNNING", "STOPPED"]
Health = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]

STOPPED_EXIT = 143
"""The exit code of a container whose dependency can't be met: it never started."""

_RANK: dict[str, int] = {"NONE": 0, "CREATED": 1, "RUNNING": 2, "STOPPED": 3}


class Binding(msgspec.Struct, frozen=True):
    """A container port on the host."""

    container_port: int
    host_port: int
    protocol: str = "tcp"


class ContainerState(msgspec.Struct, frozen=True, kw_only=True):
    """A container as last seen. Times in epoch seconds.

    ``metadata_id``: random, in the address at which the container asks about itself.
    """

    name: str
    status: Status = "NONE"
    docker_id: str = ""
    exit_code: int | None = None
    reason: str = ""
    bindings: tuple[Binding, ...] = ()
    health: Health = "UNKNOWN"
    health_since: float = 0.0
    image_digest: str = ""
    started_at: float | None = None
    restarts: int = 0
    restarted_at: float | None = None
    metadata_id: str = ""
    # Whether the container's ExecuteCommandAgent was reachable once, and what keeps it from that.
    execute_agent: Literal["", "RUNNING"] = ""
    execute_agent_reason: str = ""


class Reported(msgspec.Struct, frozen=True):
    """What the control plane has acknowledged."""

    status: TaskStatus = "PENDING"
    stopped: tuple[str, ...] = ()
    execute_agents: tuple[tuple[str, str], ...] = ()  # container, reason: reported as RUNNING
    attached: bool = False


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """A task as last seen. ``reason`` is set when the task as a whole can't run.

    ``attached``: what its containers share is there. ``released``: it is gone again, after the
    last of them had stopped.
    """

    payload: PayloadTask
    containers: tuple[ContainerState, ...]
    desired: Desired = "RUNNING"
    reason: str = ""
    accepted_at: float = 0.0
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    execution_stopped_at: float | None = None
    stopped_at: float | None = None
    attached: bool = False
    released: bool = False
    reported: Reported = Reported()

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return self.payload.arn

    @property
    def acknowledged_stopped(self) -> bool:
        """Nothing is left to do but to clean up."""
        return self.reported.status == "STOPPED"


def new_task(payload: PayloadTask, now: float, new_id: Callable[[], str]) -> TaskState:
    """A task that has just been received; ``new_id`` gives metadata ids."""
    task = TaskState(
        payload=payload,
        containers=tuple(
            ContainerState(name=c.name, metadata_id=new_id()) for c in payload.containers or ()
        ),
        desired="STOPPED" if payload.desired_status == "STOPPED" else "RUNNING",
        accepted_at=now,
    )
    if not _dependencies_make_sense(task):
        return msgspec.structs.replace(
            task,
            desired="STOPPED",
            reason="TaskDependencyError: Task dependencies cannot be resolved, taskArn: "
            + payload.arn,
        )
    return task


def _dependencies_make_sense(task: TaskState) -> bool:
    try:
        return resolvable(nodes(task))
    except ValueError:
        return False


def shares_namespaces(payload: PayloadTask) -> bool:
    """Whether the task's containers share namespaces that a pause container keeps open."""
    return (
        payload.network_mode == "awsvpc" or payload.pid_mode == "task" or payload.ipc_mode == "task"
    )


def to_release(task: TaskState) -> bool:
    """Whether every container has stopped and what they shared is still there."""
    return _all_stopped(task) and shares_namespaces(task.payload) and not task.released


def container(task: TaskState, name: str) -> ContainerState | None:
    """The state of one container."""
    return next((c for c in task.containers if c.name == name), None)


def definition(task: TaskState, name: str) -> PayloadContainer:
    """What was asked for; a container known only from the Engine has just a name."""
    found = (c for c in task.payload.containers or () if c.name == name)
    return next(found, None) or PayloadContainer(name=name)


def nodes(task: TaskState) -> list[Node]:
    """The containers as the ordering rules see them."""
    return [_node(task, c) for c in task.containers]


def _node(task: TaskState, state: ContainerState) -> Node:
    wanted = definition(task, state.name)
    return Node(
        name=state.name,
        depends_on=dependencies_of(wanted),
        status=state.status,
        wanted=task.desired == "RUNNING",
        exit_code=state.exit_code,
        healthy=state.health == "HEALTHY",
        started_at=state.started_at,
        start_timeout=wanted.start_timeout,
    )


def task_status(task: TaskState) -> TaskStatus:
    """The least of its containers; one that has stopped counts as having run."""
    statuses = {c.status for c in task.containers}
    if statuses <= {"STOPPED"}:
        return "STOPPED"
    return "PENDING" if statuses & {"NONE", "CREATED"} else "RUNNING"


def wants_execute(task: TaskState, name: str) -> bool:
    """Whether sessions of ExecuteCommand may begin in this container."""
    agents = definition(task, name).managed_agents or ()
    return any(agent.name == MANAGED_AGENT for agent in agents)


def restarts_after(task: TaskState, name: str, exit_code: int, ended_at: float) -> bool:
    """Whether the restart policy of a running container starts it again.

    Source: "Restart individual containers in Amazon ECS tasks", developer guide.
    """
    state, policy = container(task, name), definition(task, name).restart_policy
    if state is None or policy is None or not policy.enabled:
        return False
    if task.desired != "RUNNING" or state.status != "RUNNING":
        return False
    ran_seconds = ended_at - (state.restarted_at or state.started_at or ended_at)
    ignored = exit_code in (policy.ignored_exit_codes or ())
    return not ignored and ran_seconds >= policy.restart_attempt_period


def essential_stopped(task: TaskState) -> bool:
    """Whether a container has stopped without which the task is to stop."""
    return any(
        c.status == "STOPPED" and definition(task, c.name).essential for c in task.containers
    )


def with_container(task: TaskState, name: str, **changes: object) -> TaskState:
    """The task with one container changed. Status moves forward only.

    What is known of a container that has stopped stays, except what was not known.
    """
    return msgspec.structs.replace(
        task,
        containers=tuple(_changed(c, changes) if c.name == name else c for c in task.containers),
    )


def _changed(state: ContainerState, changes: dict[str, object]) -> ContainerState:
    status = str(changes.get("status", state.status))
    if state.status == "STOPPED" or _RANK[status] < _RANK[state.status]:
        changes = {k: v for k, v in changes.items() if not getattr(state, k)}
        if state.exit_code is not None:
            changes.pop("exit_code", None)
    return msgspec.structs.replace(state, **changes)


def settled(task: TaskState, now: float) -> TaskState:
    """Draw the conclusions of what was seen: an essential container's end stops the task."""
    changes: dict[str, object] = {}
    if task.desired == "RUNNING" and (essential_stopped(task) or _all_stopped(task)):
        changes["desired"] = "STOPPED"
        changes["execution_stopped_at"] = task.execution_stopped_at or now
    if task.stopped_at is None and (_all_stopped(task)):
        changes["stopped_at"] = now
    return msgspec.structs.replace(task, **changes) if changes else task


def _all_stopped(task: TaskState) -> bool:
    return all(c.status == "STOPPED" for c in task.containers)
