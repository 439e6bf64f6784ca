"""One segment file: frames of a header and a batch of events, indexed by blocks of frames."""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

logger = logging.getLogger(__name__)

MAX_EVENTS = 10_000
BLOCK_BYTES = 64 * 1024
_READ_BYTES = 4 * 1024 * 1024
_HEADER = struct.Struct("<IIqqq")  # body length, crc32 of the body, first, last, ingested
_DECODER = msgspec.msgpack.Decoder(list[tuple[int, str]])


class Event(msgspec.Struct, frozen=True, gc=False):
    """One line. Times are epoch milliseconds; ``sequence`` is its place in the stream's files."""

    timestamp: int
    sequence: int
    message: str
    ingested: int

    @property
    def position(self) -> tuple[int, int]:
        """What the events of a stream are ordered by."""
        return self.timestamp, self.sequence


class Block(msgspec.Struct, gc=False):
    """Whole frames side by side, and the time that they span, both ends included."""

    start: int
    end: int
    first: int
    last: int


class Segment:
    """A file; its blocks are all that memory holds of it."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.blocks: list[Block] = []
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
        first, last = min(times), max(times)
        frame = _HEADER.pack(len(body), zlib.crc32(body), first, last, ingested) + body
        with open(self.path, "ab", buffering=0) as file:
            try:
                _write(file.fileno(), frame)
            except OSError:
                file.truncate(self.size)
                raise
        self._count(len(frame), first, last, ingested)

    def events(self, block: Block, low: int, end: int) -> list[Event]:
        """Those of a block with low <= timestamp < end, in the order of their positions.

        A batch that is damaged is left out and logged.
        """
        with open(self.path, "rb", buffering=0) as file:
            data = memoryview(os.pread(file.fileno(), block.end - block.start, block.start))
        found: list[Event] = []
        at = 0
        while at + _HEADER.size <= len(data):
            length, checksum, first, last, ingested = _HEADER.unpack_from(data, at)
            if last >= low and first < end:
                body = data[at + _HEADER.size : at + _HEADER.size + length]
                found += self._decoded(block.start + at, body, checksum, ingested, low, end)
            at += _HEADER.size + length
        found.sort(key=_position)
        return found

    def _decoded(
        self, offset: int, body: memoryview, checksum: int, ingested: int, low: int, end: int
    ) -> list[Event]:
        base = ((self.number << 32) + offset) * MAX_EVENTS
        try:
            if zlib.crc32(body) != checksum:
                raise msgspec.DecodeError("its checksum differs")
            lines = _DECODER.decode(body)
        except msgspec.DecodeError as error:
            logger.error("%s: the batch at %d is damaged: %s", self.path, offset, error)
            return []
        return [
            Event(timestamp, base + n, message, ingested)
            for n, (timestamp, message) in enumerate(lines)
            if low <= timestamp < end
        ]

    def _recover(self) -> None:
        """Index what is whole and cut off what is not."""
        with open(self.path, "rb", buffering=_READ_BYTES) as file:
            there = os.fstat(file.fileno()).st_size
            for length, _, first, last, ingested in _headers(file, there):
                self._count(_HEADER.size + length, first, last, ingested)
        if there > self.size:
            logger.warning("%s: %d bytes of a torn batch cut off", self.path, there - self.size)
            os.truncate(self.path, self.size)

    def _count(self, length: int, first: int, last: int, ingested: int) -> None:
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.end - block.start >= BLOCK_BYTES:
            self.blocks.append(Block(self.size, self.size + length, first, last))
        else:
            block.end += length
            block.first, block.last = min(block.first, first), max(block.last, last)
        self.size += length
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.ingested = max(self.ingested, ingested)


def _headers(file: BinaryIO, there: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Of every frame that is whole, oldest first. No frame is empty: that is a disk's zeros."""
    offset = 0
    while offset + _HEADER.size <= there:
        file.seek(offset)
        header = _HEADER.unpack(file.read(_HEADER.size))
        length = header[0]
        if length == 0 or offset + _HEADER.size + length > there:
            return
        yield header
        offset += _HEADER.size + length


def _position(event: Event) -> tuple[int, int]:
    return event.timestamp, event.sequence


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
