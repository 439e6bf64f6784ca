"""``GET /homeport/events``: the kept events, oldest first. An extension: AWS shows no events.

Query: ``nextToken`` (the ``NextToken`` of an earlier answer: only what came after it) or ``last``
(begin with that many of the newest), and ``maxResults`` (100, at most 1000).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from homeport.domain.event import Event
from homeport.services.call import Call, Response
from homeport.store.schema import EVENT_COUNTERS, EVENTS
from homeport.wire.errors import ApiError

from .recorder import COUNTER, KEPT_EVENTS, event_key

DEFAULT_RESULTS, MAX_RESULTS = 100, 1000


def list_events(call: Call, query: Mapping[str, str]) -> Response:
    """``Events`` in EventBridge's form, and the token with which to ask for what comes after."""
    counter = call.tx.get(EVENT_COUNTERS, COUNTER)
    newest = counter.last if counter else 0
    oldest = max(1, newest - KEPT_EVENTS + 1)
    first = oldest
    if "nextToken" in query:
        first = _number(query, "nextToken", 0, 10**15) + 1
    elif "last" in query:
        first = newest - _number(query, "last", 0, KEPT_EVENTS) + 1
    number = DEFAULT_RESULTS
    if "maxResults" in query:
        number = _number(query, "maxResults", 1, MAX_RESULTS)
    first = max(first, oldest)
    last = min(newest, first + number - 1)
    found = (call.tx.get(EVENTS, event_key(sequence)) for sequence in range(first, last + 1))
    return {
        "Events": [_view(call, event) for event in found if event is not None],
        "NextToken": str(max(last, first - 1)),
    }


def _number(query: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = query[name]
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        raise ApiError("ValidationException", f"{name} must be a number from {least} to {most}.")
    return int(text)


def _view(call: Call, event: Event) -> dict[str, object]:
    time = datetime.fromtimestamp(event.time, UTC)
    return {
        "version": "0",
        "id": event.id,
        "detail-type": event.detail_type,
        "source": event.source,
        "account": call.platform.account_id,
        "time": time.isoformat(timespec="seconds")[:-6] + "Z",
        "region": call.platform.region,
        "resources": list(event.resources),
        "detail": json.loads(event.detail),
    }
