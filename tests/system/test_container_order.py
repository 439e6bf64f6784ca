"""Containers of a task start and stop in the order that their dependencies say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

READY = {
    "command": ["CMD-SHELL", "test -e /ready"],
    "interval": 5,
    "timeout": 2,
    "retries": 5,
    "startPeriod": 1,
}
POLITE = "trap 'exit 0' TERM; {0} sleep 600 & wait"


def four_containers(plane: ControlPlane) -> str:
    """An init that must succeed, an app with a check, a sidecar that waits for it, a router."""
    return register(
        plane,
        container("init", "sleep 2", essential=False),
        container(
            "app",
            POLITE.format("sleep 1; touch /ready;"),
            dependsOn=[{"containerName": "init", "condition": "SUCCESS"}],
            healthCheck=READY,
        ),
        container(
            "sidecar",
            POLITE.format(""),
            essential=False,
            dependsOn=[{"containerName": "app", "condition": "HEALTHY"}],
        ),
        container("router", "sleep 1; exit 9", essential=False),
    )


def when(seen: dict[str, dict[str, Any]], name: str, moment: str) -> datetime:
    text: str = seen[name]["State"][moment]
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


def has_started(task: Running, name: str) -> bool:
    seen = task.containers()
    return name in seen and seen[name]["State"]["Status"] != "created"


def check_timeline(task: Running) -> None:
    """Runs the task to its end; every moment is the Engine's own."""
    eventually("the sidecar runs", lambda: has_started(task, "sidecar"), 60)
    task.reaches("RUNNING")
    seen = task.containers()
    assert when(seen, "init", "FinishedAt") <= when(seen, "app", "StartedAt")
    assert seen["app"]["State"]["Health"]["Status"] == "healthy"
    (first, *_) = [log for log in seen["app"]["State"]["Health"]["Log"] if log["ExitCode"] == 0]
    healthy_at = datetime.fromisoformat(first["End"][:26].rstrip("Z") + "+00:00")
    assert healthy_at <= when(seen, "sidecar", "StartedAt")
    assert when(seen, "router", "StartedAt") <= when(seen, "app", "StartedAt")
    eventually("the router has ended", lambda: _exit_codes(task).get("router") == 9, 20)
    assert task.describe()["lastStatus"] == "RUNNING", "the router is not essential"
    task.stop("enough")
    task.reaches("STOPPED")
    seen = task.containers()
    assert when(seen, "sidecar", "FinishedAt") <= when(seen, "app", "FinishedAt")
    assert _exit_codes(task) == {"init": 0, "app": 0, "sidecar": 0, "router": 9}


def _exit_codes(task: Running) -> dict[str, int]:
    return {c["name"]: c["exitCode"] for c in task.describe()["containers"] if "exitCode" in c}


def test_four_containers_start_and_stop_in_order(control_plane: ControlPlane) -> None:
    check_timeline(run(control_plane, four_containers(control_plane)))


@pytest.mark.parametrize("moment", ["init", "app"])
def test_the_order_holds_when_the_agent_is_killed_half_way(
    control_plane: ControlPlane, moment: str
) -> None:
    task = run(control_plane, four_containers(control_plane))
    eventually(f"{moment} runs", lambda: has_started(task, moment), 60)
    before = {name: c["Id"] for name, c in task.containers().items()}
    control_plane.kill_agent()
    check_timeline(task)
    after = {name: c["Id"] for name, c in task.containers().items()}
    assert before.items() <= after.items(), "nothing is created twice"
    assert len(after) == 4


def test_an_init_that_fails_ends_the_task_before_the_app_starts(
    control_plane: ControlPlane,
) -> None:
    definition = register(
        control_plane,
        container("init", "exit 4", essential=False),
        container("app", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
    )
    task = run(control_plane, definition)
    seen = task.reaches("STOPPED")
    assert seen["stopCode"] == "TaskFailedToStart"
    assert not has_started(task, "app")
    codes = {c["name"]: c.get("exitCode") for c in seen["containers"]}
    assert codes["init"] == 4


def test_a_dependency_that_takes_too_long_ends_the_task(control_plane: ControlPlane) -> None:
    definition = register(
        control_plane,
        container("slow", "sleep 600", essential=False, startTimeout=2),
        container("app", dependsOn=[{"containerName": "slow", "condition": "COMPLETE"}]),
    )
    task = run(control_plane, definition)
    seen = task.reaches("STOPPED", 60)
    assert not has_started(task, "app")
    assert "slow" in " ".join(c.get("reason", "") for c in seen["containers"])


@pytest.mark.timeout(300)
def test_a_restart_policy_starts_a_container_again(control_plane: ControlPlane) -> None:
    """After it ran the least period that AWS allows; what it wrote is still there."""
    once = "test -e /been && sleep 600; touch /been; sleep 61; exit 5"
    policy = {"enabled": True, "restartAttemptPeriod": 60, "ignoredExitCodes": [0]}
    definition = register(
        control_plane,
        container("main", "sleep 600"),
        container("worker", once, essential=False, restartPolicy=policy),
        container("crashing", "exit 5", essential=False, restartPolicy=policy),
    )
    task = run(control_plane, definition)
    eventually("the one that crashes at once is not", lambda: _exit_codes(task) == {"crashing": 5})
    first = task.containers()["worker"]["State"]["StartedAt"]

    def again() -> bool:
        state = task.containers()["worker"]["State"]
        return bool(state["Running"] and state["StartedAt"] != first)

    eventually("the worker runs again", again, 120)
    seen = {c["name"]: c["lastStatus"] for c in task.describe()["containers"]}
    assert seen == {"main": "RUNNING", "worker": "RUNNING", "crashing": "STOPPED"}
    task.stop()
    task.reaches("STOPPED")
