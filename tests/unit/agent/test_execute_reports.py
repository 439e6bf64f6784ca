"""What the agent says of its containers' ExecuteCommandAgent, and in which containers it is."""

from __future__ import annotations

import msgspec

from homeport.agent import reports
from homeport.agent.task_state import TaskState, new_task, with_container
from homeport.domain.agent_payload import PayloadContainer, PayloadManagedAgent, PayloadTask

AGENT = [PayloadManagedAgent("ExecuteCommandAgent")]


def task() -> TaskState:
    payload = PayloadTask(
        arn="task",
        desired_status="RUNNING",
        containers=[
            PayloadContainer("web", essential=True, managed_agents=AGENT),
            PayloadContainer("log", managed_agents=AGENT),
        ],
    )
    running = new_task(payload, 1.0, lambda: "id")
    for name in ("web", "log"):
        running = with_container(running, name, status="RUNNING", docker_id=name)
    return acknowledged(running)


def acknowledged(task: TaskState) -> TaskState:
    return msgspec.structs.replace(task, reported=reports.acknowledged(task))


def test_it_is_reported_once_its_channel_is_open_and_not_again() -> None:
    assert not reports.due(task())
    assert "managedAgents" not in reports.state_change(task(), "c")
    seen = with_container(task(), "web", execute_agent="RUNNING")
    assert reports.due(seen)
    assert reports.state_change(seen, "c")["managedAgents"] == [
        {"containerName": "web", "managedAgentName": "ExecuteCommandAgent", "status": "RUNNING"}
    ]
    assert not reports.due(acknowledged(seen))


def test_what_keeps_it_from_connecting_is_its_reason() -> None:
    seen = acknowledged(with_container(task(), "web", execute_agent="RUNNING"))
    denied = with_container(seen, "web", execute_agent_reason="AccessDeniedException: no")
    assert reports.due(denied)
    (agent,) = reports.state_change(denied, "c")["managedAgents"]
    assert (agent["status"], agent["reason"]) == ("RUNNING", "AccessDeniedException: no")


def test_it_ends_with_its_container() -> None:
    seen = with_container(task(), "log", execute_agent="RUNNING")
    ended = with_container(seen, "log", status="STOPPED", exit_code=0)
    (agent,) = reports.state_change(ended, "c")["managedAgents"]
    assert (agent["containerName"], agent["status"]) == ("log", "STOPPED")
