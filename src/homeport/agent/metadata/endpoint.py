"""The HTTP server of 169.254.170.2:80, one for all agents of a host.

Whoever holds the port answers for its own tasks and asks the other agents, over a socket that
each of them keeps in ``/run/homeport``, for ids that are not its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from ..settings import AgentSettings
from .address import hold
from .answers import Answer, Answers
from .rate import RateLimit
from .relay import Relay

logger = logging.getLogger(__name__)

PORT = 80
SOCKETS = Path("/run/homeport/agents")
PEER_SECONDS = 10.0
BODY_BYTES = 16 * 1024
REQUESTS_PER_SECOND, BURST = 40, 60


class TaskEndpoint:
    """Owns the address, this agent's socket and, while it holds it, the port."""

    def __init__(self, answers: Answers, settings: AgentSettings) -> None:
        self._answers = answers
        self._settings = settings
        self._rate = RateLimit(REQUESTS_PER_SECOND, BURST)
        self._sockets = SOCKETS / str(os.stat("/proc/self/ns/net").st_ino)
        self._own = self._sockets / f"{os.getpid()}.sock"

    async def run(self) -> None:
        """Serve until cancelled."""
        self._sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._serve_own_socket(), name="task endpoint, own tasks")
            parts.create_task(hold(PORT, self._serve_port), name="task endpoint")
            if self._settings.endpoint_is_local:
                relay = Relay(self._settings.endpoint_url)
                parts.create_task(hold(relay.port, relay.serve), name="api relay")

    async def _serve_own_socket(self) -> None:
        self._own.unlink(missing_ok=True)
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._on_peer)
        try:
            async with _runner(app) as runner:
                await web.UnixSite(runner, str(self._own)).start()
                await asyncio.Event().wait()
        finally:
            self._own.unlink(missing_ok=True)

    async def _serve_port(self, opened: socket.socket) -> None:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._on_container)
        async with _runner(app) as runner:
            await web.SockSite(runner, opened).start()
            await asyncio.Event().wait()

    async def _on_peer(self, request: web.Request) -> web.StreamResponse:
        answer = await self._answers.answer(request.method, request.path, await request.read())
        return _response(answer) if answer else web.Response(status=421)

    async def _on_container(self, request: web.Request) -> web.StreamResponse:
        if not self._rate.allow():
            return _response(Answer(429, "The task endpoint is asked too often."))
        body = await request.read()
        answer = await self._answers.answer(request.method, request.path, body)
        if answer is not None:
            return _response(answer)
        for peer in sorted(self._sockets.glob("*.sock")):
            if peer != self._own and (found := await _ask(peer, request, body)) is not None:
                return found
        return _response(unknown(request.path))


@contextlib.asynccontextmanager
async def _runner(app: web.Application) -> AsyncIterator[web.AppRunner]:
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


async def _ask(peer: Path, request: web.Request, body: bytes) -> web.Response | None:
    """Another agent's answer; None if the id is not its either, or it is gone."""
    try:
        async with (
            asyncio.timeout(PEER_SECONDS),
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(peer))) as http,
            http.request(request.method, f"http://peer{request.path}", data=body) as response,
        ):
            if response.status == 421:
                return None
            content = await response.read()
            return web.Response(
                status=response.status, body=content, content_type="application/json"
            )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        logger.info("agent %s does not answer: %r", peer.name, error)
        if isinstance(error, ConnectionRefusedError | aiohttp.ClientConnectorError):
            forget(peer)
        return None


def forget(peer: Path) -> None:
    """Remove what a killed agent has left."""
    peer.unlink(missing_ok=True)


def unknown(path: str) -> Answer:
    """The refusal of an id that no agent of this host knows."""
    what, _, rest = path.strip("/").partition("/")
    if what == "v2":
        message = "CredentialsV2Request: ID not found"
        return Answer(400, {"code": "InvalidIdInRequest", "message": message, "HTTPErrorCode": 400})
    metadata_id = rest.split("/")[0]
    text = f"unable to get container ID from v3 endpoint ID: {metadata_id}"
    return Answer(404, f"V4 container metadata handler: {text}")


def _response(answer: Answer) -> web.Response:
    return web.json_response(answer.document, status=answer.status)
