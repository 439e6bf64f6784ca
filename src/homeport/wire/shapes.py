"""What every protocol shares: checks of the model's constraints, scalars, timestamps.

A decoder raises ``Invalid``; each structure, list and map prefixes the member's name, so that
the message names the field (``containerDefinitions.0.name``).
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from botocore.model import Shape

Decoder = Callable[[Any], Any]
Encoder = Callable[[Any], Any]

MAX_NESTING = 64
INTEGER_BITS = {"integer": 31, "long": 63}

# Python reads more than AWS does: 1_000, other scripts' digits, "inf".
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|-?Infinity")


class Invalid(Exception):
    """A value that the model does not allow. ``kind`` is ``type`` or ``constraint``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.path: list[str] = []

    def at(self, member: str) -> Invalid:
        """Prefix the path with a member's name; returns itself."""
        self.path.insert(0, member)
        return self

    def field(self) -> str:
        """The path as AWS writes it."""
        return ".".join(self.path)


def wrong_type(expected: str, value: object) -> Invalid:
    """The value has another type than the model's."""
    return Invalid("type", f"Expected {expected}, got {type(value).__name__}.")


def check_length(shape: Shape) -> Callable[[Any], None] | None:
    """A check of the shape's ``min``/``max`` (length, or value for numbers), or None."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is None and high is None:
        return None
    numeric = shape.type_name in ("integer", "long", "float", "double")
    shown = _hidden if shape.metadata.get("sensitive") else _shown

    def check(value: Any) -> None:
        size = value if numeric else len(value)
        if low is not None and size < low:
            raise Invalid("constraint", _constraint(shown(value), numeric, "greater", low))
        if high is not None and size > high:
            raise Invalid("constraint", _constraint(shown(value), numeric, "less", high))

    return check


def _shown(value: Any) -> str:
    text = f"of length {len(value)}" if isinstance(value, bytes | list | dict) else repr(value)
    return text[:200]


def _hidden(value: Any) -> str:
    """What the model marks as sensitive is not repeated, as AWS does it."""
    return "'***'"


def _constraint(shown: str, numeric: bool, direction: str, limit: float) -> str:
    what = "Member must have value" if numeric else "Member must have length"
    rule = f"{what} {direction} than or equal to {limit}"
    return f"Value {shown} failed to satisfy constraint: {rule}"


def missing(member: str) -> Invalid:
    """A required member is absent."""
    error = Invalid(
        "constraint", "Value null failed to satisfy constraint: Member must not be null"
    )
    return error.at(member)


# -- scalars from text (query strings, forms, headers, XML) ------------------------------------


def text_decoder(shape: Shape, timestamp_format: str) -> Decoder:
    """Text → value for a scalar shape."""
    kind = shape.type_name
    if kind in ("string", "char", "character"):
        return str
    if kind in INTEGER_BITS:
        return lambda text: text_integer(text, INTEGER_BITS[kind])
    if kind in ("float", "double"):
        return text_float
    if kind == "boolean":
        return text_boolean
    if kind == "blob":
        return decode_blob
    if kind == "timestamp":
        wanted = shape.serialization.get("timestampFormat", timestamp_format)
        return lambda text: text_timestamp(text, wanted)
    raise TypeError(f"{shape.name} is no scalar")


def text_integer(text: str, bits: int) -> int:
    """A decimal integer of at most this many bits."""
    if not _INTEGER.fullmatch(text):
        raise Invalid("type", f"{text[:40]!r} is not an integer.")
    return bounded(int(text), bits)


def bounded(value: int, bits: int) -> int:
    """The value, if it fits."""
    if not -(1 << bits) <= value < (1 << bits):
        raise Invalid("type", f"{str(value)[:40]} is out of the range of the type.")
    return value


def text_float(text: str) -> float:
    """A number, NaN, Infinity or -Infinity."""
    if not _NUMBER.fullmatch(text):
        raise Invalid("type", f"{text[:40]!r} is not a number.")
    return float(text)


def text_boolean(text: str) -> bool:
    """``true`` or ``false``, any case."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    raise Invalid("type", f"{text[:40]!r} must be either true or false.")


def decode_blob(text: str) -> bytes:
    """Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("type", "The value is not base64.") from error


def text_timestamp(text: str, timestamp_format: str) -> datetime:
    """``iso8601``, ``rfc822`` or ``unixTimestamp`` → aware datetime."""
    try:
        if timestamp_format == "unixTimestamp":
            return from_epoch(float(text))
        if timestamp_format == "rfc822":
            return parsedate_to_datetime(text).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise Invalid("type", f"{text[:40]!r} is not a timestamp.") from error


def from_epoch(seconds: float) -> datetime:
    """Epoch seconds → aware datetime."""
    if not math.isfinite(seconds):
        raise Invalid("type", "The timestamp is not a finite number.")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid("type", "The timestamp is out of range.") from error


# -- scalars to text ----------------------------------------------------------------------------


def text_encoder(shape: Shape, timestamp_format: str) -> Callable[[Any], str]:
    """Value → text for a scalar shape."""
    kind = shape.type_name
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind in ("float", "double"):
        return float_text
    if kind == "blob":
        return blob_text
    if kind == "timestamp":
        wanted = shape.serialization.get("timestampFormat", timestamp_format)
        return lambda value: timestamp_text(value, wanted)
    return str


def float_text(value: float) -> str:
    """The shortest text; NaN and infinities as AWS spells them."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def blob_text(value: bytes | str) -> str:
    """Base64."""
    data = value.encode() if isinstance(value, str) else value
    return base64.b64encode(data).decode()


def epoch(value: datetime | float) -> float:
    """Epoch seconds with milliseconds; whole seconds are ints."""
    seconds = value.timestamp() if isinstance(value, datetime) else value
    milliseconds = round(seconds * 1000)  # round(seconds, 3) takes twice as long
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


def timestamp_text(value: datetime | float, timestamp_format: str) -> str:
    """``iso8601``, ``rfc822`` or ``unixTimestamp`` text."""
    if timestamp_format == "unixTimestamp":
        return str(epoch(value))
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    if timestamp_format == "rfc822":
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = moment.microsecond // 1000
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"
