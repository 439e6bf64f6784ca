"""One session: handshake, command, streams, end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
import struct
import time
import uuid
from collections import deque

from homeport.agent.engine import Engine, EngineError, EngineTimeout
from homeport.agent.settings import AGENT_VERSION
from homeport.datachannel.contents import (
    EXIT_CODE_PREFIX,
    FLAG_DISCONNECT,
    FLAG_TERMINATE,
    SUCCESS,
    ClientAbilities,
    HandshakeComplete,
    HandshakeRequest,
    HandshakeResponse,
    RequestedAction,
    SessionState,
    SessionType,
    Size,
    Started,
    dump,
    load,
    message,
)
from homeport.datachannel.endpoint import Connection, Endpoint
from homeport.datachannel.messages import MalformedMessage, Message, PayloadType, encode

from .shell import Shell, start_shell
from .transcript import Transcript

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 60.0
FLUSH_SECONDS = 10.0
MAX_INPUT = 256 * 1024
CHUNK = 4096


class SessionFailed(Exception):
    """It could not begin, in words for the client."""


class _Input:
    """What the client has sent: handshake, then bytes for stdin, sizes and flags. Never waits."""

    def __init__(self) -> None:
        self.response: asyncio.Future[HandshakeResponse] = asyncio.Future()
        self.size: Size | None = None
        self.ended = False
        self.terminated = asyncio.Event()
        self.changed = asyncio.Event()
        self._chunks: deque[bytes] = deque()
        self._held = 0

    def has_room(self) -> bool:
        return self._held < MAX_INPUT

    def take(self, message: Message) -> None:
        match message.payload_type:
            case PayloadType.OUTPUT:
                self._chunks.append(message.payload)
                self._held += len(message.payload)
            case PayloadType.SIZE:
                self.size = load(message.payload, Size)
            case PayloadType.FLAG:
                self._flag(message.payload)
            case PayloadType.HANDSHAKE_RESPONSE if not self.response.done():
                self.response.set_result(load(message.payload, HandshakeResponse))
        self.changed.set()

    def chunk(self) -> bytes | None:
        """The next bytes for stdin, or None."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._held -= len(chunk)
        return chunk

    def _flag(self, payload: bytes) -> None:
        if len(payload) != 4:
            raise MalformedMessage("a flag has 4 bytes")
        (flag,) = struct.unpack(">I", payload)
        self.ended |= flag == FLAG_DISCONNECT
        if flag == FLAG_TERMINATE:
            self.terminated.set()


class ShellSession:
    """Serves one session on an open data channel."""

    def __init__(
        self,
        engine: Engine,
        container: str,
        started: Started,
        connection: Connection,
        transcript: Transcript,
    ) -> None:
        self._engine = engine
        self._container = container
        self._session_id = started.session_id
        self._command = started.command
        self._transcript = transcript
        self._input = _Input()
        self._endpoint = Endpoint(connection, "output_stream_data", time.time)

    async def run(self) -> None:
        """Until the command or the client has ended. Raises SessionFailed and ConnectionError."""
        receiving = asyncio.create_task(self._endpoint.run(self._input))
        serving = asyncio.create_task(self._serve())
        logging_it = asyncio.create_task(self._transcript.run())
        try:
            await asyncio.wait((receiving, serving), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            elif receiving.exception() is not None:
                logger.info("%s: %s", self._session_id, receiving.exception())
        finally:
            for part in (receiving, serving, logging_it):
                part.cancel()
            await asyncio.gather(receiving, serving, logging_it, return_exceptions=True)
            await self._transcript.close()

    async def _serve(self) -> None:
        abilities = await self._handshake()
        shell = await self._start(abilities)
        try:
            await self._stream(shell, abilities)
        except BaseException:
            # The client has gone or this agent ends: what it began ends too.
            await asyncio.shield(shell.end())
            raise
        with contextlib.suppress(ConnectionError):
            await shell.end()

    async def _handshake(self) -> ClientAbilities:
        began = time.monotonic_ns()
        request = HandshakeRequest(
            agent_version=AGENT_VERSION,
            requested_client_actions=[RequestedAction("SessionType", SessionType())],
        )
        await self._endpoint.send(PayloadType.HANDSHAKE_REQUEST, dump(request))
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                response = await self._input.response
        except TimeoutError:
            raise SessionFailed(
                "Handshake timed out. Please ensure that you have the latest version of the "
                "session manager plugin."
            ) from None
        action = next(iter(response.processed_client_actions), None)
        if action is None or action.action_status != SUCCESS:
            raise SessionFailed("The client does not know this type of session.")
        complete = HandshakeComplete(handshake_time_to_complete=time.monotonic_ns() - began)
        await self._endpoint.send(PayloadType.HANDSHAKE_COMPLETE, dump(complete))
        return action.action_result or ClientAbilities()

    async def _start(self, abilities: ClientAbilities) -> Shell:
        try:
            words = shlex.split(self._command)
            return await start_shell(self._engine, self._container, words, abilities.tty)
        except (EngineError, EngineTimeout, ValueError) as error:
            raise SessionFailed(f"Unable to start command: {error}") from error

    async def _stream(self, shell: Shell, abilities: ClientAbilities) -> None:
        feeding = asyncio.create_task(self._feed(shell, abilities.tty))
        reading = asyncio.create_task(self._read(shell))
        ending = asyncio.create_task(self._input.terminated.wait())
        try:
            await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            for part in (feeding, reading, ending):
                part.cancel()
        if abilities.exit_code and reading.done():
            code = await shell.exit_code()
            if code is not None:
                text = f"{EXIT_CODE_PREFIX}{code}".encode()
                await self._endpoint.send(PayloadType.EXIT_CODE, text)
        await self._endpoint.flush(FLUSH_SECONDS)
        state = SessionState(session_id=self._session_id, session_state="Terminating")
        leaving = message("agent_session_state", state, uuid.uuid4(), time.time())
        await self._endpoint.send_frame(encode(leaving))

    async def _read(self, shell: Shell) -> None:
        """Its output, no faster than the client takes it."""
        while (output := await shell.read()) is not None:
            error, data = output
            self._transcript.add(data)
            kind = PayloadType.STDERR if error else PayloadType.OUTPUT
            for at in range(0, len(data), CHUNK):
                await self._endpoint.send(kind, data[at : at + CHUNK])

    async def _feed(self, shell: Shell, tty: bool) -> None:
        """The client's input, no faster than the command takes it."""
        size: Size | None = None
        while True:
            await self._input.changed.wait()
            self._input.changed.clear()
            if tty and self._input.size not in (None, size):
                size = self._input.size
                assert size is not None
                await shell.resize(size.cols, size.rows)
            while (chunk := self._input.chunk()) is not None:
                await shell.write(chunk)
            if self._input.ended and not tty:
                shell.end_input()
                return
