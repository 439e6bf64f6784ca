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

from .waiting import DemoFailed, until

START_SECONDS = 30.0
STOP_SECONDS = 30.0

Answer = Mapping[str, Any]


class ControlPlane:
    """Starts it, calls it, stops it."""

    def __init__(self, data_dir: Path, cluster: str) -> None:
        self.data_dir = data_dir
        self.cluster = cluster
        self.log = data_dir / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._keys: Mapping[str, str] = {}
        self._endpoint = ""
        self._calls = asyncio.Semaphore(4)

    async def start(self) -> None:
        """Return once it answers."""
        self.process = self._spawn()
        await until("Homeport is ready", self._look, START_SECONDS, self.log)

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "homeport", "up"),
            *("--data", str(self.data_dir)),
            *("--listen", f"127.0.0.1:{free_port()}"),
            *("--cluster", self.cluster),
        ]
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def _look(self) -> tuple[bool | None, str]:
        assert self.process is not None
        if self.process.poll() is not None:
            raise DemoFailed(f"Homeport ended at once: {self.log.read_text()[-500:].strip()}")
        try:
            endpoint = json.loads((self.data_dir / "endpoint.json").read_text())
            self._keys = json.loads((self.data_dir / "credentials.json").read_text())
        except FileNotFoundError as error:
            return None, f"{error.filename} is not there"
        self._endpoint = endpoint["endpoint_url"]
        return True, "ready"

    async def stop(self) -> None:
        """As Ctrl-C would."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    @functools.cache  # noqa: B019  (one control plane per process)
    def _client(self, service: str) -> Any:
        session = botocore.session.Session()
        return session.create_client(
            service,
            region_name=self._keys["region"],
            endpoint_url=self._endpoint,
            aws_access_key_id=self._keys["access_key_id"],
            aws_secret_access_key=self._keys["secret_access_key"],
            config=botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=8),
        )

    async def call(self, service: str, operation: str, /, **request: Any) -> Answer:
        """One operation (in botocore's snake_case) through the public API."""
        async with self._calls:
            method = getattr(self._client(service), operation)
            answer: Answer = await asyncio.to_thread(method, **request)
            return answer

    async def ecs(self, operation: str, /, **request: Any) -> Answer:
        """An ECS operation on the demo's cluster."""
        return await self.call("ecs", operation, cluster=self.cluster, **request)


def free_port() -> int:
    """A port of the loopback that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
