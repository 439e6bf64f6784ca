"""Taking log events. Source: PutLogEvents, CloudWatch Logs API reference."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from homeport.domain.logs import DAY_MILLISECONDS, LogGroup
from homeport.services.call import Call, Handler, Response

from .errors import InvalidParameterException, ServiceUnavailableException
from .groups import find_group
from .requests import InputEvent, PutLogEventsRequest
from .streams import find_stream

logger = logging.getLogger(__name__)

MAX_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
OLDEST_MILLISECONDS = 14 * DAY_MILLISECONDS
NEWEST_MILLISECONDS = 2 * 3600 * 1000


def put_log_events(call: Call, request: PutLogEventsRequest) -> Response:
    """Keeps a batch, except what is too old or too new. Sequence tokens are ignored.

    The batch is in the stream's file before this returns; the answer promises no more and no
    less than that it survives a kill of the process.
    """
    group = find_group(call, request["logGroupName"])
    stream = find_stream(call, group, request["logStreamName"])
    events = request["logEvents"]
    _check_size(events)
    times = [event["timestamp"] for event in events]
    _check_order(times)
    first, last, rejected = _acceptable(group, times, int(call.now * 1000))
    if first < last:
        if times[last - 1] - times[first] > DAY_MILLISECONDS:
            raise InvalidParameterException(
                "The batch of log events in a single PutLogEvents request cannot span more than "
                "24 hours."
            )
        messages = [event["message"] for event in events[first:last]]
        _keep(call, stream.events, list(zip(times[first:last], messages, strict=True)))
    return {
        "nextSequenceToken": f"{int(call.now * 1000):056d}",
        "rejectedLogEventsInfo": rejected or None,
    }


def size_of(message: str) -> int:
    """What an event counts as in a batch and in a page."""
    # isascii is a flag of the string: most lines need no encoding to be measured.
    length = len(message) if message.isascii() else len(message.encode("utf-8", "replace"))
    return length + EVENT_OVERHEAD_BYTES


def _check_size(events: Sequence[InputEvent]) -> None:
    total = sum([size_of(event["message"]) for event in events])
    if total > MAX_BATCH_BYTES:
        raise InvalidParameterException(
            f"Upload too large: {total} bytes exceeds limit of {MAX_BATCH_BYTES}"
        )


def _check_order(times: list[int]) -> None:
    if times != sorted(times):
        raise InvalidParameterException(
            "Log events in a single PutLogEvents request must be in chronological order."
        )


def _acceptable(group: LogGroup, times: list[int], now: int) -> tuple[int, int, dict[str, int]]:
    """From and until which index events are kept, and what is said of the others."""
    too_old = bisect_left(times, now - OLDEST_MILLISECONDS)
    expired = bisect_left(times, group.oldest(now / 1000))
    too_new = bisect_right(times, now + NEWEST_MILLISECONDS)
    rejected = {}
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if too_new < len(times):
        rejected["tooNewLogEventStartIndex"] = too_new
    return max(too_old, expired), too_new, rejected


def _keep(call: Call, stream: str, events: list[tuple[int, str]]) -> None:
    try:
        call.logs.append(stream, events, int(call.now * 1000))
    except OSError as error:
        logger.error("%s: %d log events can't be written: %s", stream, len(events), error)
        raise ServiceUnavailableException(
            "The service cannot complete the request: the log events can't be written."
        ) from error


OPERATIONS: dict[str, Handler] = {"PutLogEvents": put_log_events}
