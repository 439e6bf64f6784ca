"""What the pages of events have in common: their size and how a place is written in a token."""

from __future__ import annotations

from homeport.logstore import Place, Position

MAX_EVENTS = 10_000
MAX_PAGE_BYTES = 1024 * 1024
END_OF_TIME = 1 << 62  # no timestamp is as late

_SEQUENCE_BITS = 80
_STREAM_BITS = 64


def number_of(position: Position) -> int:
    """A position in one stream as one number in the same order."""
    timestamp, sequence = position
    return timestamp << _STREAM_BITS + _SEQUENCE_BITS | sequence


def position_of(number: int) -> Position:
    """The reverse."""
    bits = _STREAM_BITS + _SEQUENCE_BITS
    return number >> bits, number & (1 << bits) - 1


def event_id(place: Place) -> str:
    """The identifier of an event, its own among all streams: 56 digits as AWS has them."""
    timestamp, stream, sequence = place
    number = timestamp << _STREAM_BITS + _SEQUENCE_BITS | stream << _SEQUENCE_BITS | sequence
    return f"{number:056d}"


def place_of(identifier: str) -> Place:
    """The reverse. Raises ValueError."""
    number = int(identifier)
    return (
        number >> _STREAM_BITS + _SEQUENCE_BITS,
        number >> _SEQUENCE_BITS & (1 << _STREAM_BITS) - 1,
        number & (1 << _SEQUENCE_BITS) - 1,
    )
