"""Streams of events: append, read in the order of time, expire, delete."""

from __future__ import annotations

import hashlib
import heapq
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from .segment import MAX_EVENTS, Event, Frame, Segment

SEGMENT_BYTES = 16 * 1024 * 1024


class LogStore:
    """The events of all streams; a stream is named by any text that is its own (its ARN)."""

    def __init__(self, directory: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._streams: dict[str, list[Segment]] = {}

    def append(self, stream: str, events: Sequence[tuple[int, str]], ingested: int) -> None:
        """Keep (milliseconds, message) pairs: all or, with an OSError, none.

        Raises ValueError for no events or more than 10,000.
        """
        if not 0 < len(events) <= MAX_EVENTS:
            raise ValueError(f"a batch has 1 to {MAX_EVENTS} events")
        segments = self._segments(stream)
        if not segments or segments[-1].size >= self._segment_bytes:
            number = segments[-1].number + 1 if segments else 0
            self._folder(stream).mkdir(parents=True, exist_ok=True, mode=0o700)
            segments.append(Segment(self._folder(stream) / f"{number:08d}.seg", number))
        segments[-1].append(events, ingested)

    def read(
        self, stream: str, start: int, end: int, after: tuple[int, int] | None = None
    ) -> Iterator[Event]:
        """Events with start <= timestamp < end, in the order of their positions.

        ``after``: only those behind this position. Reads batch by batch: batches are held only
        while their times overlap.
        """
        low = start if after is None else max(start, after[0])
        ahead = sorted(self._frames(stream, low, end), key=lambda found: found[1].first)
        ready: list[tuple[tuple[int, int], Event]] = []
        for segment, frame in ahead:
            while ready and ready[0][0][0] < frame.first:
                yield heapq.heappop(ready)[1]
            for event in segment.events(frame):
                if low <= event.timestamp < end and (after is None or event.position > after):
                    heapq.heappush(ready, (event.position, event))
        while ready:
            yield heapq.heappop(ready)[1]

    def span(self, stream: str) -> tuple[int, int, int] | None:
        """First and last timestamp and last ingestion, or None without events."""
        segments = self._segments(stream)
        firsts = [s.first for s in segments if s.first is not None]
        lasts = [s.last for s in segments if s.last is not None]
        if not firsts:
            return None
        return min(firsts), max(lasts), max(s.ingested for s in segments)

    def stored_bytes(self, stream: str) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self._segments(stream))

    def expire(self, stream: str, before: int) -> None:
        """Remove the segments of which every event is older than ``before``, but the last.

        The last one stays, so that no position is ever given twice.
        """
        segments = self._segments(stream)
        for segment in segments[:-1]:
            if segment.last is None or segment.last < before:
                segment.path.unlink(missing_ok=True)
                segments.remove(segment)

    def delete(self, stream: str) -> None:
        """All that is kept of the stream."""
        self._streams.pop(stream, None)
        shutil.rmtree(self._folder(stream), ignore_errors=True)

    def _frames(self, stream: str, low: int, end: int) -> Iterator[tuple[Segment, Frame]]:
        for segment in self._segments(stream):
            if segment.first is None or segment.last is None:
                continue
            if segment.last < low or segment.first >= end:
                continue
            for frame in segment.frames():
                if frame.last >= low and frame.first < end:
                    yield segment, frame

    def _segments(self, stream: str) -> list[Segment]:
        if stream not in self._streams:
            paths = sorted(self._folder(stream).glob("*.seg"))
            self._streams[stream] = [Segment(path, int(path.stem)) for path in paths]
        return self._streams[stream]

    def _folder(self, stream: str) -> Path:
        return self._directory / hashlib.sha256(stream.encode()).hexdigest()[:40]
