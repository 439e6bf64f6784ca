"""Conditions of rules.

Source: "Listener rules for your Application Load Balancer", rule condition types.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeport.domain.load_balancing import Condition

from .errors import TooManyRules, ValidationError

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import RuleConditionUnionTypeDef

FIELDS = (
    "path-pattern",
    "host-header",
    "http-header",
    "http-request-method",
    "query-string",
    "source-ip",
)
ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")
CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
MAX_VALUES = 5
MAX_WILDCARDS = 5
MAX_LENGTH = 128

_PATH = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]+")
_HOST = re.compile(r"[A-Za-z0-9\-.*?]+")
_METHOD = re.compile(r"[A-Z_-]{1,40}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9*?!#$%&'+\-.^_`|~]{1,40}")


def parse_conditions(items: Sequence[RuleConditionUnionTypeDef]) -> tuple[Condition, ...]:
    """The conditions of a request, checked."""
    if not items:
        raise ValidationError("A condition must be specified: Conditions")
    conditions = tuple(_parse(item) for item in items)
    for field in ONCE:
        if sum(c.field == field for c in conditions) > 1:
            raise ValidationError(f"A rule can only have one '{field}' condition")
    values = [text for c in conditions for text in _texts(c)]
    if len(values) > MAX_VALUES:
        raise TooManyRules(f"A rule can only have '{MAX_VALUES}' condition values")
    if sum(text.count("*") + text.count("?") for text in values) > MAX_WILDCARDS:
        raise TooManyRules(f"A rule can only have '{MAX_WILDCARDS}' condition wildcards")
    return conditions


def _texts(condition: Condition) -> list[str]:
    return [*condition.values, *(key + value for key, value in condition.query_pairs)]


def _parse(item: RuleConditionUnionTypeDef) -> Condition:
    field = item.get("Field") or ""
    if field not in FIELDS:
        raise ValidationError(f"Condition field '{field}' must be one of '[{','.join(FIELDS)}]'")
    if item.get("RegexValues"):
        raise ValidationError("Homeport does not match regular expressions yet: RegexValues")
    document: Mapping[str, Any] = item
    config = document.get(CONFIGS[field]) or {}
    if field == "query-string":
        return _query_string(config)
    values = tuple(config.get("Values") or item.get("Values") or ())
    if not values:
        raise ValidationError("A condition value must be specified")
    for value in values:
        _check_value(field, value)
    name = config.get("HttpHeaderName") or ""
    if field == "http-header" and not _HEADER_NAME.fullmatch(name):
        raise ValidationError("HttpHeaderName must be a header name of at most 40 characters")
    return Condition(field=field, values=values, http_header_name=name)


def _query_string(config: Mapping[str, Any]) -> Condition:
    pairs = tuple((p.get("Key") or "", p.get("Value") or "") for p in config.get("Values") or ())
    if not pairs or any(not value for _key, value in pairs):
        raise ValidationError("A condition value must be specified")
    for pair in pairs:
        for text in pair:
            _check_length("query-string", text)
    return Condition(field="query-string", query_pairs=pairs)


def _check_length(field: str, text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            f"Condition value of field '{field}' cannot be longer than '{MAX_LENGTH}' characters"
        )


def _check_value(field: str, value: str) -> None:
    _check_length(field, value)
    patterns = {"path-pattern": _PATH, "host-header": _HOST, "http-request-method": _METHOD}
    pattern = patterns.get(field)
    valid = bool(value) and (pattern is None or pattern.fullmatch(value) is not None)
    if field == "host-header":
        valid = valid and "." in value
    if field == "source-ip":
        valid = _is_cidr(value)
    if not valid:
        raise ValidationError(f"Condition value '{value}' is not valid for the field '{field}'")


def _is_cidr(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value and value != "255.255.255.255/32"


def view(condition: Condition) -> dict[str, object]:
    """A condition as ELBv2 returns it."""
    values = list(condition.values)
    config: dict[str, object] = {"Values": values}
    if condition.field == "query-string":
        pairs = [{"Key": k, "Value": v} if k else {"Value": v} for k, v in condition.query_pairs]
        return {"Field": condition.field, "QueryStringConfig": {"Values": pairs}}
    if condition.field == "http-header":
        config["HttpHeaderName"] = condition.http_header_name
    answer: dict[str, object] = {"Field": condition.field, CONFIGS[condition.field]: config}
    if condition.field in ("path-pattern", "host-header"):
        answer["Values"] = values
    return answer
