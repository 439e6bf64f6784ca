"""What the agent concludes from what it saw, and what it does next: all pure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent import reports
from homeport.agent.steps import next_steps
from homeport.agent.task_state import (
    TaskState,
    container,
    new_task,
    restarts_after,
    task_status,
    with_container,
)
from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadDependency,
    PayloadRestartPolicy,
    PayloadTask,
)

ARN = "arn:aws:ecs:us-east-1:123456789012:task/default/1"


def new_id() -> str:
    return "an-id"


def payload(*containers: PayloadContainer, desired: str = "RUNNING") -> PayloadTask:
    return PayloadTask(
        arn=ARN, desired_status=desired, family="web", version="1", containers=list(containers)
    )


def box(name: str = "main", essential: bool = True, **more: Any) -> PayloadContainer:
    return PayloadContainer(name=name, image="busybox", essential=essential, **more)


def step(task: TaskState, launching: tuple[str, ...] = (), stopping: tuple[str, ...] = ()) -> Any:
    return next_steps(task, frozenset(launching), frozenset(stopping), 100.0)


def test_a_new_task_launches_what_has_no_dependency() -> None:
    app = box("app", depends_on=[PayloadDependency("init", "SUCCESS")])
    task, steps = step(new_task(payload(box("init", essential=False), app), 0.0, new_id))
    assert steps.launch == ("init",)
    done = with_container(task, "init", status="STOPPED", exit_code=0)
    assert step(done)[1].launch == ("app",)


def test_a_dependency_that_failed_stops_the_task_without_starting_it() -> None:
    app = box("app", depends_on=[PayloadDependency("init", "SUCCESS")])
    task = new_task(payload(box("init", essential=False), app), 0.0, new_id)
    task, steps = step(with_container(task, "init", status="STOPPED", exit_code=1))
    assert task.desired == "STOPPED"
    assert steps.launch == ()
    app_state = container(task, "app")
    assert app_state is not None
    assert app_state.reason.startswith("CannotStartContainerError: ")


def test_dependencies_that_go_in_circles_are_refused() -> None:
    first = box("a", depends_on=[PayloadDependency("b")])
    second = box("b", depends_on=[PayloadDependency("a")])
    task = new_task(payload(first, second), 0.0, new_id)
    assert task.desired == "STOPPED"
    assert task.reason.startswith("TaskDependencyError")


def test_an_essential_container_that_ends_stops_the_others() -> None:
    task = new_task(payload(box("main"), box("side", essential=False)), 0.0, new_id)
    for name in ("main", "side"):
        task = with_container(task, name, status="RUNNING", docker_id=name)
    task, steps = step(with_container(task, "main", status="STOPPED", exit_code=0))
    assert task.desired == "STOPPED"
    assert steps.stop == ("side",)
    assert task.execution_stopped_at == 100.0


def test_a_side_container_that_ends_stops_nothing() -> None:
    task = new_task(payload(box("main"), box("side", essential=False)), 0.0, new_id)
    for name in ("main", "side"):
        task = with_container(task, name, status="RUNNING", docker_id=name)
    task, steps = step(with_container(task, "side", status="STOPPED", exit_code=1))
    assert (task.desired, steps.stop) == ("RUNNING", ())
    assert task_status(task) == "RUNNING"


def test_a_task_that_is_not_wanted_any_more_interrupts_its_launches() -> None:
    _, steps = step(new_task(payload(box(), desired="STOPPED"), 0.0, new_id), launching=("main",))
    assert steps.interrupt == ("main",)


def test_dependants_stop_before_what_they_depend_on() -> None:
    app = box("app", depends_on=[PayloadDependency("db")])
    task = new_task(payload(box("db"), app, desired="STOPPED"), 0.0, new_id)
    for name in ("db", "app"):
        task = with_container(task, name, status="RUNNING", docker_id=name)
    assert step(task)[1].stop == ("app",)
    stopped = with_container(task, "app", status="STOPPED")
    assert step(stopped)[1].stop == ("db",)


def test_reports_are_due_until_they_are_acknowledged() -> None:
    task = new_task(payload(box()), 0.0, new_id)
    assert not reports.due(task)
    running = with_container(task, "main", status="RUNNING", docker_id="abc")
    assert reports.due(running)
    change = reports.state_change(running, "default")
    assert change["status"] == "RUNNING"
    assert change["containers"][0]["runtimeId"] == "abc"
    known = msgspec.structs.replace(running, reported=reports.acknowledged(running))
    assert not reports.due(known)
    assert reports.due(with_container(known, "main", status="STOPPED", exit_code=3))


STATUSES = st.sampled_from(["NONE", "CREATED", "RUNNING", "STOPPED"])
RANK = {"NONE": 0, "CREATED": 1, "RUNNING": 2, "STOPPED": 3}


@given(st.lists(STATUSES, max_size=12))
def test_status_only_moves_forward(seen: list[str]) -> None:
    task = new_task(payload(box()), 0.0, new_id)
    last = 0
    for status in seen:
        task = with_container(task, "main", status=status)
        state = container(task, "main")
        assert state is not None
        assert RANK[state.status] >= last
        last = RANK[state.status]


@given(st.lists(st.tuples(st.sampled_from("ab"), STATUSES), max_size=12))
def test_nothing_is_launched_twice_or_after_its_end(seen: list[tuple[str, str]]) -> None:
    task = new_task(payload(box("a"), box("b", essential=False)), 0.0, new_id)
    for name, status in seen:
        task = with_container(task, name, status=status, docker_id=name)
        task, steps = step(task)
        for launched in steps.launch:
            state = container(task, launched)
            assert state is not None
            assert state.status in ("NONE", "CREATED")
        if task.desired == "STOPPED":
            assert steps.launch == ()


@pytest.mark.parametrize("name", ["main", "side"])
def test_what_is_known_of_an_ended_container_stays(name: str) -> None:
    task = new_task(payload(box("main"), box("side", essential=False)), 0.0, new_id)
    task = with_container(task, name, status="STOPPED", exit_code=137, reason="OutOfMemoryError")
    task = with_container(task, name, status="RUNNING", exit_code=0, reason="")
    state = container(task, name)
    assert state is not None
    assert (state.status, state.exit_code, state.reason) == ("STOPPED", 137, "OutOfMemoryError")


@pytest.mark.parametrize(
    ("exit_code", "ended_at", "expected"),
    [(1, 60.0, True), (0, 60.0, True), (1, 59.0, False), (42, 90.0, False)],
)
def test_a_restart_policy_asks_for_time_and_looks_at_the_exit_code(
    exit_code: int, ended_at: float, expected: bool
) -> None:
    policy = PayloadRestartPolicy(True, [42], 60)
    task = new_task(payload(box(restart_policy=policy)), 0.0, new_id)
    task = with_container(task, "main", status="RUNNING", started_at=1000.0)
    assert restarts_after(task, "main", exit_code, 1000.0 + ended_at) is expected
    again = with_container(task, "main", restarted_at=1050.0)
    assert not restarts_after(again, "main", exit_code, 1000.0 + ended_at)
    unwanted = msgspec.structs.replace(task, desired="STOPPED")
    assert not restarts_after(unwanted, "main", exit_code, ended_at)
