"""IAM's paging: ``Marker``, ``MaxItems``, ``IsTruncated``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from homeport.services.call import Response
from homeport.wire.paging import paginate

T = TypeVar("T")

DEFAULT_ITEMS = 100


def page(
    member: str,
    items: Iterable[T],
    key: Callable[[T], str],
    view: Callable[[T], object],
    request: Mapping[str, Any],
) -> Response:
    """One page of a list, as ``member`` of the answer."""
    found, marker = paginate(
        list(items),
        key,
        request.get("MaxItems", DEFAULT_ITEMS),
        request.get("Marker"),
        "ValidationError",
    )
    answer: dict[str, object] = {
        member: [view(each) for each in found],
        "IsTruncated": marker is not None,
    }
    return answer | ({"Marker": marker} if marker else {})


def in_path(path: str, request: Mapping[str, Any]) -> bool:
    """Whether an entity's path begins with the ``PathPrefix`` asked for."""
    return path.startswith(request.get("PathPrefix") or "/")
