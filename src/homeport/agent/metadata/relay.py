"""Passes connections to 169.254.170.2 on to a control plane that listens on loopback only.

So a container reaches the API without the API being opened to the network. Every request is
authenticated there as any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
CHUNK = 64 * 1024
MAX_CONNECTIONS = 1024


class Relay:
    """A TCP relay to one endpoint."""

    def __init__(self, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        self._host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 80
        self._open = 0

    async def serve(self, opened: socket.socket) -> None:
        """Relay until cancelled."""
        server = await asyncio.start_server(self._on_connection, sock=opened)
        async with server:
            await server.serve_forever()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._open >= MAX_CONNECTIONS:
            writer.close()
            return
        self._open += 1
        try:
            await self._relay(reader, writer)
        except (OSError, TimeoutError) as error:
            logger.info("relay to %s:%d: %r", self._host, self.port, error)
        finally:
            self._open -= 1
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            up_reader, up_writer = await asyncio.open_connection(self._host, self.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, up_writer))
                both.create_task(_copy(up_reader, writer))
        finally:
            up_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
