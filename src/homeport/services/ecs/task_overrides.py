"""``overrides`` of RunTask and StartTask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from homeport.domain.task_definition import TaskDefinition

from .errors import InvalidParameterException

MAX_LENGTH = 8192


def check_overrides(overrides: Mapping[str, Any], definition: TaskDefinition) -> None:
    """Raise InvalidParameterException unless the overrides fit the definition."""
    if len(json.dumps(overrides, default=str)) > MAX_LENGTH:
        raise InvalidParameterException(f"Container Overrides length must be at most {MAX_LENGTH}")
    names = {container.name for container in definition.containers}
    for item in overrides.get("containerOverrides") or ():
        name = item.get("name")
        if not name:
            raise InvalidParameterException("Container override name can not be blank.")
        if name not in names:
            raise InvalidParameterException(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )
        for member in ("cpu", "memory", "memoryReservation"):
            _check_size(f"{member} of container {name}", item.get(member), member == "cpu")
    for member in ("cpu", "memory"):
        value = overrides.get(member)
        if value and not (str(value).isdecimal() and int(value) > 0):
            raise InvalidParameterException(f"Invalid '{member}' setting for task.")


def _check_size(what: str, value: int | None, may_be_zero: bool) -> None:
    if value is not None and (value < 0 or (value == 0 and not may_be_zero)):
        raise InvalidParameterException(f"Override for {what} is not valid: {value}.")
