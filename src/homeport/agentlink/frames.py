"""Framing of the agent protocol: ``{"type": NAME, "message": {…}}`` in text frames."""

from __future__ import annotations

import json
from typing import Any, Protocol

import msgspec


class WebSocket(Protocol):
    """The server's end of one agent connection."""

    async def receive_text(self) -> str | None:
        """The next frame (bytes decoded), or None once the peer is gone."""

    async def send_text(self, text: str) -> None:
        """Send one frame; raises ConnectionError once the peer is gone."""

    async def close(self, code: int = 1000) -> None:
        """Close; harmless when already closed."""


class Frame(msgspec.Struct, frozen=True):
    """One frame. ``message`` stays a document: unknown types and members are tolerated."""

    type: str = ""
    message: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(Frame)


def decode(text: str) -> Frame | None:
    """Parse a frame; TCS frames carry signed header lines first. None if it is no frame."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        return _decoder.decode(text[start:])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def encode(type_: str, message: dict[str, Any]) -> str:
    """Build a frame."""
    return json.dumps({"type": type_, "message": message})
