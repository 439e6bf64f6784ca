"""A Homeport of the demo's own: a child process on a data directory and a port of its own."""

from __future__ import annotations

import asyncio
import functools
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError

from .waiting import DemoFailed, until

START_SECONDS = 30.0
STOP_SECONDS = 30.0
CALL_SECONDS = 20

Answer = Mapping[str, Any]


class ControlPlane:
    """Starts it, calls it, stops it."""

    def __init__(self, data_dir: Path, cluster: str) -> None:
        self.data_dir = data_dir
        self.cluster = cluster
        self.log = data_dir / "up.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._keys: Mapping[str, str] = {}
        self._endpoint = ""
        self._calls = asyncio.Semaphore(4)

    async def start(self) -> None:
        """Return once it answers. Also after it has died: it goes on with what it had."""
        # A killed process leaves this file; it would be mistaken for the new one's.
        (self.data_dir / "endpoint.json").unlink(missing_ok=True)
        try:
            self.process = self._spawn()
        except OSError as error:
            raise DemoFailed(f"Homeport can't be started: {error}") from error
        await until("Homeport is ready", self._look, START_SECONDS, self.log)
        self._was_ready = True

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "homeport", "up"),
            *("--data", str(self.data_dir)),
            *("--listen", f"127.0.0.1:{self.port}"),
            *("--cluster", self.cluster),
        ]
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def _look(self) -> tuple[bool | None, str]:
        assert self.process is not None
        if self.process.poll() is not None:
            said = self.log.read_text()[-500:].strip()
            raise DemoFailed(f"Homeport ended at once: {said}. Log: {self.log}")
        try:
            endpoint = json.loads((self.data_dir / "endpoint.json").read_text())
            self._keys = json.loads((self.data_dir / "credentials.json").read_text())
        except FileNotFoundError as error:
            return None, f"{error.filename} is not there"
        self._endpoint = endpoint["endpoint_url"]
        return True, "ready"

    async def revive(self) -> None:
        """Start it again if it died: only it can end what it left, its Envoy for one."""
        if self._was_ready and self.process is not None and self.process.poll() is not None:
            await self.start()

    async def stop(self) -> None:
        """As Ctrl-C would; SIGKILL, and DemoFailed, when that does not help."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self.process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
            raise DemoFailed(
                f"Homeport did not stop within {STOP_SECONDS:.0f} s of SIGINT and was killed. "
                f"Log: {self.log}"
            ) from error
        self.process = None

    @functools.cache  # noqa: B019  (one control plane per process)
    def _client(self, service: str) -> Any:
        session = botocore.session.Session()
        return session.create_client(
            service,
            region_name=self._keys["region"],
            endpoint_url=self._endpoint,
            aws_access_key_id=self._keys["access_key_id"],
            aws_secret_access_key=self._keys["secret_access_key"],
            config=botocore.config.Config(
                retries={"max_attempts": 0},
                max_pool_connections=8,
                connect_timeout=CALL_SECONDS,
                read_timeout=CALL_SECONDS,
            ),
        )

    async def call(self, service: str, operation: str, /, **request: Any) -> Answer:
        """One operation (in botocore's snake_case) through the public API."""
        async with self._calls:
            method = getattr(self._client(service), operation)
            try:
                answer: Answer = await asyncio.to_thread(method, **request)
            except (NoConnection, HTTPClientError) as error:
                raise self._no_answer(error) from error
            return answer

    def _no_answer(self, error: Exception) -> DemoFailed:
        code = self.process.poll() if self.process else None
        why = str(error) if code is None else f"Homeport ended by itself with exit code {code}"
        return DemoFailed(f"The API does not answer: {why}. Log: {self.log}")

    async def ecs(self, operation: str, /, **request: Any) -> Answer:
        """An ECS operation on the demo's cluster."""
        return await self.call("ecs", operation, cluster=self.cluster, **request)


def free_port() -> int:
    """A port of the loopback that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
