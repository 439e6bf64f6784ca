"""What an agent says of a task: monotone, repeatable, in any order."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.cluster import Tag
from homeport.domain.task import TASK_STATUS_ORDER, Container, NetworkBinding, Task
from homeport.services.ecs.task_report import ContainerReport, TaskReport, apply_report

ESSENTIAL = frozenset({"web"})


def task(**fields: object) -> Task:
    values: dict[str, object] = {
        "arn": "task",
        "cluster_arn": "cluster",
        "task_definition_arn": "web:1",
        "group": "family:web",
        "created_at": 1.0,
        "containers": (
            Container(arn="c1", name="web", image="web:1"),
            Container(arn="c2", name="log", image="log:1"),
        ),
    }
    return Task(**(values | fields))  # type: ignore[arg-type]


def report(status: str | None, *containers: ContainerReport, **fields: object) -> TaskReport:
    return TaskReport(status=status, containers=containers, **fields)  # type: ignore[arg-type]


BINDING = NetworkBinding(container_port=80, host_port=32768)
UP = report(
    "RUNNING",
    ContainerReport("web", "RUNNING", runtime_id="aa", network_bindings=(BINDING,)),
    ContainerReport("log", "RUNNING", runtime_id="bb"),
)
DOWN = report(
    "STOPPED",
    ContainerReport("web", "STOPPED", runtime_id="aa", exit_code=3),
    ContainerReport("log", "STOPPED", runtime_id="bb", exit_code=143),
    execution_stopped_at=20.0,
)


def test_running_is_what_the_agent_reported() -> None:
    running = apply_report(task(), UP, ESSENTIAL, 10.0)
    assert running.last_status == "RUNNING"
    assert running.started_at == running.connectivity_at == 10.0
    assert running.version == 2
    assert running.containers[0].network_bindings == (BINDING,)
    assert running.containers[0].runtime_id == "aa"


def test_a_task_that_ended_by_itself_says_so() -> None:
    running = apply_report(task(tags=(Tag("a"),)), UP, ESSENTIAL, 10.0)
    ended = apply_report(running, DOWN, ESSENTIAL, 21.0)
    assert ended.last_status == ended.desired_status == "STOPPED"
    assert ended.stop_code == "EssentialContainerExited"
    assert ended.stopped_reason == "Essential container in task exited"
    assert (ended.started_at, ended.execution_stopped_at) == (10.0, 20.0)
    assert (ended.stopping_at, ended.stopped_at) == (21.0, 21.0)
    assert [c.exit_code for c in ended.containers] == [3, 143]
    assert ended.tags == ()


@pytest.mark.parametrize(
    ("container", "code"),
    [
        (
            ContainerReport("web", "STOPPED", reason="CannotPullContainerError: no such image"),
            "TaskFailedToStart",
        ),
        (
            ContainerReport("web", "STOPPED", exit_code=127, reason="CannotStartContainerError: x"),
            "TaskFailedToStart",
        ),
        (ContainerReport("web", "STOPPED", exit_code=0), "EssentialContainerExited"),
        (
            ContainerReport("web", "STOPPED", exit_code=137, reason="OutOfMemoryError: killed"),
            "EssentialContainerExited",
        ),
    ],
)
def test_the_stop_code_of_a_task_never_reported_running(
    container: ContainerReport, code: str
) -> None:
    ended = apply_report(task(), report("STOPPED", container), ESSENTIAL, 5.0)
    assert ended.stop_code == code
    assert ended.containers[0].reason == container.reason
    assert [c.last_status for c in ended.containers] == ["STOPPED", "STOPPED"]


def test_a_failed_start_without_a_container_reason_keeps_the_agents_own_words() -> None:
    told = report("STOPPED", reason="TaskDependencyError: cycle")
    ended = apply_report(task(), told, ESSENTIAL, 5.0)
    assert (ended.stop_code, ended.stopped_reason) == (
        "TaskFailedToStart",
        "TaskDependencyError: cycle",
    )
    ended = apply_report(task(), report("STOPPED"), ESSENTIAL, 5.0)
    assert ended.stopped_reason == "Task failed to start"


def test_a_wanted_stop_keeps_its_reason() -> None:
    stopping = task(
        desired_status="STOPPED",
        last_status="STOPPING",
        stopping_at=4.0,
        stop_code="UserInitiated",
        stopped_reason="Task stopped by user",
    )
    ended = apply_report(stopping, DOWN, ESSENTIAL, 9.0)
    assert (ended.stop_code, ended.stopped_reason) == ("UserInitiated", "Task stopped by user")
    assert (ended.stopping_at, ended.stopped_at) == (4.0, 9.0)


@pytest.mark.parametrize("status", ["DEACTIVATING", "STOPPING"])
def test_a_late_running_does_not_move_a_stop_backwards(status: str) -> None:
    stopping = task(desired_status="STOPPED", last_status=status, stop_code="UserInitiated")
    assert apply_report(stopping, UP, ESSENTIAL, 9.0).last_status == status


def test_nothing_changes_a_stopped_task() -> None:
    ended = apply_report(task(), DOWN, ESSENTIAL, 9.0)
    for late in (UP, DOWN, report("PENDING")):
        assert apply_report(ended, late, ESSENTIAL, 99.0) is ended


@pytest.mark.parametrize(("registered", "expected"), [(True, "DEACTIVATING"), (False, "STOPPING")])
def test_a_dead_essential_container_ends_the_task(registered: bool, expected: str) -> None:
    running = apply_report(task(targets_registered=registered), UP, ESSENTIAL, 10.0)
    dead = report(None, ContainerReport("web", "STOPPED", exit_code=1))
    ending = apply_report(running, dead, ESSENTIAL, 11.0)
    assert (ending.desired_status, ending.last_status) == ("STOPPED", expected)
    assert ending.stop_code == "EssentialContainerExited"
    assert ending.execution_stopped_at == ending.stopping_at == 11.0


def test_a_non_essential_exit_leaves_the_task_running() -> None:
    running = apply_report(task(), UP, ESSENTIAL, 10.0)
    after = apply_report(
        running, report(None, ContainerReport("log", "STOPPED", exit_code=0)), ESSENTIAL, 11.0
    )
    assert (after.desired_status, after.last_status) == ("RUNNING", "RUNNING")
    assert after.containers[1].exit_code == 0


def test_a_container_that_the_task_does_not_have_is_ignored() -> None:
    after = apply_report(
        task(), report("RUNNING", ContainerReport("pause", "RUNNING")), ESSENTIAL, 1.0
    )
    assert [c.name for c in after.containers] == ["web", "log"]


STATUSES = st.sampled_from([None, "PENDING", "RUNNING", "STOPPED"])
CONTAINERS = st.builds(
    ContainerReport,
    name=st.sampled_from(["web", "log"]),
    status=STATUSES,
    exit_code=st.sampled_from([None, 0, 1]),
    reason=st.sampled_from([None, "", "CannotPullContainerError: x"]),
    runtime_id=st.sampled_from([None, "aa"]),
)
REPORTS = st.builds(
    TaskReport, status=STATUSES, containers=st.lists(CONTAINERS, max_size=3).map(tuple)
)


@given(st.lists(REPORTS, max_size=8))
def test_status_only_moves_forward_whatever_comes(reports: list[TaskReport]) -> None:
    states = [task()]
    for now, each in enumerate(reports):
        states.append(apply_report(states[-1], each, ESSENTIAL, float(now + 1)))
    for before, after in itertools.pairwise(states):
        assert TASK_STATUS_ORDER[after.last_status] >= TASK_STATUS_ORDER[before.last_status]
        assert after.version >= before.version
        assert not (before.desired_status == "STOPPED" and after.desired_status == "RUNNING")
        assert before.stop_code in (None, after.stop_code)
        for old, new in zip(before.containers, after.containers, strict=True):
            assert old.exit_code in (None, new.exit_code)


@given(st.lists(REPORTS, max_size=4), REPORTS)
def test_a_duplicate_changes_nothing(earlier: list[TaskReport], last: TaskReport) -> None:
    state = task()
    for each in earlier:
        state = apply_report(state, each, ESSENTIAL, 1.0)
    once = apply_report(state, last, ESSENTIAL, 2.0)
    twice = apply_report(once, last, ESSENTIAL, 3.0)
    assert msgspec.to_builtins(twice) == msgspec.to_builtins(once)
