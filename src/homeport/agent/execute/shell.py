"""A command in a running container, through the Engine's exec: root, with or without a TTY."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiodocker.execs import Exec
from aiodocker.stream import Stream

from homeport.agent.engine import Engine, EngineError, EngineTimeout

logger = logging.getLogger(__name__)

ROOT = "0"  # by number: an image without /etc/passwd knows no name
ENVIRONMENT = ("TERM=xterm-256color", "LANG=C.UTF-8")
ENGINE_SECONDS = 30.0
EXIT_LOOK_SECONDS = 0.05
EXIT_LOOKS = 100
HANGUP_SECONDS = 2.0
RESIZE_LOOKS = 20


class Shell:
    """One running command."""

    def __init__(self, engine: Engine, container: str, execution: Exec, stream: Stream) -> None:
        self._engine = engine
        self._container = container
        self._execution = execution
        self._stream = stream

    async def read(self) -> tuple[bool, bytes] | None:
        """(whether it is stderr, data) as it comes; None at the end."""
        message = await self._stream.read_out()
        return None if message is None else (message.stream == 2, message.data)

    async def write(self, data: bytes) -> None:
        """To its stdin, waiting while it does not read; ConnectionError once it has ended."""
        try:
            await self._stream.write_in(data)
        except (RuntimeError, AssertionError, OSError) as error:
            raise ConnectionError(f"the command has ended: {error!r}") from error

    def end_input(self) -> None:
        """Its stdin is at its end; output goes on. Without a TTY only."""
        response = self._stream._resp
        transport = response.connection.transport if response and response.connection else None
        if transport is not None and transport.can_write_eof():
            transport.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        """Its terminal's size; a process that is only about to start is waited for."""
        for _ in range(RESIZE_LOOKS):
            try:
                async with self._engine.within(ENGINE_SECONDS):
                    await self._execution.resize(h=rows, w=columns)
                return
            except (EngineError, EngineTimeout):
                await asyncio.sleep(EXIT_LOOK_SECONDS)

    async def exit_code(self) -> int | None:
        """Once its output is at its end; None if the Engine can't say."""
        for _ in range(EXIT_LOOKS):
            facts = await self._inspect()
            if not facts.get("Running"):
                code = facts.get("ExitCode")
                return None if code is None else int(code)
            await asyncio.sleep(EXIT_LOOK_SECONDS)
        return None

    async def end(self) -> None:
        """Hang up, then kill: the Engine lets a command go on when its stream is closed."""
        await self._stream.close()
        facts = await self._inspect()
        pid = int(facts.get("Pid") or 0)
        for number in (signal.SIGHUP, signal.SIGKILL):
            if not facts.get("Running") or not self._is_in_container(pid):
                return
            os.kill(pid, number)
            deadline = asyncio.get_running_loop().time() + HANGUP_SECONDS
            while facts.get("Running") and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(EXIT_LOOK_SECONDS)
                facts = await self._inspect()

    async def _inspect(self) -> dict[str, Any]:
        try:
            async with self._engine.within(ENGINE_SECONDS):
                return await self._execution.inspect()
        except (EngineError, EngineTimeout) as error:
            logger.info("the command in %s can't be inspected: %s", self._container, error)
            return {}

    def _is_in_container(self, pid: int) -> bool:
        """Whether process ``pid`` of this host is the container's; an Engine may be elsewhere."""
        try:
            return pid > 1 and self._container in Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            return False


async def start_shell(engine: Engine, container: str, command: Sequence[str], tty: bool) -> Shell:
    """Start ``command`` in a running container. Raises EngineError and EngineTimeout."""
    async with engine.within(ENGINE_SECONDS):
        execution = await engine.container(container).exec(
            list(command),
            stdin=True,
            stdout=True,
            stderr=True,
            tty=tty,
            user=ROOT,
            environment=list(ENVIRONMENT),
        )
        stream = execution.start(detach=False)
        await stream._init()
    return Shell(engine, container, execution, stream)
