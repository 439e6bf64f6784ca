"""``Filters`` as every Describe operation of EC2 has them.

All filters must hold; of a filter's values any one. ``*`` is any run of characters, ``?`` one.
Source: "List and filter your resources", EC2 user guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from homeport.domain.cluster import Tag
from homeport.wire.paging import paginate

from .errors import InvalidParameterValue

R = TypeVar("R")
Values = Iterable[str]
Fields = Mapping[str, Callable[[R], Values]]
"""Filter name → the values of a resource that it looks at."""

MAX_PAGE = 1000


def select(
    resources: Iterable[R], filters: Sequence[Mapping[str, Any]], fields: Fields[R]
) -> list[R]:
    """The resources for which every filter holds. Raises InvalidParameterValue on a bad name."""
    chosen = list(resources)
    for each in filters:
        name = str(each.get("Name") or "")
        patterns = [_pattern(str(value)) for value in each.get("Values") or ()]
        read = _reader(name, fields)
        chosen = [r for r in chosen if any(p.fullmatch(v) for v in read(r) for p in patterns)]
    return chosen


def _reader(name: str, fields: Fields[R]) -> Callable[[R], Values]:
    if name in fields:
        return fields[name]
    if name.startswith("tag:") and "tag-key" in fields:
        key = name.removeprefix("tag:")
        return lambda resource: [t.value for t in _tags(resource) if t.key == key]
    raise InvalidParameterValue(f"The filter '{name[:128]}' is invalid")


def _tags(resource: Any) -> Sequence[Tag]:
    tags: Sequence[Tag] = resource.tags
    return tags


def tag_keys(resource: Any) -> Values:
    """The reader of the ``tag-key`` filter; a table that has it has ``tag:KEY`` too."""
    return [tag.key for tag in _tags(resource)]


def _pattern(text: str) -> re.Pattern[str]:
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(c) or re.escape(c) for c in text), re.DOTALL)


def yes_no(value: bool) -> str:
    """Booleans in filters are ``true`` and ``false``."""
    return "true" if value else "false"


def page(
    resources: Sequence[R], key: Callable[[R], str], request: Mapping[str, Any]
) -> tuple[list[R], str | None]:
    """One page by ``MaxResults`` and ``NextToken``."""
    size = request.get("MaxResults") or MAX_PAGE
    if not 5 <= size <= MAX_PAGE:
        raise InvalidParameterValue(
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 "
            f"and {MAX_PAGE}."
        )
    return paginate(resources, key, size, request.get("NextToken"), "InvalidNextToken")
