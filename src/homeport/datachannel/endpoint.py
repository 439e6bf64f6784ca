"""One end of an open data channel: ``stream``'s bookkeeping on a connection and a clock."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .contents import ChannelClosed, load
from .messages import MalformedMessage, Message, MessageType, decode
from .stream import Incoming, Outgoing, acknowledgement

LOOK_SECONDS = 0.05
MAX_OWED = 10_000


class Connection(Protocol):
    """The websocket below. Both raise ConnectionError once the peer is gone."""

    async def receive(self) -> bytes:
        """The next frame."""

    async def send(self, frame: bytes) -> None:
        """Send one frame, waiting while the peer is slow."""


class Taker(Protocol):
    """Whom the other end's stream messages are for; never waits.

    While it has no room, what it takes is not acknowledged: the other end's window fills, and it
    stops sending.
    """

    def has_room(self) -> bool:
        """Whether it has kept up."""

    def take(self, message: Message) -> None:
        """The next message, each once and in order. May raise MalformedMessage."""


class Endpoint:
    """Sends in a window, resends, acknowledges, and hands on what comes, in order."""

    def __init__(
        self, connection: Connection, sends: MessageType, wall: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._outgoing = Outgoing(sends)
        self._incoming = Incoming()
        self._takes: MessageType = (
            "input_stream_data" if sends == "output_stream_data" else "output_stream_data"
        )
        self._wall = wall
        self._acknowledged = asyncio.Event()
        self._owed: deque[Message] = deque()  # taken, not acknowledged yet

    async def send(self, payload_type: int, payload: bytes) -> None:
        """Send one message, once there is room for it in the window."""
        while not self._outgoing.has_room:
            self._acknowledged.clear()
            await self._acknowledged.wait()
        frame = self._outgoing.send(
            payload_type, payload, id=uuid.uuid4(), wall=self._wall(), now=_now()
        )
        await self._connection.send(frame)

    async def send_frame(self, frame: bytes) -> None:
        """Send something outside of the stream."""
        await self._connection.send(frame)

    async def flush(self, seconds: float) -> bool:
        """Whether everything was acknowledged in this time."""
        try:
            async with asyncio.timeout(seconds):
                while self._outgoing.unacknowledged:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        except TimeoutError:
            return False
        return True

    async def run(self, taker: Taker) -> ChannelClosed:
        """Until the other end or the relay closes the channel; what it said.

        Raises ConnectionError and MalformedMessage.
        """
        looking = asyncio.create_task(self._look(taker))
        try:
            while True:
                arrived = decode(await self._connection.receive())
                if arrived.type == "channel_closed":
                    return load(arrived.payload, ChannelClosed)
                if arrived.type == "acknowledge":
                    self._outgoing.acknowledged(arrived, _now())
                    self._acknowledged.set()
                elif arrived.type == self._takes:
                    await self._take(arrived, taker)
        finally:
            looking.cancel()

    async def _take(self, arrived: Message, taker: Taker) -> None:
        if len(self._owed) >= MAX_OWED or any(arrived.sequence == o.sequence for o in self._owed):
            return
        turn = self._incoming.take(arrived)
        if turn is None:
            return
        for message in turn:
            taker.take(message)
        self._owed.append(arrived)
        await self._acknowledge(taker)

    async def _acknowledge(self, taker: Taker) -> None:
        while self._owed and taker.has_room():
            arrived = self._owed.popleft()
            await self._connection.send(acknowledgement(arrived, uuid.uuid4(), self._wall()))

    async def _look(self, taker: Taker) -> None:
        """Acknowledge once there is room, send again what was not acknowledged."""
        with contextlib.suppress(ConnectionError):  # who receives hears of it
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await self._acknowledge(taker)
                frame = self._outgoing.due(_now())
                if frame is not None:
                    await self._connection.send(frame)


def _now() -> float:
    return asyncio.get_running_loop().time()


__all__ = ["Connection", "Endpoint", "MalformedMessage", "Taker"]
