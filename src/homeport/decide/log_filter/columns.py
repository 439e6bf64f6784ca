"""Columns: ``[ip, user, ..., status_code = 4*, bytes > 1000]`` over a message's own columns.

A message is split at white space; what is in double quotes or in brackets is one column. ``...``
stands for any number of columns. A condition is a comparison, or several of the same column with
``&&`` and ``||`` (``&&`` binds tighter).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .matching import Matcher, PatternError, number, ordered, regex, wildcard

_COLUMN = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_CONDITION = re.compile(
    r'\s*(?P<name>\w+)\s*(?:(?P<operator>!=|<=|>=|=|<|>)\s*(?P<value>"[^"]*"|%[^%]+%|[^\s"%|&]+)\s*)?'
)


def compile_columns(text: str) -> Matcher:
    """Raises PatternError."""
    if not text.endswith("]"):
        raise PatternError("a pattern of columns ends with ']'")
    columns = [_condition(part.strip()) for part in _split(text[1:-1])]
    if columns.count(None) > 1:
        raise PatternError("'...' can be given once")
    at = columns.index(None) if None in columns else len(columns)
    before = [c for c in columns[:at] if c is not None]
    after = [c for c in columns[at + 1 :] if c is not None]
    exact = None not in columns

    def matches(message: str) -> bool:
        found = _columns(message)
        least = len(before) + len(after)
        if len(found) < least or (exact and len(found) != least):
            return False
        return _all(before, found) and _all(after, found[len(found) - len(after) :])

    return matches


def _all(conditions: Sequence[Matcher], columns: Sequence[str]) -> bool:
    return all(holds(column) for holds, column in zip(conditions, columns, strict=False))


def _columns(message: str) -> list[str]:
    return [
        next((group for group in found.groups() if group is not None), "")
        for found in _COLUMN.finditer(message)
    ]


def _split(text: str) -> list[str]:
    """At commas outside of quotes."""
    return re.findall(r'(?:[^,"%]|"[^"]*"|%[^%]*%)+', text)


def _condition(text: str) -> Matcher | None:
    """The test of one column; None for ``...``."""
    if text == "...":
        return None
    alternatives = [
        [_comparison(part) for part in either.split("&&")] for either in text.split("||")
    ]
    return lambda column: any(all(holds(column) for holds in every) for every in alternatives)


def _comparison(text: str) -> Matcher:
    parsed = _CONDITION.fullmatch(text)
    if parsed is None:
        raise PatternError(f"'{text[:64]}' is no column")
    operator, value = parsed["operator"], parsed["value"]
    if operator is None:
        return lambda column: True
    limit = number(value)
    if limit is not None:
        return lambda column: _number_holds(column, operator, limit)
    if operator not in ("=", "!="):
        raise PatternError(f"'{value[:64]}' is no number")
    equal = regex(value[1:-1]) if value.startswith("%") else wildcard(value.strip('"'))
    return equal if operator == "=" else lambda column: not equal(column)


def _number_holds(column: str, operator: str, limit: float) -> bool:
    value = number(column)
    if value is None:
        return operator == "!="
    return ordered(operator, value, limit)
