"""What RunTask, CreateService and UpdateService refuse of FARGATE tasks, and platform versions.

Sources: "Fargate platform versions for Amazon ECS", "Amazon ECS task placement", developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.domain.task_definition import TaskDefinition

from .errors import (
    InvalidParameterException,
    PlatformTaskDefinitionIncompatibilityException,
    PlatformUnknownException,
)
from .fargate_rules import check_ephemeral_storage
from .task_size import check_fargate_size

Request = Mapping[str, Any]  # RunTask, CreateService and UpdateService share members

LATEST = "LATEST"
NEWEST = "1.4.0"
VERSIONS = (NEWEST, "1.3.0")
FAMILY = "Linux"
# The largest task before platform version 1.4.0.
MAX_CPU_BEFORE_1_4 = 4096


def check_fargate_launch(request: Request, definition: TaskDefinition, overrides: Request) -> None:
    """Raise for what only tasks on container instances can have, and for sizes there are not."""
    if request.get("placementConstraints"):
        raise InvalidParameterException(
            "Placement constraints are not supported with FARGATE launch type."
        )
    if request.get("placementStrategy"):
        raise InvalidParameterException(
            "Placement strategies are not supported with FARGATE launch type."
        )
    if request.get("schedulingStrategy") == "DAEMON":
        raise InvalidParameterException(
            "The daemon scheduling strategy does not support the FARGATE launch type. Change the "
            "launch type and try again"
        )
    cpu, memory = overrides.get("cpu"), overrides.get("memory")
    if cpu or memory:
        check_fargate_size(
            int(cpu) if cpu else definition.cpu, int(memory) if memory else definition.memory
        )
    check_ephemeral_storage(overrides)


def platform_version(
    request: Request, launch_type: str, definition: TaskDefinition, current: str = ""
) -> str:
    """``platformVersion`` as it is kept: what was given, else ``current``, else LATEST.

    Empty for other launch types, which have none.
    """
    given = request.get("platformVersion") or ""
    if launch_type != "FARGATE":
        if given:
            raise InvalidParameterException(
                f"The platform version must be null when specifying an {launch_type} launch type."
            )
        return ""
    version: str = given or current or LATEST
    if version not in (LATEST, *VERSIONS):
        raise PlatformUnknownException
    older = resolved(version) != NEWEST
    large = (definition.cpu or 0) > MAX_CPU_BEFORE_1_4
    if older and (large or definition.document.get("ephemeralStorage")):
        raise PlatformTaskDefinitionIncompatibilityException
    return version


def resolved(version: str) -> str:
    """The version that LATEST stands for today; empty stays empty."""
    return NEWEST if version == LATEST else version


def platform_members(launch_type: str, version: str) -> dict[str, object]:
    """``platformVersion`` and ``platformFamily`` of a view; nothing for other launch types."""
    if launch_type != "FARGATE":
        return {}
    return {"platformVersion": version, "platformFamily": FAMILY}
