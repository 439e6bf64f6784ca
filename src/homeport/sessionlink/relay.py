"""One session: frames from one end to the other, until it is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import Literal

from homeport.datachannel.contents import ChannelClosed, SessionState, load, message
from homeport.datachannel.messages import MAX_PAYLOAD, MalformedMessage, Message, decode, encode
from homeport.domain.execute import ExecuteSession

from .sockets import POLICY_VIOLATION, TOO_BIG, WebSocket

logger = logging.getLogger(__name__)

Side = Literal["client", "agent"]

CONNECT_SECONDS = 60.0
IDLE_SECONDS = 20 * 60.0
CLOSE_SECONDS = 5.0
MAX_FRAME = MAX_PAYLOAD + 1024

_MAY_SEND: dict[Side, frozenset[str]] = {
    "client": frozenset({"input_stream_data", "acknowledge"}),
    "agent": frozenset({"output_stream_data", "acknowledge", "agent_session_state"}),
}

NEVER_OPENED = "The session was not opened in time."
IDLE = "The session was idle for 20 minutes."
AGENT_GONE = "The connection to the container's agent was lost."


class Relay:
    """Passes on what each end may say to the other. A slow end slows down the other one."""

    def __init__(
        self,
        session: ExecuteSession,
        clock: Callable[[], float] = time.time,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.session = session
        self.told = False  # whether the agent was told to begin
        self.finished = asyncio.Event()  # both ends were told that it is over
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._ends: dict[Side, WebSocket] = {}
        self._reserved: set[Side] = set()
        self._both = asyncio.Event()
        self._over = asyncio.Event()
        self._output = ""
        self._heard_at = time.monotonic()

    def reserve(self, side: Side) -> bool:
        """Whether this end may come: each comes once."""
        if side in self._reserved or self._over.is_set():
            return False
        self._reserved.add(side)
        return True

    def end(self, output: str = "") -> None:
        """The session is over; ``output`` is for the person at the client's end."""
        if not self._over.is_set():
            self._output = output
            self._over.set()

    async def run(self) -> None:
        """Until it is over, both ends told."""
        try:
            await self._opened()
            await self._idle()
            await self._tell_ends()
        finally:
            self.end()
            self.finished.set()

    async def _tell_ends(self) -> None:
        for side, websocket in self._ends.items():
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await websocket.send_bytes(encode(self._closed(side)))
                    await websocket.close()

    async def attach(self, side: Side, websocket: WebSocket) -> None:
        """Serve one end, reserved before; returns when the session is over."""
        self._ends[side] = websocket
        if len(self._ends) == 2:
            self._heard_at = time.monotonic()
            self._both.set()
        pump = asyncio.create_task(self._pump(side, websocket), name=f"{self.session.id} {side}")
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait((pump, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pump.cancel()
            over.cancel()
        self.end(AGENT_GONE if side == "agent" else "")
        await self.finished.wait()

    async def _opened(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                waits = [asyncio.create_task(e.wait()) for e in (self._both, self._over)]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
        except TimeoutError:
            self.end(NEVER_OPENED)

    async def _idle(self) -> None:
        """Return when it is over; make it so when nothing was heard for too long."""
        while not self._over.is_set():
            left = self._heard_at + self._idle_seconds - time.monotonic()
            if left <= 0:
                self.end(IDLE)
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._over.wait()

    async def _pump(self, side: Side, websocket: WebSocket) -> None:
        await self._both.wait()  # what comes early waits in the connection
        other = self._ends["agent" if side == "client" else "client"]
        while (frame := await websocket.receive()) is not None:
            if len(frame) > MAX_FRAME:
                await websocket.close(TOO_BIG)
                return
            try:
                said = decode(frame if isinstance(frame, bytes) else frame.encode())
                passes = self._hear(side, said)
            except MalformedMessage as error:
                logger.info("%s: the %s sent no message: %s", self.session.id, side, error)
                await websocket.close(POLICY_VIOLATION)
                return
            if passes:
                await other.send_bytes(frame)  # type: ignore[arg-type]  # it decoded: bytes

    def _hear(self, side: Side, said: Message) -> bool:
        """Whether the other end is to have it."""
        if said.type not in _MAY_SEND[side]:
            raise MalformedMessage(f"a {side} does not send {said.type}")
        if said.type == "agent_session_state":
            if load(said.payload, SessionState).session_state == "Terminating":
                self.end()
            return False
        if said.type != "acknowledge":
            self._heard_at = time.monotonic()
        return True

    def _closed(self, side: Side) -> Message:
        now, id = self._clock(), uuid.uuid4()
        content = ChannelClosed(
            session_id=self.session.id,
            message_id=str(id),
            created_date=str(int(now * 1000)),
            destination_id=self.session.channel_id,
            output=self._output if side == "client" else "",
        )
        return message("channel_closed", content, id, now)
