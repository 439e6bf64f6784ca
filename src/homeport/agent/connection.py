"""One websocket to the control plane: signed, with a deadline on silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from homeport.domain.agent_payload import Wire
from homeport.domain.agent_protocol import MalformedFrame, UnknownMessage, decode, encode

from .api import EcsApi

CONNECT_SECONDS = 15.0
SILENCE_SECONDS = 180.0
SEND_SECONDS = 20.0


class Disconnected(Exception):
    """The session is over; connect again."""


class Connection:
    """Messages instead of frames. Raises Disconnected once the peer is gone or silent."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket

    async def receive(self) -> Wire | UnknownMessage:
        """The next message."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                frame = await self._websocket.receive()
        except TimeoutError as error:
            raise Disconnected(f"nothing was heard for {SILENCE_SECONDS:g} s") from error
        if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise Disconnected(f"the peer closed with code {self._websocket.close_code}")
        try:
            return decode(frame.data)
        except MalformedFrame as error:
            raise Disconnected(f"not a message of the agent protocol: {error}") from error

    async def send(self, message: Wire) -> None:
        """Send one message."""
        await self.send_text(encode(message))

    async def send_text(self, text: str) -> None:
        """Send one frame."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_str(text)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Disconnected(f"can't send: {error!r}") from error


@asynccontextmanager
async def connected(
    api: EcsApi, http: aiohttp.ClientSession, endpoint: str, query: Mapping[str, str]
) -> AsyncIterator[Connection]:
    """Connect to ``endpoint``/ws with a signed handshake. Raises Disconnected."""
    url = f"{endpoint.rstrip('/')}/ws?{urlencode(query, quote_via=quote, safe='')}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            websocket = await http.ws_connect(
                URL(url, encoded=True), headers=api.signed("GET", url), max_msg_size=0
            )
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Disconnected(f"can't connect to {endpoint}: {error!r}") from error
    try:
        yield Connection(websocket)
    finally:
        await websocket.close()
