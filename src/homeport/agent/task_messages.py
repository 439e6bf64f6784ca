"""What the owner of a task is told: by the control plane, by the Engine, by its own work."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import ContainerFacts
from .execute.targets import ExecuteAgentSeen
from .launch import Failed, Launched, Progress
from .task_state import Reported


@dataclass(frozen=True, slots=True)
class StopWanted:
    """The control plane wants the task stopped."""


@dataclass(frozen=True, slots=True)
class Died:
    """The Engine says that a container's process has ended. ``at``: epoch seconds."""

    name: str
    docker_id: str
    exit_code: int
    out_of_memory: bool
    at: float


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """The Engine's verdict of a health check: healthy or unhealthy."""

    name: str
    docker_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What ``inspect`` shows of a container; None = the Engine has none."""

    name: str
    facts: ContainerFacts | None


@dataclass(frozen=True, slots=True)
class LaunchEnded:
    """A launch is over; None = it was interrupted."""

    name: str
    result: Launched | Failed | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class StopEnded:
    """A stop is over, whatever came of it."""

    name: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The control plane knows this much."""

    reported: Reported


@dataclass(frozen=True, slots=True)
class Restarted:
    """A container was started again by its restart policy; ``reason``: why it could not be."""

    name: str
    exit_code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """The namespaces that the containers share are there, with the task's interface."""


@dataclass(frozen=True, slots=True)
class Released:
    """What the containers shared is gone."""


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """What holds the shared namespaces has ended by itself: no container can join them again."""


Message = (
    Attached
    | PauseEnded
    | Released
    | ExecuteAgentSeen
    | Restarted
    | StopWanted
    | Died
    | HealthChanged
    | Looked
    | LaunchEnded
    | StopEnded
    | Acknowledged
)
