"""What to do next for a task. Pure: (task, who is being worked on, now) → steps."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from homeport.decide.container_order import Never, Ready, Waiting, may_start, may_stop

from .task_state import STOPPED_EXIT, TaskState, nodes, settled, to_release, with_container


@dataclass(frozen=True, slots=True)
class Steps:
    """Containers to launch and to stop now; ``interrupt``: launches that are not wanted any more.

    ``release``: every container has stopped, what they shared is to go. ``wake_at`` (epoch
    seconds): look again then, even if nothing is heard.
    """

    launch: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    interrupt: tuple[str, ...] = ()
    wake_at: float | None = None
    release: bool = False


def next_steps(
    task: TaskState, launching: Set[str], stopping: Set[str], now: float
) -> tuple[TaskState, Steps]:
    """The task after its conclusions are drawn, and what to do for it."""
    task = settled(task, now)
    if task.desired == "RUNNING":
        task, steps = _towards_running(task, launching, now)
        if task.desired == "RUNNING":
            return task, steps
    return _towards_stopped(task, launching, stopping, now)


def _towards_running(task: TaskState, launching: Set[str], now: float) -> tuple[TaskState, Steps]:
    launch: list[str] = []
    wakes: list[float] = []
    seen = nodes(task)
    for node in seen:
        if node.status not in ("NONE", "CREATED") or node.name in launching:
            continue
        match may_start(node, seen, now):
            case Ready():
                launch.append(node.name)
            case Waiting(until):
                wakes += [until] if until is not None else []
            case Never(reason):
                failed = with_container(
                    task,
                    node.name,
                    status="STOPPED",
                    exit_code=STOPPED_EXIT,
                    reason=f"CannotStartContainerError: {reason}",
                )
                return next_steps(failed, launching, frozenset(), now)
    return task, Steps(launch=tuple(launch), wake_at=min(wakes, default=None))


def _towards_stopped(
    task: TaskState, launching: Set[str], stopping: Set[str], now: float
) -> tuple[TaskState, Steps]:
    for state in task.containers:
        if state.status == "NONE" and not state.docker_id and state.name not in launching:
            task = with_container(task, state.name, status="STOPPED")
    seen = nodes(task)
    stop = [
        n.name
        for n in seen
        if n.status in ("CREATED", "RUNNING")
        and n.name not in launching
        and n.name not in stopping
        and may_stop(n, seen)
    ]
    task = settled(task, now)
    return task, Steps(
        stop=tuple(stop),
        interrupt=tuple(sorted(launching)),
        release=to_release(task) and not launching,
    )
