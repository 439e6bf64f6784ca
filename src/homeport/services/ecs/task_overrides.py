"""``overrides`` of RunTask and StartTask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from homeport.domain.task_definition import TaskDefinition

from .errors import ClientException, InvalidParameterException
from .secret_rules import check_files

MAX_LENGTH = 8192
# Cpu units or MiB.
_TASK_SIZE = re.compile(r"[1-9][0-9]{0,8}")


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
        _check_environment(name, item.get("environment") or ())
        _check_files(item, overrides, definition)
    for member in ("cpu", "memory"):
        value = overrides.get(member)
        if value and not _TASK_SIZE.fullmatch(value):
            raise InvalidParameterException(f"Invalid '{member}' setting for task.")


def _check_files(
    item: Mapping[str, Any], overrides: Mapping[str, Any], definition: TaskDefinition
) -> None:
    if not item.get("environmentFiles"):
        return
    try:
        check_files(item)
    except ClientException as error:
        raise InvalidParameterException(error.message) from None
    if not (overrides.get("executionRoleArn") or definition.document.get("executionRoleArn")):
        raise InvalidParameterException(
            "When you are specifying environment files, you must also specify a value for "
            "'executionRoleArn'."
        )


def _check_size(what: str, value: int | None, may_be_zero: bool) -> None:
    if value is not None and (value < 0 or (value == 0 and not may_be_zero)):
        raise InvalidParameterException(f"Override for {what} is not valid: {value}.")


def _check_environment(container: str, variables: Iterable[Mapping[str, Any]]) -> None:
    if not all(variable.get("name") and "value" in variable for variable in variables):
        raise InvalidParameterException(
            f"Environment variables of container {container} must have a name and a value."
        )
