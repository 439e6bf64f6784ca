"""Asks for a session, opens its channel, connects it with stdin and stdout."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import struct
import time
import uuid
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import aiohttp
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from yarl import URL

from homeport.datachannel.contents import (
    FLAG_DISCONNECT,
    SUCCESS,
    ClientAbilities,
    HandshakeResponse,
    OpenChannel,
    ProcessedAction,
    dump,
    exit_code,
)
from homeport.datachannel.endpoint import Endpoint
from homeport.datachannel.messages import MAX_PAYLOAD, MalformedMessage, Message, PayloadType

from . import terminal

CONNECT_SECONDS = 15.0
UNKNOWN_EXIT = 255
NOBODY_READS = 141  # as a shell shows the end by SIGPIPE
MAX_HELD = 1024 * 1024

STDOUT, STDERR = 1, 2


class ExecuteError(Exception):
    """It can't be run, or its session was lost; in words for the person who asked."""


def run_command(cluster: str, task: str, container: str, command: Sequence[str]) -> int:
    """Run it in the container; the command's exit code. Raises ExecuteError."""
    session = _ask(cluster, task, container, shlex.join(command))
    with_terminal = terminal.is_terminal()
    with terminal.raw() if with_terminal else contextlib.nullcontext():
        return asyncio.run(_serve(session, with_terminal))


def _ask(cluster: str, task: str, container: str, command: str) -> dict[str, str]:
    request: dict[str, Any] = {"cluster": cluster, "task": task, "command": command}
    if container:
        request["container"] = container
    try:
        ecs: Any = botocore.session.Session().create_client("ecs")
        answer: dict[str, str] = ecs.execute_command(interactive=True, **request)["session"]
        endpoint = URL(str(ecs.meta.endpoint_url))
    except BotoCoreError as error:
        raise ExecuteError(f'{error}\nIn this shell first: eval "$(homeport env)"') from error
    except ClientError as error:
        raise ExecuteError(str(error)) from error
    # The control plane may be known here by another address than it knows itself by.
    stream = URL(answer["streamUrl"]).with_host(endpoint.host or "").with_port(endpoint.port)
    return {**answer, "streamUrl": str(stream)}


async def _serve(session: dict[str, str], with_terminal: bool) -> int:
    opening = OpenChannel(
        token_value=session["tokenValue"],
        request_id=str(uuid.uuid4()),
        client_id=str(uuid.uuid4()),
        client_version=version("homeport"),
    )
    async with aiohttp.ClientSession() as http:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                websocket = await http.ws_connect(
                    URL(session["streamUrl"], encoded=True), max_msg_size=MAX_PAYLOAD + 1024
                )
                await websocket.send_str(dump(opening).decode())
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ExecuteError(f"{session['streamUrl']} can't be opened: {error!r}") from error
        async with websocket:
            return await Client(_Socket(websocket), with_terminal).run()


class _Socket:
    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes:
        frame = await self._websocket.receive()
        if frame.type is not aiohttp.WSMsgType.BINARY:
            raise ConnectionError(f"closed with code {self._websocket.close_code}")
        return bytes(frame.data)

    async def send(self, frame: bytes) -> None:
        try:
            await self._websocket.send_bytes(frame)
        except aiohttp.ClientError as error:
            raise ConnectionError(repr(error)) from error


class Client:
    """One session on an open channel. As ``Taker`` it never waits: what came is in a queue."""

    def __init__(self, socket: _Socket, with_terminal: bool) -> None:
        self._endpoint = Endpoint(socket, "input_stream_data", time.time)
        self._with_terminal = with_terminal
        self._arrived: asyncio.Queue[Message] = asyncio.Queue()
        self._held = 0
        self._exit_code: int | None = None

    def has_room(self) -> bool:
        """Whether stdout has kept up."""
        return self._held < MAX_HELD

    def take(self, message: Message) -> None:
        """From the endpoint."""
        self._held += len(message.payload)
        self._arrived.put_nowait(message)

    async def run(self) -> int:
        """The exit code. Raises ExecuteError."""
        handling = asyncio.create_task(self._handle())
        receiving = asyncio.create_task(self._endpoint.run(self))
        try:
            await asyncio.wait((handling, receiving), return_when=asyncio.FIRST_COMPLETED)
            if handling.done():
                handling.result()
            closed = await receiving
            shown = asyncio.create_task(self._arrived.join())  # what came, before the end is
            await asyncio.wait((handling, shown), return_when=asyncio.FIRST_COMPLETED)
            if handling.done():
                handling.result()
        except BrokenPipeError:
            return NOBODY_READS
        except (ConnectionError, MalformedMessage) as error:
            raise ExecuteError(f"the session was lost: {error}") from error
        finally:
            for part in (handling, receiving):
                part.cancel()
        if closed.output:
            raise ExecuteError(closed.output)
        return UNKNOWN_EXIT if self._exit_code is None else self._exit_code

    async def _handle(self) -> None:
        sending: list[asyncio.Task[None]] = []
        try:
            while True:
                message = await self._arrived.get()
                match message.payload_type:
                    case PayloadType.HANDSHAKE_REQUEST:
                        await self._endpoint.send(
                            PayloadType.HANDSHAKE_RESPONSE, dump(self._handshake())
                        )
                    case PayloadType.HANDSHAKE_COMPLETE:
                        sending += [asyncio.create_task(self._send_input())]
                        if self._with_terminal:
                            sending += [asyncio.create_task(self._send_sizes())]
                    case PayloadType.EXIT_CODE:
                        self._exit_code = exit_code(message.payload)
                    case PayloadType.OUTPUT:
                        await asyncio.to_thread(terminal.write, STDOUT, message.payload)
                    case PayloadType.STDERR | PayloadType.ERROR:
                        await asyncio.to_thread(terminal.write, STDERR, message.payload)
                self._held -= len(message.payload)
                self._arrived.task_done()
        finally:
            for part in sending:
                part.cancel()

    def _handshake(self) -> HandshakeResponse:
        abilities = ClientAbilities(tty=self._with_terminal, exit_code=True)
        action = ProcessedAction(
            action_type="SessionType", action_status=SUCCESS, action_result=abilities
        )
        return HandshakeResponse(
            client_version=version("homeport"), processed_client_actions=[action]
        )

    async def _send_input(self) -> None:
        stdin = terminal.Input()
        while data := await stdin.chunk():
            await self._endpoint.send(PayloadType.OUTPUT, data)
        await self._endpoint.send(PayloadType.FLAG, struct.pack(">I", FLAG_DISCONNECT))

    async def _send_sizes(self) -> None:
        changed = asyncio.Event()
        changed.set()
        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, changed.set)
        while True:
            await changed.wait()
            changed.clear()
            await self._endpoint.send(PayloadType.SIZE, dump(terminal.size()))
