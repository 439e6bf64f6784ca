"""ASGI on one side, the wire's plain requests and responses on the other."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response

# ASGI's own types: open-ended dictionaries by specification.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 8 * 1024 * 1024


class ClientGone(Exception):
    """The client left before its request was complete."""


def read_head(scope: Scope, body: bytes = b"") -> Request:
    """The request of a scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope.get("method", "GET"),
        path=raw_path.decode("latin-1").partition("?")[0],
        query_string=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        source_ip=(scope.get("client") or ("", 0))[0],
    )


async def read_body(receive: Receive, limit: int = MAX_BODY_BYTES) -> bytes:
    """The whole body, at most ``limit`` bytes."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            text = f"The request body is larger than {limit} bytes."
            raise ApiError("RequestEntityTooLargeException", text, 413)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks) if len(chunks) > 1 else chunk


async def send_response(send: Send, response: Response) -> None:
    """Send a response."""
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers.items()]
    if "content-length" not in response.headers:  # an answer to HEAD tells that of the object
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


class AsgiWebSocket:
    """An accepted websocket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._open = True

    async def accept(self) -> None:
        """Take the connection."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise ClientGone
        await self._send({"type": "websocket.accept"})

    async def receive_text(self) -> str | None:
        """The next frame as text, or None once the peer is gone."""
        frame = await self.receive()
        return frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame

    async def receive(self) -> str | bytes | None:
        """The next frame as it was sent, or None once the peer is gone."""
        if not self._open:
            return None
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._open = False
            return None
        text: str | None = message.get("text")
        return bytes(message.get("bytes", b"")) if text is None else text

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; ConnectionError once the peer is gone."""
        if not self._open:
            raise ConnectionError("the websocket is closed")
        await self._deliver({"type": "websocket.send", "bytes": data})

    async def send_text(self, text: str) -> None:
        """Send a frame; ConnectionError once the peer is gone."""
        if not self._open:
            raise ConnectionError("the websocket is closed")
        await self._deliver({"type": "websocket.send", "text": text})

    async def close(self, code: int = 1000) -> None:
        """Close; harmless when closed."""
        if self._open:
            self._open = False
            with contextlib.suppress(ConnectionError):
                await self._deliver({"type": "websocket.close", "code": code})

    async def _deliver(self, message: Message) -> None:
        """A peer that is just leaving is the server's ``OSError``, here as anywhere gone."""
        try:
            await self._send(message)
        except OSError as error:
            self._open = False
            raise ConnectionError("the websocket is closed") from error
