"""Searching a group. Source: FilterLogEvents, CloudWatch Logs API reference.

A page ends with its limit, with its size, or when enough events were looked at: it may have
fewer events than match, or none, and ``nextToken`` goes on behind the last one looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from homeport.decide.log_filter import Matcher, PatternError, compile_pattern
from homeport.domain.logs import LogGroup, LogStream
from homeport.logstore import Event, Place, read_all, read_all_back
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOG_STREAMS

from .errors import InvalidParameterException
from .groups import identified_group
from .pages import END_OF_TIME, MAX_EVENTS, MAX_PAGE_BYTES, event_id, place_of
from .put_events import size_of
from .requests import FilterLogEventsRequest
from .streams import find_stream

LOOKED_AT = 10_000
BACKWARDS_SINCE = 1_704_067_200_000  # 2024-01-01
_TOKEN = re.compile(r"([fb])/([0-9]{56})")

Found = tuple[Place, str, Event]


def filter_log_events(call: Call, request: FilterLogEventsRequest) -> Response:
    """Events of all or some streams of a group, in the order of time, that match a pattern."""
    group = identified_group(call, request)
    matches = _matcher(request.get("filterPattern", ""))
    streams = {stream.events: stream.name for stream in _streams(call, group, request)}
    backwards, since = _where(request)
    start = max(request.get("startTime", 0), group.oldest(call.now))
    end = request.get("endTime", END_OF_TIME) + 1
    read = read_all_back if backwards else read_all
    events, last = _page(
        read(call.logs, list(streams), start, end, since), matches, request.get("limit", MAX_EVENTS)
    )
    direction = "b" if backwards else "f"
    return {
        "events": [_view(place, streams[stream], event) for place, stream, event in events],
        "searchedLogStreams": [],
        "nextToken": None if last is None else f"{direction}/{event_id(last)}",
    }


def _page(found: Iterator[Found], matches: Matcher, limit: int) -> tuple[list[Found], Place | None]:
    """What matches, and the last place looked at if there is more behind it."""
    page: list[Found] = []
    size = 0
    last: Place | None = None
    for looked_at, (place, stream, event) in enumerate(found):
        if looked_at == LOOKED_AT or len(page) == limit:
            return page, last
        if matches(event.message):
            size += size_of(event.message)
            if page and size > MAX_PAGE_BYTES:
                return page, last
            page.append((place, stream, event))
        last = place
    return page, None


def _matcher(pattern: str) -> Matcher:
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise InvalidParameterException(f"Invalid filter pattern: {error}") from None


def _streams(call: Call, group: LogGroup, request: FilterLogEventsRequest) -> Sequence[LogStream]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException(
            "LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters: "
            "logStreamNames, logStreamNamePrefix."
        )
    if names:
        return [find_stream(call, group, name) for name in names]
    streams = call.tx.find(LOG_STREAMS, "group", group.arn)
    return [stream for stream in streams if stream.name.startswith(prefix or "")]


def _where(request: FilterLogEventsRequest) -> tuple[bool, Place | None]:
    """Whether newest first, and from where; a token knows its direction."""
    token = request.get("nextToken")
    if token is not None:
        parsed = _TOKEN.fullmatch(token)
        if parsed is None:
            raise InvalidParameterException("The specified nextToken is invalid.")
        return parsed[1] == "b", place_of(parsed[2])
    backwards = not request.get("startFromHead", True)
    if backwards and request.get("startTime", 0) < BACKWARDS_SINCE:
        raise InvalidParameterException(
            "startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z."
        )
    return backwards, None


def _view(place: Place, stream_name: str, event: Event) -> dict[str, object]:
    return {
        "logStreamName": stream_name,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": event_id(place),
    }


OPERATIONS: dict[str, Handler] = {"FilterLogEvents": filter_log_events}
