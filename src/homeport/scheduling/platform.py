"""What a host of the platform must have to take a FARGATE task, besides room."""

from __future__ import annotations

from collections.abc import Mapping

from homeport.decide.placement.constraints import Constraint
from homeport.domain.task_definition import TaskDefinition

TASK_LIMITS = "ecs.capability.task-cpu-mem-limit"
"""One limit per task, whatever its containers do."""


def required_of_host(attributes: frozenset[str]) -> frozenset[str]:
    """The attributes that a definition requires, and what FARGATE tasks always do."""
    return attributes | {TASK_LIMITS}


def architecture(definition: TaskDefinition) -> tuple[Constraint, ...]:
    """The processor that a definition asks for by name; without it any host will do."""
    platform = definition.document.get("runtimePlatform")
    wanted = platform.get("cpuArchitecture") if isinstance(platform, Mapping) else None
    if not wanted:
        return ()
    return (Constraint("memberOf", f"attribute:ecs.cpu-architecture == {str(wanted).lower()}"),)
