"""The binary frame: a header of 116 bytes, the payload's length, the payload. Big endian.

::

    header length 4 │ type 32, space-padded │ version 4 │ created 8 (ms) │ sequence 8 │ flags 8
    │ message id 16, its low half first │ SHA-256 of the payload 32 │ payload type 4
    │ payload length 4 │ payload
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from enum import IntEnum
from typing import Literal, get_args

import msgspec

MessageType = Literal[
    "interactive_shell",
    "agent_task_complete",
    "agent_task_acknowledge",
    "agent_session_state",
    "input_stream_data",
    "output_stream_data",
    "acknowledge",
    "channel_closed",
    "start_publication",
    "pause_publication",
]

MESSAGE_TYPES: frozenset[str] = frozenset(get_args(MessageType))
MAX_PAYLOAD = 64 * 1024
"""Both official programs send 1 KiB at most; more than this is nobody's."""

_HEADER = struct.Struct(">I32sIQqQ8s8s32sII")
HEADER_LENGTH = _HEADER.size - 4  # the payload's length is not counted

SYN, FIN = 1, 2


class PayloadType(IntEnum):
    """What a stream message carries."""

    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENCRYPTION_CHALLENGE_REQUEST = 8
    ENCRYPTION_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


class MalformedMessage(ValueError):
    """Bytes that are no message."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. ``created_at``: epoch milliseconds."""

    type: MessageType
    payload: bytes
    id: uuid.UUID
    created_at: int
    sequence: int = 0
    flags: int = 0
    payload_type: int = PayloadType.NONE
    version: int = 1


def encode(message: Message) -> bytes:
    """The frame of a message."""
    low, high = message.id.bytes[8:], message.id.bytes[:8]
    header = _HEADER.pack(
        HEADER_LENGTH,
        message.type.encode().ljust(32),
        message.version,
        message.created_at,
        message.sequence,
        message.flags,
        low,
        high,
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return header + message.payload


def decode(frame: bytes) -> Message:
    """The message of a frame; raises MalformedMessage."""
    if len(frame) < _HEADER.size:
        raise MalformedMessage(f"a message has at least {_HEADER.size} bytes, not {len(frame)}")
    (header_length, raw_type, version, created_at, sequence, flags, low, high, digest) = (
        _HEADER.unpack_from(frame)[:9]
    )
    payload_type, payload_length = _HEADER.unpack_from(frame)[9:]
    if header_length != HEADER_LENGTH:
        raise MalformedMessage(f"the header length is {HEADER_LENGTH}, not {header_length}")
    payload = frame[_HEADER.size :]
    if len(payload) != payload_length:
        raise MalformedMessage(f"{payload_length} bytes of payload announced, {len(payload)} sent")
    if len(payload) > MAX_PAYLOAD:
        raise MalformedMessage(f"a payload has at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    if payload and digest != hashlib.sha256(payload).digest():
        raise MalformedMessage("the payload does not have the digest that it came with")
    return Message(
        type=_type(raw_type),
        payload=payload,
        id=uuid.UUID(bytes=high + low),
        created_at=created_at,
        sequence=sequence,
        flags=flags,
        payload_type=payload_type,
        version=version,
    )


def _type(raw: bytes) -> MessageType:
    name = raw.strip(b"\0 ").decode("ascii", "replace")
    if name not in MESSAGE_TYPES:
        raise MalformedMessage(f"the message type {name!r} is unknown")
    return name  # type: ignore[return-value]  # it is one of MessageType's
