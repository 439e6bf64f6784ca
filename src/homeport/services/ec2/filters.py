"""``Filters`` as every Describe operation of EC2 has them.

All filters must hold; of a filter's values any one. ``*`` is any run of characters, ``?`` one,
``\\`` takes the meaning from the next. Values are case-sensitive. A filter that EC2 knows and that
nothing here has a value for holds for nothing; one that EC2 does not know is refused.
Source: "List and filter your resources", EC2 user guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol, TypeVar

from homeport.domain.cluster import Tag
from homeport.wire.paging import paginate

from .errors import FilterLimitExceeded, InvalidParameterValue

R = TypeVar("R")
Values = Iterable[str]
Fields = Mapping[str, Callable[[R], Values]]
"""Filter name → the values of a resource that it looks at."""

MIN_PAGE, MAX_PAGE = 5, 1000
MAX_VALUES = 200
TAG = "tag:"
_WILD = re.compile(r"[*?\\]")


class Tagged(Protocol):
    """A resource that can have tags."""

    @property
    def tags(self) -> Sequence[Tag]:
        """Its tags."""


class Wild(Enum):
    """What is not a character in a pattern."""

    ANY_RUN = "*"
    ANY_ONE = "?"


Pattern = Sequence[str | Wild]


def select(
    resources: Iterable[R], filters: Sequence[Mapping[str, Any]], fields: Fields[R]
) -> list[R]:
    """The resources for which every filter holds. Raises InvalidParameterValue on a bad name."""
    chosen = list(resources)
    for each in filters:
        read = _reader(str(each.get("Name") or "null"), fields)
        values = each.get("Values") or ()
        if len(values) > MAX_VALUES:
            raise FilterLimitExceeded(
                f"The maximum number of filter values specified on a single call is {MAX_VALUES}"
            )
        holds = _holds([str(value) for value in values])
        chosen = [r for r in chosen if any(holds(v) for v in read(r))]
    return chosen


def _holds(wanted: Sequence[str]) -> Callable[[str], bool]:
    """Whether a resource's value is one of a filter's: most are looked up, few matched."""
    plain = frozenset(text for text in wanted if not _WILD.search(text))
    patterns = [parse_pattern(text) for text in wanted if text not in plain]
    return lambda value: value in plain or any(matches(p, value) for p in patterns)


def _reader(name: str, fields: Fields[Any]) -> Callable[[Any], Values]:
    if name != TAG and name in fields:
        return fields[name]
    if name.startswith(TAG) and TAG in fields:
        key = name.removeprefix(TAG)
        return lambda resource: [tag.value for tag in resource.tags if tag.key == key]
    raise InvalidParameterValue(f"The filter '{name[:128]}' is invalid")


def _tag_keys(resource: Tagged) -> Values:
    return [tag.key for tag in resource.tags]


def _tag_values(resource: Tagged) -> Values:
    return [tag.value for tag in resource.tags]


TAG_FIELDS: Fields[Any] = {"tag-key": _tag_keys, TAG: _tag_values}
"""The filters ``tag-key`` and ``tag:KEY`` of a table whose resources are Tagged."""


def never(*names: str) -> Fields[Any]:
    """Filters that EC2 knows and that hold for nothing here."""
    return {name: lambda resource: () for name in names}


def parse_pattern(text: str) -> Pattern:
    """A filter's value in parts: characters, and what stands for characters."""
    pattern: list[str | Wild] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            pattern.append(next(characters, "\\"))
        elif character in "*?":
            pattern.append(Wild(character))
        else:
            pattern.append(character)
    return pattern


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole text is what the pattern says.

    Never slower than the product of both lengths: only the last run is ever tried again.
    """
    at = position = 0
    after_run, retry_from = -1, 0
    while position < len(text):
        part = pattern[at] if at < len(pattern) else None
        if part is Wild.ANY_RUN:
            at += 1
            after_run, retry_from = at, position
        elif part is Wild.ANY_ONE or part == text[position]:
            at, position = at + 1, position + 1
        elif after_run >= 0:
            retry_from += 1
            at, position = after_run, retry_from
        else:
            return False
    return all(part is Wild.ANY_RUN for part in pattern[at:])


def yes_no(value: bool) -> str:
    """Booleans in filters are ``true`` and ``false``."""
    return "true" if value else "false"


def page(
    resources: Sequence[R], key: Callable[[R], str], request: Mapping[str, Any]
) -> tuple[list[R], str | None]:
    """One page by ``MaxResults`` and ``NextToken``."""
    size = request.get("MaxResults", MAX_PAGE)
    if not MIN_PAGE <= size <= MAX_PAGE:
        raise InvalidParameterValue(
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between "
            f"{MIN_PAGE} and {MAX_PAGE}."
        )
    return paginate(resources, key, size, request.get("NextToken"), "InvalidNextToken")
