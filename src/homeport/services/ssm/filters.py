"""``ParameterFilters``: which parameters a list is about.

Source: ParameterStringFilter, Systems Manager API reference. Filters narrow each other; the
values of one filter are alternatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from homeport.domain.parameter import Parameter, ParameterVersion
from homeport.services.call import Call
from homeport.store.schema import PARAMETER_VERSIONS

from .errors import InvalidFilterKey, InvalidFilterOption, InvalidFilterValue

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import ParameterStringFilterTypeDef

MAX_VALUES = 50
BY_PATH_KEYS = ("Type", "KeyId", "Label")
KEYS = ("Path", "Name", "Tier", "DataType", *BY_PATH_KEYS)
OPTIONS = {"Path": ("Recursive", "OneLevel"), "Name": ("Equals", "BeginsWith", "Contains")}
DEFAULT_OPTION = {"Path": "OneLevel"}
EQUALITY = ("Equals", "BeginsWith")


def matching(
    call: Call,
    parameters: Iterable[Parameter],
    filters: Sequence[ParameterStringFilterTypeDef],
    *,
    by_path: bool = False,
) -> list[Parameter]:
    """Those that every filter lets through. Raises InvalidFilter…."""
    tests = [_test(call, f, by_path) for f in filters]
    return [p for p in parameters if all(test(p) for test in tests)]


def _test(
    call: Call, given: ParameterStringFilterTypeDef, by_path: bool
) -> Callable[[Parameter], bool]:
    key, values = given["Key"], list(given.get("Values") or ())
    is_tag = key.startswith("tag:") and not by_path
    if not is_tag and key not in (BY_PATH_KEYS if by_path else KEYS):
        raise InvalidFilterKey(
            f"The following filter key is not valid: {key[:132]}. Valid filter keys include: "
            f"[{', '.join(BY_PATH_KEYS if by_path else KEYS)}]."
        )
    if len(values) > MAX_VALUES:
        raise InvalidFilterValue(f"A filter can have at most {MAX_VALUES} values: {key}.")
    if not values and not is_tag:
        raise InvalidFilterValue(
            f"The following filter values are missing : null for filter key {key}"
        )
    option = given.get("Option") or DEFAULT_OPTION.get(key, "Equals")
    if option not in OPTIONS.get(key, EQUALITY):
        raise InvalidFilterOption(
            f"The following filter option is not valid: {option[:64]}. Valid options include: "
            f"[{', '.join(OPTIONS.get(key, EQUALITY))}]."
        )
    if key == "Path":
        return lambda p: any(_below(p.name, path, option) for path in values)
    if is_tag:
        wanted = key.removeprefix("tag:")
        return lambda p: any(
            t.key == wanted and (not values or _compares(option, t.value, values)) for t in p.tags
        )
    return lambda p: any(_compares(option, fact, values) for fact in _facts(call, p, key))


def _facts(call: Call, parameter: Parameter, key: str) -> tuple[str, ...]:
    if key == "Name":
        # a name is found with and without its leading slash
        return parameter.name, parameter.name.removeprefix("/")
    if key == "Type":
        return (parameter.type,)
    if key == "KeyId":
        return ("alias/aws/ssm",) if parameter.type == "SecureString" else ()
    if key == "Label":
        found = call.tx.find(PARAMETER_VERSIONS, "parameter", parameter.name)
        return tuple(label for v in found for label in v.labels)
    newest = call.tx.get(PARAMETER_VERSIONS, f"{parameter.name}|{parameter.version}")
    return (_fact(newest, key),) if newest else ()


def _fact(version: ParameterVersion, key: str) -> str:
    return version.tier if key == "Tier" else version.data_type


def _compares(option: str, fact: str, values: Sequence[str]) -> bool:
    match option:
        case "BeginsWith":
            return fact.startswith(tuple(values))
        case "Contains":
            return any(value in fact for value in values)
        case _:
            return fact in values


def _below(name: str, path: str, option: str) -> bool:
    prefix = path if path.endswith("/") else f"{path}/"
    if not name.startswith(prefix):
        return prefix == "/" and "/" not in name
    return option == "Recursive" or "/" not in name.removeprefix(prefix)
