"""Events as EventBridge carries them, kept until somebody matches rules against them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One event. ``sequence`` numbers the events of this installation without a gap; ``detail``
    is its JSON text."""

    sequence: int
    id: str
    time: float
    source: str
    detail_type: str
    resources: tuple[str, ...]
    detail: str


class EventCounter(msgspec.Struct, frozen=True):
    """The sequence of the latest event."""

    name: str
    last: int


class ServiceAction(NamedTuple):
    """What an ``ECS Service Action`` event says ("Amazon ECS service action events", developer
    guide); ``name`` empty: a service event that is none."""

    type: str = ""
    name: str = ""


STEADY_STATE = ServiceAction("INFO", "SERVICE_STEADY_STATE")
TASKS_STOPPED = ServiceAction("INFO", "TASKS_STOPPED")
START_IMPAIRED = ServiceAction("WARN", "SERVICE_TASK_START_IMPAIRED")
PLACEMENT_FAILURE = ServiceAction("ERROR", "SERVICE_TASK_PLACEMENT_FAILURE")
