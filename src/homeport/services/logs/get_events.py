"""Reading one stream, forwards and backwards. Source: GetLogEvents, CloudWatch Logs API reference.

A token is a direction and a position: ``f/NUMBER/s`` continues with the events behind it,
``b/NUMBER/s`` with those ahead of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from homeport.domain.logs import LogGroup
from homeport.logstore import Event, Position
from homeport.services.call import Call, Handler, Response

from .errors import InvalidParameterException
from .groups import identified_group
from .pages import END_OF_TIME, MAX_EVENTS, MAX_PAGE_BYTES, number_of, position_of
from .put_events import size_of
from .requests import GetLogEventsRequest
from .streams import find_stream

_TOKEN = re.compile(r"([fb])/([0-9]{56})/s")


def get_log_events(call: Call, request: GetLogEventsRequest) -> Response:
    """A page in the order of time; the newest one unless ``startFromHead`` or a token says so."""
    group = identified_group(call, request)
    stream = find_stream(call, group, request["logStreamName"])
    start, end = _range(group, request, call.now)
    limit = request.get("limit", MAX_EVENTS)
    direction, position = _read_token(request.get("nextToken"))
    if direction == "b" or (direction is None and not request.get("startFromHead")):
        found = call.logs.read_back(stream.events, start, end, position)
        events = _page(found, limit)[::-1]
    else:
        events = _page(call.logs.read(stream.events, start, end, position), limit)
    forward, backward = _tokens(events, direction, position, start)
    return {
        "events": [_view(event) for event in events],
        "nextForwardToken": forward,
        "nextBackwardToken": backward,
    }


def _range(group: LogGroup, request: GetLogEventsRequest, now: float) -> tuple[int, int]:
    start = max(request.get("startTime", 0), group.oldest(now))
    return start, request.get("endTime", END_OF_TIME)


def _page(found: Iterable[Event], limit: int) -> list[Event]:
    """As many as fit, at least one."""
    events: list[Event] = []
    size = 0
    for event in found:
        size += size_of(event.message)
        if events and size > MAX_PAGE_BYTES:
            break
        events.append(event)
        if len(events) == limit:
            break
    return events


def _read_token(token: str | None) -> tuple[str | None, Position | None]:
    if token is None:
        return None, None
    parsed = _TOKEN.fullmatch(token)
    if parsed is None:
        raise InvalidParameterException("The specified nextToken is invalid.")
    return parsed[1], position_of(int(parsed[2]))


def _tokens(
    events: list[Event], direction: str | None, position: Position | None, start: int
) -> tuple[str, str]:
    """Behind the last and ahead of the first event; at an end the same token comes back."""
    if events:
        first, last = number_of(events[0].position), number_of(events[-1].position)
    elif position is None:
        first = number_of((start, 0))
        last = max(first - 1, 0)
    elif direction == "f":
        last = number_of(position)
        first = last + 1
    else:
        first = number_of(position)
        last = max(first - 1, 0)
    return f"f/{last:056d}/s", f"b/{first:056d}/s"


def _view(event: Event) -> dict[str, object]:
    return {
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
    }


OPERATIONS: dict[str, Handler] = {"GetLogEvents": get_log_events}
