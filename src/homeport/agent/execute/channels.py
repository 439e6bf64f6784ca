"""Channels of ``ssmmessages``: the token that a signed POST gives, then a signed websocket."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import quote
from xml.etree import ElementTree

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from yarl import URL

from homeport.agent.settings import AGENT_VERSION, AgentSettings, Credentials
from homeport.datachannel.contents import CreateChannel, OpenChannel, dump
from homeport.datachannel.messages import MAX_PAYLOAD

from .transcript import Writer

CALL_SECONDS = 15.0
PING_SECONDS = 54.0
SEND_SECONDS = 30.0

Kind = Literal["control", "data"]

_QUERY: dict[Kind, str] = {
    "control": "role=subscribe&stream=input",
    "data": "role=publish_subscribe",
}


class ChannelError(Exception):
    """The channel can't be had now."""


class ChannelDenied(ChannelError):
    """The credentials don't allow it; the text is the API's."""


class ChannelGone(ChannelError):
    """There is no such session or target any more."""


class ChannelSocket:
    """One open channel; ConnectionError once the peer is gone."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes:
        """The next frame."""
        frame = await self._websocket.receive()
        if frame.type is aiohttp.WSMsgType.BINARY:
            return bytes(frame.data)
        if frame.type is aiohttp.WSMsgType.TEXT:
            return str(frame.data).encode()
        raise ConnectionError(f"the channel was closed with code {self._websocket.close_code}")

    async def send(self, frame: bytes) -> None:
        """Send one frame."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_bytes(frame)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ConnectionError(f"can't send: {error!r}") from error


class Channels:
    """Opens channels of this installation's endpoint."""

    def __init__(self, settings: AgentSettings, http: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._endpoint = settings.endpoint_url
        self._region = settings.region
        self._http = http

    @asynccontextmanager
    async def open(
        self, kind: Kind, identifier: str, credentials: Credentials
    ) -> AsyncIterator[ChannelSocket]:
        """Raises ChannelError."""
        url = f"{self._endpoint}/v1/{kind}-channel/{quote(identifier, safe='')}"
        client = str(uuid.uuid4())
        token = await self._token(url, client, credentials)
        opening = OpenChannel(
            token_value=token,
            request_id=str(uuid.uuid4()),
            client_id=client,
            client_version=AGENT_VERSION,
        )
        url = f"{url}?{_QUERY[kind]}"
        try:
            async with asyncio.timeout(CALL_SECONDS):
                websocket = await self._http.ws_connect(
                    URL(url, encoded=True),
                    headers=self._signed("GET", url, b"", credentials),
                    heartbeat=PING_SECONDS,
                    max_msg_size=MAX_PAYLOAD + 1024,
                )
                await websocket.send_str(dump(opening).decode())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ChannelError(f"can't open {kind} channel {identifier}: {error!r}") from error
        try:
            yield ChannelSocket(websocket)
        finally:
            await websocket.close()

    def writer(self, credentials: Credentials) -> Writer:
        """What copies the output of a session, with the same credentials."""
        return Writer(self._settings, self._http, credentials)

    async def _token(self, url: str, client: str, credentials: Credentials) -> str:
        body = dump(CreateChannel(request_id=str(uuid.uuid4()), client_id=client))
        headers = self._signed("POST", url, body, credentials)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async with self._http.post(
                    URL(url, encoded=True), data=body, headers=headers
                ) as response:
                    return _token_of(response.status, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ChannelError(f"no token: {error!r}") from error

    def _signed(
        self, method: str, url: str, body: bytes, credentials: Credentials
    ) -> Mapping[str, str]:
        keys = BotocoreCredentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token
        )
        headers = {"Content-Type": "application/json"} if body else {}
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        SigV4Auth(keys, "ssmmessages", self._region).add_auth(request)
        return dict(request.headers.items())


def _token_of(status: int, body: bytes) -> str:
    try:
        answer = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ChannelError(f"status {status}, not an answer of ssmmessages") from error
    if status == 201:
        return answer.findtext("TokenValue") or ""
    text = f"{answer.tag}: {answer.findtext('Message') or ''}"
    if answer.tag == "ValidationException":
        raise ChannelGone(text)
    if status in (400, 403):
        raise ChannelDenied(text)
    raise ChannelError(text)
