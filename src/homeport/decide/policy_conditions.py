"""Patterns, policy variables and condition operators of IAM policies.

Source: "IAM JSON policy elements: Condition operators" and "… Variables and tags", IAM user
guide. Context keys are compared without regard to case; the caller gives them in lower case.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

Context = Mapping[str, tuple[str, ...]]
"""Condition key in lower case → the request's values."""

Pattern = tuple[tuple[str, bool], ...]
"""Characters, each with whether it is a wildcard: a variable's value never brings one in."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_MANY, _ONE = ("*", True), ("?", True)


class UnresolvedVariable(Exception):
    """A policy variable names a key that the request does not have, and has no default."""


def compile_pattern(text: str, context: Context, variables: bool) -> Pattern:
    """The pattern with its variables filled in; raises ``UnresolvedVariable``."""
    out: list[tuple[str, bool]] = []
    at = 0
    for found in _VARIABLE.finditer(text) if variables else ():
        out.extend((c, c in "*?") for c in text[at : found.start()])
        out.extend((c, False) for c in _value_of(found[1], context))
        at = found.end()
    out.extend((c, c in "*?") for c in text[at:])
    return tuple(out)


def _value_of(expression: str, context: Context) -> str:
    if expression in ("*", "?", "$"):
        return expression
    name, comma, default = expression.partition(",")
    values = context.get(name.strip().lower(), ())
    if len(values) == 1:
        return values[0]
    if comma:
        return default.strip().strip("'")
    raise UnresolvedVariable(name)


def literal(pattern: Pattern) -> str:
    """The pattern's text, its wildcards taken as they are written."""
    return "".join(c for c, _ in pattern)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole text matches; at most len(pattern) x len(text) steps."""
    at = place = 0
    star, retry = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == _MANY:
            star, retry = at, place
            at += 1
        elif at < len(pattern) and (pattern[at] == _ONE or pattern[at] == (text[place], False)):
            at, place = at + 1, place + 1
        elif star >= 0:
            retry += 1
            at, place = star + 1, retry
        else:
            return False
    return all(piece == _MANY for piece in pattern[at:])


def _arn_like(pattern: Pattern, value: str) -> bool:
    """Each of an ARN's six parts on its own: a wildcard does not reach over a colon."""
    parts: list[list[tuple[str, bool]]] = [[]]
    for piece in pattern:
        if piece == (":", False) and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(piece)
    values = value.split(":", 5)
    return len(parts) == len(values) and all(
        matches(tuple(part), text) for part, text in zip(parts, values, strict=True)
    )


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(pattern: Pattern, value: str) -> bool:
        try:
            return compare(Decimal(value), Decimal(literal(pattern)))
        except InvalidOperation:
            return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Test:
    def test(pattern: Pattern, value: str) -> bool:
        try:
            return compare(_seconds(value), _seconds(literal(pattern)))
        except ValueError:
            return False

    return test


def _seconds(text: str) -> float:
    if text.isdecimal():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(pattern: Pattern, value: str) -> bool:
    try:
        network = ipaddress.ip_network(literal(pattern), strict=False)
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


Test = Callable[[Pattern, str], bool]

_TESTS: Mapping[str, Test] = {
    "StringEquals": lambda pattern, value: literal(pattern) == value,
    "StringEqualsIgnoreCase": lambda pattern, value: literal(pattern).lower() == value.lower(),
    "StringLike": matches,
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
    "DateEquals": _date(lambda a, b: a == b),
    "DateLessThan": _date(lambda a, b: a < b),
    "DateLessThanEquals": _date(lambda a, b: a <= b),
    "DateGreaterThan": _date(lambda a, b: a > b),
    "DateGreaterThanEquals": _date(lambda a, b: a >= b),
    "Bool": lambda pattern, value: literal(pattern).lower() == value.lower(),
    "BinaryEquals": lambda pattern, value: literal(pattern) == value,
    "IpAddress": _in_network,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
}

_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def is_operator(name: str) -> bool:
    """Whether IAM has the operator, with its ``ForAllValues:`` and ``IfExists`` forms."""
    base = name.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    name = base.removesuffix("IfExists")
    return base == "Null" or name in _TESTS or name in _NEGATED


def holds(operator: str, values: tuple[str, ...] | None, wanted: tuple[Pattern, ...]) -> bool:
    """Whether one operator holds for one key.

    ``values`` are the request's (None: it does not have the key); ``wanted`` the policy's.
    """
    base = operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    if base == "Null":
        return any((literal(each).lower() == "true") == (values is None) for each in wanted)
    name = base.removesuffix("IfExists")
    negated = name in _NEGATED
    if not values:
        return (
            (negated and not operator.startswith("ForAnyValue:"))
            or name != base
            or operator.startswith("ForAllValues:")
        )
    test = _TESTS[_NEGATED.get(name, name)]
    each = [any(test(pattern, value) for pattern in wanted) != negated for value in values]
    if operator.startswith("ForAllValues:") or (
        negated and not operator.startswith("ForAnyValue:")
    ):
        return all(each)
    return any(each)
