"""Names of parameters, and what a reader may name: a name or an ARN, with a version or label.

Source: "Requirements and constraints for parameter names", Systems Manager user guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homeport.domain.parameter import Parameter, ParameterVersion
from homeport.services.call import Call
from homeport.store.schema import PARAMETER_VERSIONS, PARAMETERS

from .errors import (
    AccessDeniedException,
    HierarchyLevelLimitExceededException,
    ParameterNotFound,
    ParameterVersionNotFound,
    ValidationException,
)

MAX_LEVELS = 15
MAX_ARN = 1011
MAX_DIGITS = 18
_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)
_FORM = (
    'Parameter name: can\'t be prefixed with "{}" (case-insensitive). If formed as a path, it can '
    "consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
    "letters, numbers and the following 3 symbols .-_"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asked for. ``selector`` is ``:3``, ``:label`` or empty."""

    given: str
    name: str
    selector: str


def check_name(call: Call, name: str) -> None:
    """Raise unless a parameter may have this name."""
    if name.lower().startswith("/aws"):
        raise AccessDeniedException(f"No access to reserved parameter name: {name[:128]}.")
    if reserved := _RESERVED.match(name):
        prefix = "ssm" if reserved[1].lower() == "ssm" else 'aws" or "ssm'
        raise ValidationException(_FORM.format(prefix))
    if not _NAME.fullmatch(name):
        raise ValidationException(_FORM.format("ssm"))
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if name.strip("/").count("/") >= MAX_LEVELS:
        raise HierarchyLevelLimitExceededException
    if len(call.arns.parameter(name)) > MAX_ARN:
        raise ValidationException(
            f"Parameter name is too long: its ARN may have up to {MAX_ARN} characters."
        )


def wanted(call: Call, given: str) -> Wanted:
    """A name or ARN with or without a selector, taken apart."""
    prefix = call.arns.parameter("")
    if given.startswith("arn:"):
        path, colon, selector = given.removeprefix(prefix).partition(":")
        if not given.startswith(prefix):
            return Wanted(given, given, "")
        names = (path, f"/{path}")
        if "/" in path or call.tx.get(PARAMETERS, path) is None:
            names = names[::-1]
        return Wanted(given, names[0], colon + selector)
    name, colon, selector = given.partition(":")
    return Wanted(given, name, colon + selector)


def find_parameter(call: Call, name: str) -> Parameter:
    """By name. Raises ParameterNotFound."""
    parameter = call.tx.get(PARAMETERS, name)
    if parameter is None:
        raise ParameterNotFound(f"Parameter {name[:256]} not found.")
    return parameter


def find_version(call: Call, wish: Wanted) -> ParameterVersion:
    """The version that is wanted, by default the newest."""
    parameter = find_parameter(call, wish.name)
    label = wish.selector[1:]
    if not wish.selector:
        label = str(parameter.version)
    numbered = label.isascii() and label.isdigit() and len(label) <= MAX_DIGITS
    if numbered:
        found = call.tx.get(PARAMETER_VERSIONS, f"{parameter.name}|{int(label)}")
    else:
        found = next((v for v in versions(call, parameter.name) if label in v.labels), None)
    if found is None:
        kind = "version" if numbered else "label"
        raise ParameterVersionNotFound(
            f"Systems Manager could not find {kind} {label[:100]} of {parameter.name}. "
            f"Verify the {kind} and try again."
        )
    return found


def versions(call: Call, name: str) -> list[ParameterVersion]:
    """Every version of a parameter, the oldest first."""
    found = call.tx.find(PARAMETER_VERSIONS, "parameter", name)
    return sorted(found, key=lambda v: v.version)
