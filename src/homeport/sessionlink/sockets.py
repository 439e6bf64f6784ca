"""The server's end of a websocket, and the message that opens a channel on it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from homeport.datachannel.contents import OpenChannel, load
from homeport.datachannel.messages import MalformedMessage

OPEN_SECONDS = 10.0
MAX_OPENING = 8 * 1024

POLICY_VIOLATION, TOO_BIG, TRY_AGAIN_LATER = 1008, 1009, 1013


class WebSocket(Protocol):
    """One accepted connection."""

    async def receive(self) -> str | bytes | None:
        """The next frame, or None once the peer is gone."""

    async def send_bytes(self, data: bytes) -> None:
        """Send one frame, waiting while the peer is slow; ConnectionError once it is gone."""

    async def close(self, code: int = 1000) -> None:
        """Close; harmless when already closed."""


async def opening_token(websocket: WebSocket) -> str:
    """The token of the first frame; empty if none comes in time, or something else does."""
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            frame = await websocket.receive()
        if frame is None or len(frame) > MAX_OPENING:
            return ""
        return load(frame, OpenChannel).token_value
    except (TimeoutError, MalformedMessage):
        return ""
