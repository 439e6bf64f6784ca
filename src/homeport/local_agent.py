"""Keeps one agent of this machine running as a child process of ``homeport up``.

The agent is a separate process so that it has no private door: it meets the control plane
only through the agent protocol. It ends with its parent, however the parent ends: its standard
input is a pipe that closes then. Its containers go on. What it prints is in ``agent.log``, the
newest ``LOG_BYTES`` or less, and as much before that in ``agent.log.1``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger(__name__)

FIRST_RESTART_SECONDS = 0.2
LAST_RESTART_SECONDS = 10.0
STABLE_SECONDS = 1.0
STOP_SECONDS = 10.0
ORPHAN_SECONDS = 2.0
LOG_BYTES = 16 * 1024 * 1024
LOG_LOOK_SECONDS = 30.0


class LocalAgent:
    """Supervises the agent. Secrets travel in its environment, never argv."""

    def __init__(self, environment: Mapping[str, str], log_path: Path) -> None:
        self._environment = environment
        self._log_path = log_path

    async def run(self) -> None:
        """Start it, and start it again with backoff when it ends; until cancelled."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._bound_log(), name="agent.log")
            await self._keep_running()

    async def _bound_log(self) -> None:
        while True:
            try:
                await asyncio.to_thread(bound, self._log_path, LOG_BYTES)
            except OSError as error:
                logger.warning("%s can't be bounded: %s", self._log_path, error)
            await asyncio.sleep(LOG_LOOK_SECONDS)

    async def _keep_running(self) -> None:
        delay = FIRST_RESTART_SECONDS
        while True:
            started = time.monotonic()
            code = await self._run_once()
            if time.monotonic() - started > STABLE_SECONDS:
                delay = FIRST_RESTART_SECONDS
            logger.warning(
                "the local agent ended with code %s, starting it again in %.1f s; its log: %s",
                code,
                delay,
                self._log_path,
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, LAST_RESTART_SECONDS)

    async def _run_once(self) -> int:
        log = os.open(self._log_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "homeport.local_agent",
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        finally:
            os.close(log)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await _stop(process)
            raise


def bound(log: Path, most: int) -> None:
    """Begin a log anew once it has more than ``most`` bytes; its newest ones are kept beside it.

    Its writer appends to the file that it has open, so the file stays the same one. What is
    written between the copy and the cut is lost.
    """
    if not log.exists() or log.stat().st_size <= most:
        return
    before = log.with_name(f"{log.name}.1")
    descriptor = os.open(before, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with open(log, "rb") as source, open(descriptor, "wb") as kept:
        source.seek(-most, os.SEEK_END)
        shutil.copyfileobj(source, kept)
    os.truncate(log, 0)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def end_with_parent() -> None:
    """Ask this process to stop once its standard input has closed; then see to it.

    A hard end loses nothing: an agent may be killed at any moment.
    """
    with open(sys.stdin.fileno(), "rb", closefd=False) as pipe:
        pipe.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    from homeport.agent.__main__ import main

    threading.Thread(target=end_with_parent, daemon=True).start()
    main()
