"""Streams of events: append, read in the order of time, expire, delete."""

from __future__ import annotations

import hashlib
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .segment import MAX_EVENTS, Block, Event, Segment

SEGMENT_BYTES = 16 * 1024 * 1024

Position = tuple[int, int]  # (timestamp, sequence)


class LogStore:
    """The events of all streams; a stream is named by any text that is its own."""

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
            self._folder(stream).mkdir(parents=True, exist_ok=True, mode=0o700)
            segments.append(self._next(stream))
        segments[-1].append(events, ingested)

    def read(
        self, stream: str, start: int, end: int, after: Position | None = None
    ) -> Iterator[Event]:
        """Events with start <= timestamp < end, in the order of their positions.

        ``after``: only those behind this position. Reads block by block: blocks are held only
        while their times overlap.
        """
        low = start if after is None else max(start, after[0])
        blocks = sorted(self._blocks(stream, low, end), key=_first)
        held: list[Event] = []
        for number, (segment, block) in enumerate(blocks):
            held = _merged(held, segment.events(block, low, end))
            if after is not None:
                del held[: bisect_right(held, after, key=_position)]
            if number + 1 < len(blocks):
                ready = bisect_left(held, blocks[number + 1][1].first, key=_timestamp)
                yield from held[:ready]
                del held[:ready]
        yield from held

    def read_back(
        self, stream: str, start: int, end: int, before: Position | None = None
    ) -> Iterator[Event]:
        """The same from the newest to the oldest; ``before``: only those ahead of this position."""
        top = end if before is None else min(end, before[0] + 1)
        blocks = sorted(self._blocks(stream, start, top), key=_last, reverse=True)
        held: list[Event] = []
        for number, (segment, block) in enumerate(blocks):
            held = _merged(held, segment.events(block, start, top))
            if before is not None:
                del held[bisect_left(held, before, key=_position) :]
            if number + 1 < len(blocks):
                ready = bisect_right(held, blocks[number + 1][1].last, key=_timestamp)
                yield from reversed(held[ready:])
                del held[ready:]
        yield from reversed(held)

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
        known = self._streams.get(stream)
        if known is not None:
            return sum(segment.size for segment in known)
        return sum(path.stat().st_size for path in self._folder(stream).glob("*.seg"))

    def expire(self, stream: str, before: int) -> None:
        """Remove the segments of which every event is older than ``before``."""
        segments = self._segments(stream)
        over = [s for s in segments if s.last is not None and s.last < before]
        if over and over[-1] is segments[-1]:
            # An empty one keeps the count, so that no position is ever given twice.
            empty = self._next(stream)
            empty.path.touch(mode=0o600)
            segments.append(empty)
        for segment in over:
            segment.path.unlink(missing_ok=True)
            segments.remove(segment)

    def delete(self, stream: str) -> None:
        """All that is kept of the stream."""
        self._streams.pop(stream, None)
        shutil.rmtree(self._folder(stream), ignore_errors=True)

    def keep_only(self, streams: Iterable[str]) -> None:
        """Delete all other streams: what a kill left between a deletion and its files."""
        kept = {self._folder(stream).name for stream in streams}
        for folder in self._directory.iterdir() if self._directory.is_dir() else ():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        self._streams.clear()

    def _blocks(self, stream: str, low: int, end: int) -> Iterator[tuple[Segment, Block]]:
        for segment in self._segments(stream):
            if segment.first is None or segment.last is None:
                continue
            if segment.last < low or segment.first >= end:
                continue
            for block in segment.blocks:
                if block.last >= low and block.first < end:
                    yield segment, block

    def _segments(self, stream: str) -> list[Segment]:
        if stream not in self._streams:
            paths = sorted(self._folder(stream).glob("*.seg"))
            self._streams[stream] = [Segment(path, int(path.stem)) for path in paths]
        return self._streams[stream]

    def _next(self, stream: str) -> Segment:
        segments = self._segments(stream)
        number = segments[-1].number + 1 if segments else 0
        return Segment(self._folder(stream) / f"{number:08d}.seg", number)

    def _folder(self, stream: str) -> Path:
        return self._directory / hashlib.sha256(stream.encode()).hexdigest()[:40]


def _merged(held: list[Event], more: list[Event]) -> list[Event]:
    """Both are sorted; mostly one is empty or all before the other."""
    if not held:
        return more
    held += more
    held.sort(key=_position)
    return held


def _first(found: tuple[Segment, Block]) -> int:
    return found[1].first


def _last(found: tuple[Segment, Block]) -> int:
    return found[1].last


def _timestamp(event: Event) -> int:
    return event.timestamp


def _position(event: Event) -> Position:
    return event.timestamp, event.sequence
