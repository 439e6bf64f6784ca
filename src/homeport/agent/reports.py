"""What the control plane is told of a task: built here, pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homeport.domain.agent_payload import PayloadContainer, PayloadPort
from homeport.domain.execute import MANAGED_AGENT
from homeport.domain.port_range import parse_port_range, port_range_text

from .task_state import (
    Binding,
    ContainerState,
    Reported,
    TaskState,
    container,
    definition,
    task_status,
    to_release,
)

MAX_REASON = 1024  # the API's limit for task and container reasons

Change = Mapping[str, Any]  # a SubmitTaskStateChange request


def due(task: TaskState) -> bool:
    """Whether there is something to report that has not been acknowledged.

    That is: the task runs, or it has stopped, or a container has stopped that tells the control
    plane something: one of a running task, or an essential one.
    """
    status = task_status(task)
    if to_release(task):
        return False  # its address is still in use here
    if status == "STOPPED":
        return task.reported.status != "STOPPED"
    if has_news_of_interface(task):
        return True
    if status == "RUNNING" and task.reported.status == "PENDING":
        return True
    if execute_agents(task) != task.reported.execute_agents:
        return True
    return any(
        c.status == "STOPPED"
        and c.name not in task.reported.stopped
        and (status == "RUNNING" or definition(task, c.name).essential)
        for c in task.containers
    )


def has_news_of_interface(task: TaskState) -> bool:
    """Whether the task's interface has been attached since the last report."""
    interfaces = task.payload.elastic_network_interfaces
    return bool(interfaces) and task.attached and not task.reported.attached


def acknowledged(task: TaskState) -> Reported:
    """What is known to be known once a report of ``task`` has been answered."""
    return Reported(
        task_status(task),
        tuple(c.name for c in task.containers if c.status == "STOPPED"),
        execute_agents(task),
        task.attached,
    )


def execute_agents(task: TaskState) -> tuple[tuple[str, str], ...]:
    """Containers that can be told to start a session, each with what is wrong, if something is."""
    return tuple((c.name, c.execute_agent_reason) for c in task.containers if c.execute_agent)


def state_change(task: TaskState, cluster: str) -> Change:
    """The request; monotone, because it is built from a state that only moves forward."""
    change: dict[str, Any] = {
        "cluster": cluster,
        "task": task.arn,
        "status": task_status(task),
        "reason": task.reason[:MAX_REASON],
        "containers": [_container(c, definition(task, c.name)) for c in task.containers],
    }
    if interfaces := task.payload.elastic_network_interfaces:
        change["attachments"] = [
            {"attachmentArn": i.attachment_arn, "status": "ATTACHED"}
            for i in interfaces
            if task.attached
        ]
    if agents := execute_agents(task):
        change["managedAgents"] = [_managed_agent(task, name, reason) for name, reason in agents]
    times = {
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "executionStoppedAt": task.execution_stopped_at,
    }
    return {**change, **{name: at for name, at in times.items() if at is not None}}


def network_bindings(
    bindings: Sequence[Binding], mappings: Sequence[PayloadPort]
) -> list[dict[str, Any]]:
    """Bindings as the API has them: those of a mapped range together, the others one by one."""
    ranges = [
        (parse_port_range(m.container_port_range), m.protocol)
        for m in mappings
        if m.container_port_range
    ]
    together: dict[int, list[Binding]] = {}
    reported = []
    for binding in bindings:
        place = next((i for i, wanted in enumerate(ranges) if _is_of(binding, *wanted)), None)
        if place is None:
            ports = {"containerPort": binding.container_port, "hostPort": binding.host_port}
            reported.append({"bindIP": "0.0.0.0", **ports, "protocol": binding.protocol})
        else:
            together.setdefault(place, []).append(binding)
    for place, own in sorted(together.items()):
        hosts = sorted(b.host_port for b in own)
        ranged = {
            "containerPortRange": port_range_text(ranges[place][0]),
            "hostPortRange": f"{hosts[0]}-{hosts[-1]}",
        }
        reported.append({"bindIP": "0.0.0.0", **ranged, "protocol": ranges[place][1]})
    return reported


def _is_of(binding: Binding, ports: range, protocol: str) -> bool:
    return binding.container_port in ports and binding.protocol == protocol


def _managed_agent(task: TaskState, name: str, reason: str) -> dict[str, Any]:
    state = container(task, name)
    stopped = state is not None and state.status == "STOPPED"
    document = {
        "containerName": name,
        "managedAgentName": MANAGED_AGENT,
        "status": "STOPPED" if stopped else "RUNNING",
    }
    return {**document, "reason": reason[:MAX_REASON]} if reason else document


def _container(state: ContainerState, wanted: PayloadContainer) -> dict[str, Any]:
    document: dict[str, Any] = {
        "containerName": state.name,
        "status": "PENDING" if state.status in ("NONE", "CREATED") else state.status,
        "networkBindings": network_bindings(state.bindings, wanted.port_mappings or ()),
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
