"""A websocket whose peer is just leaving: gone, and nothing worse."""

from __future__ import annotations

import pytest

from homeport.gateway.asgi import AsgiWebSocket, Message


async def nothing() -> Message:
    return {"type": "websocket.disconnect"}


async def leaving(message: Message) -> None:
    """uvicorn's answer to a send between the peer's close frame and its own."""
    raise OSError


async def test_sending_to_a_leaving_peer_is_a_connection_error() -> None:
    for send in ("send_text", "send_bytes"):
        websocket = AsgiWebSocket(nothing, leaving)
        with pytest.raises(ConnectionError):
            await getattr(websocket, send)(b"x" if send == "send_bytes" else "x")
        assert await websocket.receive() is None


async def test_closing_on_a_leaving_peer_is_harmless() -> None:
    await AsgiWebSocket(nothing, leaving).close()
