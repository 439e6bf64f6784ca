"""What an agent says of a task, applied to its record. Pure.

Reports may be repeated, late or out of order ("duplicates and reorderings occur"), so every
step is monotone: status only moves forward, a fact once observed is not taken back, and nothing
changes a task that is STOPPED. Applying a report twice equals applying it once. A task with a
network interface is DEPROVISIONING when its agent reports it as stopped; the control plane takes
the interface away and ends it.

The control plane's own wish stands above what an agent reports late: RUNNING for a task that is
to stop leaves it where it is. A task of a service with load balancers is RUNNING as soon as its
agent says so (ECS shows ACTIVATING until its targets are registered; Homeport does not).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from homeport.domain.network_interface import ATTACHMENT_ORDER, AttachmentStatus
from homeport.domain.task import (
    Container,
    ContainerStatus,
    ManagedAgent,
    NetworkBinding,
    Task,
    TaskStatus,
    may_advance,
)

ESSENTIAL_EXITED = "Essential container in task exited"
FAILED_TO_START = "Task failed to start"
MAX_REASON = 1024

_CONTAINER_ORDER: dict[str, int] = {"PENDING": 0, "RUNNING": 1, "STOPPED": 2}


@dataclass(frozen=True, slots=True)
class ContainerReport:
    """One container as the agent sees it; None and empty mean "nothing said"."""

    name: str
    status: ContainerStatus | None = None
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()


@dataclass(frozen=True, slots=True)
class ManagedAgentReport:
    """A program beside a container, as the agent sees it."""

    container: str
    name: str
    status: ContainerStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One report; ``status`` is PENDING, RUNNING, STOPPED or None (containers only)."""

    status: str | None = None
    reason: str = ""
    containers: tuple[ContainerReport, ...] = ()
    managed_agents: tuple[ManagedAgentReport, ...] = ()
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    execution_stopped_at: float | None = None
    interface_status: AttachmentStatus | None = None


def apply_report(task: Task, report: TaskReport, essential: Collection[str], now: float) -> Task:
    """The task after ``report``. ``essential`` names its essential containers."""
    if task.last_status == "STOPPED":
        return task
    observed = _observe(task, report, now)
    match report.status:
        case "STOPPED":
            after = _stopped(observed, report, essential, now)
        case "RUNNING":
            after = _ending(_running(observed, now), report.reason, essential, now)
        case _:
            after = _ending(observed, report.reason, essential, now)
    if _state(after) != _state(task):
        after = msgspec.structs.replace(after, version=task.version + 1)
    return after


def _state(task: Task) -> tuple[object, ...]:
    return (task.last_status, task.desired_status, task.containers, task.interface)


def _observe(task: Task, report: TaskReport, now: float) -> Task:
    task = _with_interface(task, report.interface_status)
    by_name = {container.name: container for container in report.containers}
    return msgspec.structs.replace(
        task,
        containers=tuple(
            _with_managed_agents(
                _merge(c, by_name[c.name]) if c.name in by_name else c, report, now
            )
            for c in task.containers
        ),
        connectivity_at=task.connectivity_at or now,
        pull_started_at=task.pull_started_at or report.pull_started_at,
        pull_stopped_at=report.pull_stopped_at or task.pull_stopped_at,
        execution_stopped_at=task.execution_stopped_at or report.execution_stopped_at,
    )


def _with_interface(task: Task, status: AttachmentStatus | None) -> Task:
    """The agent has its interface in place: the task need not be provisioned any more."""
    interface = task.interface
    if interface is None or status is None:
        return task
    if ATTACHMENT_ORDER[status] <= ATTACHMENT_ORDER[interface.status]:
        return task
    provisioned = status == "ATTACHED" and task.last_status == "PROVISIONING"
    return msgspec.structs.replace(
        task,
        interface=msgspec.structs.replace(interface, status=status),
        last_status="PENDING" if provisioned else task.last_status,
    )


def _merge(container: Container, report: ContainerReport) -> Container:
    status = report.status or container.last_status
    if _CONTAINER_ORDER[status] < _CONTAINER_ORDER[container.last_status]:
        status = container.last_status
    return msgspec.structs.replace(
        container,
        last_status=status,
        runtime_id=container.runtime_id or report.runtime_id or None,
        image_digest=container.image_digest or report.image_digest or None,
        exit_code=report.exit_code if container.exit_code is None else container.exit_code,
        reason=container.reason or (report.reason or "")[:MAX_REASON] or None,
        network_bindings=container.network_bindings or report.network_bindings,
    )


def _with_managed_agents(container: Container, report: TaskReport, now: float) -> Container:
    """What is known of the container's agents; they end with it."""
    if not container.managed_agents:
        return container
    told = {a.name: a for a in report.managed_agents if a.container == container.name}
    over = container.last_status == "STOPPED"
    agents = tuple(_seen_agent(a, told.get(a.name), over, now) for a in container.managed_agents)
    return msgspec.structs.replace(container, managed_agents=agents)


def _seen_agent(
    agent: ManagedAgent, told: ManagedAgentReport | None, over: bool, now: float
) -> ManagedAgent:
    status = "STOPPED" if over else told.status if told else agent.last_status
    if _CONTAINER_ORDER[status] < _CONTAINER_ORDER[agent.last_status]:
        return agent
    started = agent.last_started_at or (now if status == "RUNNING" else None)
    reason = told.reason[:MAX_REASON] or None if told else agent.reason
    return msgspec.structs.replace(
        agent, last_status=status, last_started_at=started, reason=reason
    )


def _running(task: Task, now: float) -> Task:
    wanted = task.desired_status == "RUNNING" and may_advance(task.last_status, "RUNNING")
    status: TaskStatus = "RUNNING" if wanted else task.last_status
    return msgspec.structs.replace(task, last_status=status, started_at=task.started_at or now)


def _ending(task: Task, told: str, essential: Collection[str], now: float) -> Task:
    """An essential container has stopped: its agent stops the others, the task is to end."""
    if task.desired_status == "STOPPED" or not _essential_stopped(task, essential):
        return task
    wanted: TaskStatus = "DEACTIVATING" if task.targets_registered else "STOPPING"
    code, reason = _why(task, told, essential)
    return msgspec.structs.replace(
        task,
        desired_status="STOPPED",
        last_status=wanted if may_advance(task.last_status, wanted) else task.last_status,
        stopping_at=now,
        execution_stopped_at=task.execution_stopped_at or now,
        stop_code=code,
        stopped_reason=reason,
    )


def _stopped(task: Task, report: TaskReport, essential: Collection[str], now: float) -> Task:
    """Over, but for the interface of a task that has one: it is taken away first."""
    code, reason = _why(task, report.reason, essential)
    last_status: TaskStatus = "STOPPED"
    if task.interface is not None:
        task = _with_interface(task, "DETACHING")
        last_status = "DEPROVISIONING"
    ended_at = now if task.started_at or _ran(task, essential) else None
    return msgspec.structs.replace(
        task,
        desired_status="STOPPED",
        last_status=last_status,
        containers=tuple(_ended(c, now) for c in task.containers),
        stopping_at=task.stopping_at or now,
        execution_stopped_at=task.execution_stopped_at or ended_at,
        stopped_at=now if last_status == "STOPPED" else None,
        stop_code=task.stop_code or code,
        stopped_reason=task.stopped_reason or reason,
        tags=(),
    )


def _ended(container: Container, now: float) -> Container:
    stopped = msgspec.structs.replace(container, last_status="STOPPED")
    return _with_managed_agents(stopped, TaskReport(), now)


def _why(task: Task, told: str, essential: Collection[str]) -> tuple[str, str]:
    """Stop code and reason of a task that nobody asked to stop."""
    if task.started_at or _ran(task, essential):
        return "EssentialContainerExited", ESSENTIAL_EXITED
    reasons = [container.reason for container in task.containers if container.reason]
    if task.launch_type == "FARGATE" and reasons:
        return "TaskFailedToStart", reasons[0]  # on EC2 it stands at the container alone
    return "TaskFailedToStart", FAILED_TO_START if reasons or not told else told[:MAX_REASON]


def _essential_stopped(task: Task, essential: Collection[str]) -> bool:
    return any(c.name in essential and c.last_status == "STOPPED" for c in task.containers)


def _ran(task: Task, essential: Collection[str]) -> bool:
    """An essential container ran and ended before anybody reported the task as RUNNING.

    An exit code alone does not say so: one that docker could not start has a code and a reason
    (``CannotStartContainerError: …``). Only the kernel's kill comes after a start.
    """
    return any(
        c.name in essential
        and c.exit_code is not None
        and (not c.reason or c.reason.startswith("OutOfMemoryError"))
        for c in task.containers
    )
