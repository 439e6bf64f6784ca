"""Takes the connections of clients and agents, and brings those of one session together."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Literal

from homeport.datachannel.contents import SessionInputs, TaskComplete, load, start_session
from homeport.datachannel.messages import MalformedMessage, Message, decode, encode
from homeport.domain.arn import Arns, Ids, last_segment
from homeport.domain.execute import (
    ExecuteSession,
    ExecuteTarget,
    session_task,
    task_of_channel,
)
from homeport.domain.task import Task
from homeport.store import Change, Store
from homeport.store.schema import (
    CLUSTERS,
    EXECUTE_SESSIONS,
    EXECUTE_TARGETS,
    TASK_DEFINITIONS,
    TASKS,
)

from .relay import IDLE_SECONDS, MAX_FRAME, Relay, Side
from .sockets import POLICY_VIOLATION, TOO_BIG, TRY_AGAIN_LATER, WebSocket, opening_token
from .tokens import AgentTokens
from .transcript import session_inputs

logger = logging.getLogger(__name__)

ChannelKind = Literal["control", "data"]

MAX_OPENING_CONNECTIONS = 128
TELL_SECONDS = 5.0


class SessionLink:
    """``run`` must be running; the gateway calls ``create_channel`` and, per connection, this."""

    def __init__(
        self,
        store: Store,
        ids: Ids,
        arns: Arns,
        clock: Callable[[], float] = time.time,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._store = store
        self._arns = arns
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._tokens = AgentTokens(ids, clock)
        self._controls: dict[str, WebSocket] = {}
        self._relays: dict[str, Relay] = {}
        self._opening = 0
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Start what is asked for and end what is over, until cancelled."""
        self._forget_everything()
        unsubscribe = self._store.feed.subscribe(self._on_changes)
        try:
            async with asyncio.TaskGroup() as relays:
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    await self._store.durable(self._store.revision)
                    self._look(relays)
                    await self._tell_agents()
        finally:
            unsubscribe()

    # ── What the gateway asks ───────────────────────────────────────────────────────────────────

    def create_channel(self, kind: ChannelKind, identifier: str, opener: str) -> str | None:
        """The token for an agent's connection; None: there is no such target or session for it.

        What runs in a task may have its role's credentials; they open that task's channels only.
        """
        if kind == "control":
            task_id = self._target(identifier)
        else:
            relay = self._relays.get(identifier)
            task_id = last_segment(relay.session.task_arn) if relay else None
        if task_id is None or session_task(opener) not in (None, task_id):
            return None
        return self._tokens.issue(f"{kind} {identifier}")

    async def __call__(
        self, kind: ChannelKind, identifier: str, signed: bool, websocket: WebSocket
    ) -> None:
        """Serve one accepted connection until it ends. ``signed``: an agent's, by its handshake."""
        if self._opening >= MAX_OPENING_CONNECTIONS:
            await websocket.close(TRY_AGAIN_LATER)
            return
        self._opening += 1
        try:
            token = await opening_token(websocket)
        finally:
            self._opening -= 1
        channel = f"{kind} {identifier}"
        if kind == "control":
            if signed and self._tokens.redeem(channel, token):
                await self._serve_control(identifier, websocket)
        elif signed:
            if self._tokens.redeem(channel, token):
                await self._serve_data(identifier, "agent", websocket)
        elif self._admits_client(identifier, token):
            await self._serve_data(identifier, "client", websocket)
        await websocket.close(POLICY_VIOLATION)

    def _admits_client(self, session_id: str, token: str) -> bool:
        relay = self._relays.get(session_id)
        return relay is not None and relay.session.admits(token, self._clock())

    async def _serve_data(self, session_id: str, side: Side, websocket: WebSocket) -> None:
        relay = self._relays.get(session_id)
        if relay is None or not relay.reserve(side):
            return
        await relay.attach(side, websocket)

    # ── Control channels ────────────────────────────────────────────────────────────────────────

    async def _serve_control(self, identifier: str, websocket: WebSocket) -> None:
        task = self._task_of(identifier)
        if task is None:
            return
        older = self._controls.get(identifier)
        self._controls[identifier] = websocket
        if older is not None:
            await older.close()
        with self._store.transaction() as tx:
            tx.put(EXECUTE_TARGETS, ExecuteTarget(identifier, task.arn, self._clock()))
        self._wake.set()
        try:
            while (frame := await websocket.receive()) is not None:
                if len(frame) > MAX_FRAME:
                    await websocket.close(TOO_BIG)
                    return
                self._hear(identifier, frame)
        finally:
            if self._controls.get(identifier) is websocket:
                del self._controls[identifier]
                with self._store.transaction() as tx:
                    tx.delete(EXECUTE_TARGETS, identifier)

    def _hear(self, identifier: str, frame: str | bytes) -> None:
        try:
            said = decode(frame if isinstance(frame, bytes) else frame.encode())
            if said.type == "agent_task_complete":
                self._complete(identifier, said)
        except MalformedMessage as error:
            logger.info("%s sent no message: %s", identifier, error)

    def _complete(self, identifier: str, said: Message) -> None:
        complete = load(said.payload, TaskComplete)
        relay = self._relays.get(complete.task_id)
        if relay is not None and relay.session.channel_id == identifier:
            relay.end(complete.output)

    # ── Sessions ────────────────────────────────────────────────────────────────────────────────

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.of(EXECUTE_SESSIONS):
                self._wake.set()
            elif self._relays and (task_change := change.of(TASKS)):
                after = task_change[1]
                if after is None or after.last_status == "STOPPED":
                    self._wake.set()

    def _look(self, relays: asyncio.TaskGroup) -> None:
        with self._store.transaction() as tx:
            for session in tx.all(EXECUTE_SESSIONS):
                if session.id not in self._relays:
                    relay = Relay(session, self._clock, self._idle_seconds)
                    self._relays[session.id] = relay
                    relays.create_task(self._keep(relay), name=session.id)
            for relay in self._relays.values():
                if tx.get(EXECUTE_SESSIONS, relay.session.id) is None:
                    relay.end()  # TerminateSession
                task = tx.get(TASKS, relay.session.task_arn)
                if task is None or task.last_status == "STOPPED":
                    relay.end()

    async def _tell_agents(self) -> None:
        """Those whose control channel is closed are told when it opens again, if in time."""
        for relay in list(self._relays.values()):
            control = self._controls.get(relay.session.channel_id)
            if control is None or relay.told:
                continue
            relay.told = True
            session = relay.session
            started = start_session(
                session.id, session.command, self._inputs(session), uuid.uuid4(), self._clock()
            )
            try:
                async with asyncio.timeout(TELL_SECONDS):
                    await control.send_bytes(encode(started))
            except ConnectionError:
                relay.told = False
            except TimeoutError:
                await control.close(TRY_AGAIN_LATER)  # its agent comes back with another

    def _inputs(self, session: ExecuteSession) -> SessionInputs:
        with self._store.transaction() as tx:
            task = tx.get(TASKS, session.task_arn)
            if task is None:
                return SessionInputs()
            cluster = tx.get(CLUSTERS, task.cluster_arn)
            definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
        return session_inputs(cluster, definition, session.container_name)

    async def _keep(self, relay: Relay) -> None:
        session = relay.session
        logger.info("%s: %s in %s", session.id, session.principal_arn, session.channel_id)
        try:
            await relay.run()
        except Exception:  # the outer edge of one session: the others go on
            logger.exception("%s failed", session.id)
        finally:
            del self._relays[session.id]
            with self._store.transaction() as tx:
                tx.delete(EXECUTE_SESSIONS, session.id)
            logger.info("%s: over", session.id)

    def _forget_everything(self) -> None:
        """An earlier process's channels and sessions ended with it."""
        with self._store.transaction() as tx:
            for target in list(tx.all(EXECUTE_TARGETS)):
                tx.delete(EXECUTE_TARGETS, target.channel_id)
            for session in list(tx.all(EXECUTE_SESSIONS)):
                tx.delete(EXECUTE_SESSIONS, session.id)

    def _target(self, identifier: str) -> str | None:
        """The id of the task that a control channel may be opened for."""
        task = self._task_of(identifier)
        if task is None or task.last_status == "STOPPED" or not task.enable_execute_command:
            return None
        return last_segment(task.arn)

    def _task_of(self, identifier: str) -> Task | None:
        found = task_of_channel(identifier)
        if found is None:
            return None
        cluster, task_id = found
        with self._store.transaction() as tx:
            return tx.get(TASKS, self._arns.ecs(f"task/{cluster}/{task_id}"))
