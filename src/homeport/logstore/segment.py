"""One segment file: frames of a header and a batch of events."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

MAX_EVENTS = 10_000
_HEADER = struct.Struct("<IIqqq")  # body length, crc32 of the body, first, last, ingested
_DECODER = msgspec.msgpack.Decoder(list[tuple[int, str]])


class Event(msgspec.Struct, frozen=True):
    """One line. Times are epoch milliseconds; ``sequence`` is its place in the stream's files."""

    timestamp: int
    sequence: int
    message: str
    ingested: int

    @property
    def position(self) -> tuple[int, int]:
        """What events are ordered by."""
        return self.timestamp, self.sequence


class Frame(msgspec.Struct, frozen=True):
    """Where a batch is and which time it spans, both ends included."""

    offset: int
    length: int
    checksum: int
    first: int
    last: int
    ingested: int


class Segment:
    """A file and the time that its events span."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.size = 0
        self.first: int | None = None
        self.last: int | None = None
        self.ingested = 0
        if path.exists():
            self._recover()

    def append(self, events: Sequence[tuple[int, str]], ingested: int) -> None:
        """Write one batch whole; after an OSError the file is as it was."""
        body = msgspec.msgpack.encode(events)
        times = [timestamp for timestamp, _ in events]
        head = _HEADER.pack(len(body), zlib.crc32(body), min(times), max(times), ingested)
        with open(self.path, "ab", buffering=0) as file:
            try:
                _write(file.fileno(), head + body)
            except OSError:
                file.truncate(self.size)
                raise
        self._count(min(times), max(times), ingested)
        self.size += len(head) + len(body)

    def frames(self) -> Iterator[Frame]:
        """Every frame that is whole, oldest first."""
        with open(self.path, "rb") as file:
            end = os.fstat(file.fileno()).st_size
            offset = 0
            while offset + _HEADER.size <= end:
                file.seek(offset)
                length, checksum, *times = _HEADER.unpack(file.read(_HEADER.size))
                if offset + _HEADER.size + length > end:
                    return
                yield Frame(offset, length, checksum, *times)
                offset += _HEADER.size + length

    def events(self, frame: Frame) -> list[Event]:
        """A batch in the order of its events' positions. Raises OSError if it is damaged."""
        with open(self.path, "rb") as file:
            file.seek(frame.offset + _HEADER.size)
            body = file.read(frame.length)
        if zlib.crc32(body) != frame.checksum:
            raise OSError(f"{self.path} is damaged at {frame.offset}")
        base = ((self.number << 32) + frame.offset) * MAX_EVENTS
        lines = enumerate(_DECODER.decode(body))
        found = [Event(t, base + n, text, frame.ingested) for n, (t, text) in lines]
        return sorted(found, key=lambda event: event.position)

    def _recover(self) -> None:
        for frame in self.frames():
            self._count(frame.first, frame.last, frame.ingested)
            self.size = frame.offset + _HEADER.size + frame.length
        if self.path.stat().st_size > self.size:
            os.truncate(self.path, self.size)

    def _count(self, first: int, last: int, ingested: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.ingested = max(self.ingested, ingested)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
