"""The events of several streams as one sequence.

Streams are opened when their time comes, so that a page of a group of thousands of streams
reads only those that it shows.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence

from .log_store import LogStore
from .segment import Event

Place = tuple[int, int, int]
"""Where an event is among all streams: (timestamp, key of the stream, sequence)."""


def stream_key(stream: str) -> int:
    """64 bits that order the streams where timestamps are equal."""
    return int.from_bytes(hashlib.sha256(stream.encode()).digest()[:8], "big")


def read_all(
    store: LogStore, streams: Sequence[str], start: int, end: int, after: Place | None = None
) -> Iterator[tuple[Place, str, Event]]:
    """Oldest first; ``after``: only those behind this place."""
    waiting: list[tuple[Place, str, Iterator[Event], Event | None]] = []
    for stream in streams:
        key, span = stream_key(stream), store.span(stream)
        if span is None or span[1] < start or span[0] >= end:
            continue
        low = start if after is None else max(start, after[0] + (key < after[1]))
        since = (after[0], after[2]) if after is not None and key == after[1] else None
        waiting.append(
            ((max(low, span[0]), key, -1), stream, store.read(stream, low, end, since), None)
        )
    heapq.heapify(waiting)
    while waiting:
        place, stream, events, event = waiting[0]
        if event is not None:
            yield place, stream, event
        following = next(events, None)
        if following is None:
            heapq.heappop(waiting)
        else:
            place = (following.timestamp, place[1], following.sequence)
            heapq.heapreplace(waiting, (place, stream, events, following))


def read_all_back(
    store: LogStore, streams: Sequence[str], start: int, end: int, before: Place | None = None
) -> Iterator[tuple[Place, str, Event]]:
    """Newest first; ``before``: only those ahead of this place."""
    waiting: list[tuple[Place, str, Iterator[Event], Event | None]] = []
    for stream in streams:
        key, span = stream_key(stream), store.span(stream)
        if span is None or span[1] < start or span[0] >= end:
            continue
        top = end if before is None else min(end, before[0] + (key <= before[1]))
        until = (before[0], before[2]) if before is not None and key == before[1] else None
        waiting.append(
            (
                _downwards((min(top - 1, span[1]), key, 1 << 80)),
                stream,
                store.read_back(stream, start, top, until),
                None,
            )
        )
    heapq.heapify(waiting)
    while waiting:
        place, stream, events, event = waiting[0]
        if event is not None:
            yield _downwards(place), stream, event
        following = next(events, None)
        if following is None:
            heapq.heappop(waiting)
        else:
            place = _downwards((following.timestamp, -place[1], following.sequence))
            heapq.heapreplace(waiting, (place, stream, events, following))


def _downwards(place: Place) -> Place:
    return -place[0], -place[1], -place[2]
