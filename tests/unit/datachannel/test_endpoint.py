"""Two ends of a channel on a connection that loses frames, and one end that is slow."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Iterator

import pytest

from homeport.datachannel.contents import ChannelClosed, message
from homeport.datachannel.endpoint import Endpoint
from homeport.datachannel.messages import Message, MessageType, PayloadType, encode
from homeport.datachannel.stream import WINDOW


class Wire:
    """One direction's end of a connection in memory."""

    def __init__(self, loss: float = 0.0) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.peer: Wire = self
        self._loss = loss
        self._chance = random.Random(7)

    async def send(self, frame: bytes) -> None:
        if self._chance.random() >= self._loss:
            self.peer.frames.put_nowait(frame)
        await asyncio.sleep(0)

    async def receive(self) -> bytes:
        return await self.frames.get()


class Taken:
    """Keeps what it was given; ``room`` is in the test's hand."""

    def __init__(self, room: bool = True) -> None:
        self.room = room
        self.payloads: list[bytes] = []

    def has_room(self) -> bool:
        return self.room

    def take(self, message: Message) -> None:
        self.payloads.append(message.payload)


def connected(loss: float = 0.0) -> tuple[Wire, Wire]:
    one, other = Wire(loss), Wire(loss)
    one.peer, other.peer = other, one
    return one, other


def endpoint(wire: Wire, sends: MessageType) -> Endpoint:
    return Endpoint(wire, sends, time.time)


@contextlib.contextmanager
def running(*ends: tuple[Endpoint, Taken]) -> Iterator[None]:
    tasks = [asyncio.ensure_future(end.run(taker)) for end, taker in ends]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def test_a_connection_that_loses_a_tenth_delivers_everything_in_order() -> None:
    client_wire, agent_wire = connected(loss=0.1)
    client = endpoint(client_wire, "input_stream_data")
    agent = endpoint(agent_wire, "output_stream_data")
    at_client, at_agent = Taken(), Taken()
    sent = [str(n).encode() for n in range(60)]
    with running((client, at_client), (agent, at_agent)):
        async with asyncio.timeout(60):
            for payload in sent:
                await client.send(PayloadType.OUTPUT, payload)
                await agent.send(PayloadType.OUTPUT, payload)
            assert await client.flush(60)
            assert await agent.flush(60)
    assert at_agent.payloads == sent
    assert at_client.payloads == sent


async def test_who_sends_waits_for_an_end_that_has_no_room() -> None:
    client_wire, agent_wire = connected()
    client = endpoint(client_wire, "input_stream_data")
    agent = endpoint(agent_wire, "output_stream_data")
    slow = Taken(room=False)
    with running((client, Taken()), (agent, slow)):
        for _ in range(WINDOW):
            await client.send(PayloadType.OUTPUT, b"x")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.send(PayloadType.OUTPUT, b"y")
        assert len(slow.payloads) == WINDOW
        slow.room = True
        async with asyncio.timeout(10):
            await client.send(PayloadType.OUTPUT, b"z")
            assert await client.flush(10)
    assert slow.payloads == [b"x"] * WINDOW + [b"z"]


async def test_the_channel_is_closed_with_the_relays_word() -> None:
    wire = Wire()
    end = endpoint(wire, "input_stream_data")
    closed = ChannelClosed(session_id="s", output="The session was idle for 20 minutes.")
    wire.frames.put_nowait(encode(message("channel_closed", closed, uuid.uuid4(), 1.0)))
    async with asyncio.timeout(5):
        assert await end.run(Taken()) == closed
