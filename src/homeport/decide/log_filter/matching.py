"""What the three languages of patterns share: the matcher, values with wildcards, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import re2  # type: ignore[import-untyped]

Matcher = Callable[[str], bool]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class PatternError(ValueError):
    """The pattern does not parse."""


def regex(pattern: str) -> Matcher:
    """``%pattern%``: found anywhere. RE2's, so that no pattern takes more than linear time."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(f"%{pattern[:64]}% is not a regular expression: {error}") from None
    return lambda text: cast(object, compiled.search(text)) is not None


def wildcard(value: str) -> Matcher:
    """Equal, where ``*`` stands for any text."""
    if "*" not in value:
        return lambda text: text == value
    first, *middle, last = value.split("*")

    def matches(text: str) -> bool:
        if len(text) < len(first) + len(last):
            return False
        if not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return matches


def number(text: str) -> float | None:
    """A decimal number, with an exponent if it has one, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def ordered(operator: str, value: float, limit: float) -> bool:
    """``value operator limit`` for ``=``, ``!=``, ``<``, ``<=``, ``>`` and ``>=``."""
    match operator:
        case "=":
            return value == limit
        case "!=":
            return value != limit
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case ">":
            return value > limit
        case _:
            return value >= limit
