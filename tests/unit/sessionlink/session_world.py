"""A session link over a store in memory; clients and agents in the test's hand."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import msgspec

from homeport.datachannel.contents import (
    ChannelClosed,
    OpenChannel,
    SessionInputs,
    SessionState,
    Started,
    TaskComplete,
    dump,
    load,
    message,
    read_start_session,
)
from homeport.datachannel.messages import Message, MessageType, PayloadType, decode, encode
from homeport.domain.arn import Arns, Ids
from homeport.domain.execute import ExecuteSession, channel_id, token_digest
from homeport.domain.task import Container, ManagedAgent, Task
from homeport.sessionlink import SessionLink
from homeport.store import Store
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import EXECUTE_SESSIONS, EXECUTE_TARGETS, TABLES, TASKS

ARNS = Arns("123456789012", "us-east-1")
TASK_ID = "0" * 32
TASK = Task(
    arn=ARNS.ecs(f"task/my_cluster/{TASK_ID}"),
    cluster_arn=ARNS.ecs("cluster/my_cluster"),
    task_definition_arn="web:1",
    group="family:web",
    created_at=0.0,
    containers=(
        Container(
            arn="c1",
            name="web",
            image="web:1",
            last_status="RUNNING",
            runtime_id="aa",
            managed_agents=(ManagedAgent("ExecuteCommandAgent", "RUNNING"),),
        ),
    ),
    last_status="RUNNING",
    enable_execute_command=True,
)
CHANNEL = channel_id("my_cluster", TASK_ID, "aa")
TOKEN = "client's token"
AGENT = "arn:aws:iam::123456789012:user/homeport-agent"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Peer:
    """The other end of a websocket of the link's: what it sends, what it got."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        self.closed: int | None = None
        self.closing = asyncio.Event()

    # the link's side
    async def receive(self) -> str | bytes | None:
        return None if self.closed is not None else await self.sent.get()

    async def send_bytes(self, data: bytes) -> None:
        if self.closed is not None:
            raise ConnectionError("closed")
        self.got.put_nowait(decode(data))

    async def close(self, code: int = 1000) -> None:
        if self.closed is None:
            self.closed = code
            self.closing.set()
            self.sent.put_nowait(None)

    # the test's side
    def opens(self, token: str) -> None:
        self.sent.put_nowait(dump(OpenChannel(token_value=token)).decode())

    def says(self, kind: MessageType, payload: bytes = b"", sequence: int = 0) -> None:
        said = Message(
            type=kind,
            payload=payload,
            id=uuid.uuid4(),
            created_at=1,
            sequence=sequence,
            payload_type=PayloadType.OUTPUT,
        )
        self.sent.put_nowait(encode(said))

    def says_content(self, kind: MessageType, content: SessionState | TaskComplete) -> None:
        self.sent.put_nowait(encode(message(kind, content, uuid.uuid4(), 1.0)))

    def leaves(self) -> None:
        self.sent.put_nowait(None)

    async def hears(self) -> Message:
        async with asyncio.timeout(5):
            return await self.got.get()

    async def hears_the_end(self) -> str:
        heard = await self.hears()
        assert heard.type == "channel_closed", heard
        return load(heard.payload, ChannelClosed).output


class World:
    """The task of ``TASK`` runs; ``link`` runs until the block ends."""

    def __init__(self, idle_seconds: float) -> None:
        self.clock = Clock()
        self.store = Store(TABLES, MemoryJournal())
        self.link = SessionLink(self.store, Ids(), ARNS, self.clock, idle_seconds)
        self.connections: list[asyncio.Task[None]] = []

    def put(self, table: object, record: object) -> None:
        with self.store.transaction() as tx:
            tx.put(table, record)  # type: ignore[arg-type, type-var]

    def session(self, id: str = "s1") -> ExecuteSession | None:
        with self.store.transaction() as tx:
            return tx.get(EXECUTE_SESSIONS, id)

    def targets(self) -> list[str]:
        with self.store.transaction() as tx:
            return [target.channel_id for target in tx.all(EXECUTE_TARGETS)]

    def connect(self, kind: str, identifier: str, token: str, *, signed: bool) -> Peer:
        peer = Peer()
        peer.opens(token)
        serving = self.link(kind, identifier, signed, peer)  # type: ignore[arg-type]
        self.connections.append(asyncio.ensure_future(serving))
        return peer

    def agent(self, kind: str, identifier: str) -> Peer:
        token = self.link.create_channel(kind, identifier, AGENT)  # type: ignore[arg-type]
        assert token
        return self.connect(kind, identifier, token, signed=True)

    def asks(self, id: str = "s1", command: str = "ls") -> None:
        self.put(
            EXECUTE_SESSIONS,
            ExecuteSession(
                id=id,
                channel_id=CHANNEL,
                task_arn=TASK.arn,
                container_name="web",
                command=command,
                principal_arn="root",
                token_digest=token_digest(TOKEN),
                created_at=self.clock.now,
                expires_at=self.clock.now + 60,
            ),
        )

    async def control(self) -> Peer:
        """An open control channel of the container."""
        peer = self.agent("control", CHANNEL)
        await self.until(lambda: self.targets() == [CHANNEL])
        return peer

    async def session_of(self, control: Peer) -> tuple[Peer, Peer]:
        """(client, agent) of a session that was asked for, both connected."""
        self.asks()
        assert read_start_session(await control.hears()) == Started("s1", "ls", SessionInputs())
        client = self.connect("data", "s1", TOKEN, signed=False)
        return client, self.agent("data", "s1")

    async def until(self, seen: object) -> None:
        for _ in range(5000):
            if seen():  # type: ignore[operator]
                return
            await asyncio.sleep(0.001)
        raise AssertionError("not within 5 s")

    def stop_task(self) -> None:
        self.put(TASKS, msgspec.structs.replace(TASK, last_status="STOPPED"))


@contextlib.asynccontextmanager
async def session_world(idle_seconds: float = 1200.0) -> AsyncIterator[World]:
    world = World(idle_seconds)
    world.store.start()
    world.put(TASKS, TASK)
    running = asyncio.create_task(world.link.run())
    await asyncio.sleep(0)
    try:
        yield world
    finally:
        for task in (running, *world.connections):
            task.cancel()
        await asyncio.gather(running, *world.connections, return_exceptions=True)
