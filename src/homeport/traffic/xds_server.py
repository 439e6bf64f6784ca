"""Feeds Envoy over a unix socket: delta ADS on grpc.aio.

What to push when is decided by ``xds_stream``; this module carries it. It answers nothing
before it has been given the first state, so an Envoy that survived the control plane never
sees an empty one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from .encode import TYPE_URLS, Encoded, encode
from .resources import KINDS, Kind, Resources
from .xds_stream import Desired, Push, XdsStream

logger = logging.getLogger(__name__)

KIND_OF = {url: kind for kind, url in TYPE_URLS.items()}
LONGEST_SOCKET_PATH = 100  # sun_path holds 107 bytes
STOP_SECONDS = 0.2


class XdsServer:
    """``set`` what Envoy is to have; ``streams`` says what Envoy made of it.

    ``on_answer`` is called (without arguments, from the event loop) when Envoy connected,
    left, accepted or refused something.
    """

    def __init__(self, socket_path: Path, on_answer: Callable[[], None]) -> None:
        self._path = socket_path
        self._on_answer = on_answer
        self._encoded: dict[Kind, dict[str, Encoded]] = {kind: {} for kind in KINDS}
        self._desired: Desired | None = None
        self._connections: list[_Connection] = []
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Open the socket (mode 0600 in a directory of mode 0700)."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.parent.chmod(0o700)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(_Servicer(self), server)
        with _short_path(self._path) as path:
            server.add_insecure_port(f"unix:{path}")
            await server.start()
        self._path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        self._server = server

    async def stop(self) -> None:
        """Close the socket; Envoy keeps what it has."""
        if self._server is not None:
            await self._server.stop(STOP_SECONDS)
            self._server = None

    def set(self, resources: Resources) -> None:
        """Make these the resources Envoy is to have; unchanged ones are not sent again."""
        self._encoded = {
            kind: {
                name: self._encode(kind, name, source)
                for name, source in resources.by_kind[kind].items()
            }
            for kind in KINDS
        }
        versions: dict[Kind, dict[str, str]] = {
            kind: {name: encoded.version for name, encoded in self._encoded[kind].items()}
            for kind in KINDS
        }
        self._desired = Desired(versions, resources.clusters_of)
        for connection in self._connections:
            connection.wake.set()

    @property
    def stream(self) -> XdsStream | None:
        """The state of the connected Envoy (the latest connection), None without one."""
        return self._connections[-1].state if self._connections else None

    def retry_refused(self) -> None:
        """Push refused listeners once more."""
        for connection in self._connections:
            if connection.state.has_refused("listener"):
                connection.state.retry_refused("listener")
                connection.wake.set()

    async def serve(self, requests: AsyncIterator[Any], context: Any) -> None:
        """One Envoy's stream, until it ends."""
        connection = _Connection()
        self._connections.append(connection)
        reader = asyncio.create_task(self._read(requests, connection), name="xds reader")
        reader.add_done_callback(lambda _: connection.wake.set())
        try:
            while not reader.done():
                connection.wake.clear()
                while self._desired and (push := connection.state.next_push(self._desired)):
                    await context.write(self._response(push))
                await connection.wake.wait()
        finally:
            reader.cancel()
            self._connections.remove(connection)
            self._on_answer()

    async def _read(self, requests: AsyncIterator[Any], connection: _Connection) -> None:
        async for request in requests:
            kind = KIND_OF.get(request.type_url)
            if kind is None:
                continue
            if request.response_nonce:
                self._answered(request, connection.state)
            connection.state.subscribe(
                kind,
                request.resource_names_subscribe,
                request.resource_names_unsubscribe,
                dict(request.initial_resource_versions),
            )
            connection.wake.set()

    def _answered(self, request: Any, state: XdsStream) -> None:
        error = request.error_detail.message if request.HasField("error_detail") else None
        push = state.answered(request.response_nonce, error)
        if push is not None and error is not None:
            logger.warning("envoy refused %s %s: %s", push.kind, ", ".join(push.updated), error)
        self._on_answer()

    def _response(self, push: Push) -> Any:
        return discovery_pb2.DeltaDiscoveryResponse(
            type_url=TYPE_URLS[push.kind],
            nonce=push.nonce,
            resources=[self._encoded[push.kind][name].resource for name in push.updated],
            removed_resources=push.removed,
        )

    def _encode(self, kind: Kind, name: str, source: dict[str, object]) -> Encoded:
        known = self._encoded[kind].get(name)
        if known is not None and known.source == source:
            return known
        return encode(kind, name, source)


class _Connection:
    __slots__ = ("state", "wake")

    def __init__(self) -> None:
        self.state = XdsStream()
        self.wake = asyncio.Event()


class _Servicer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    """The gRPC service; only its delta method is served."""

    def __init__(self, server: XdsServer) -> None:
        self._server = server

    async def DeltaAggregatedResources(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> None:
        await self._server.serve(request_iterator, context)


@contextlib.contextmanager
def _short_path(path: Path) -> Any:
    """A path to the same socket that fits into a socket address."""
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        yield path
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{directory}") / path.name
    finally:
        os.close(directory)
