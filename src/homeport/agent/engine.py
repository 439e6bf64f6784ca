"""The Docker Engine's HTTP API (or Podman's compatible one), as far as tasks need it.

One connection pool without a limit: a stop holds its connection as long as a container takes.
Every call has a timeout. ``EngineTimeout`` says that nobody knows whether the call took effect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiodocker
import aiohttp
import msgspec
from aiodocker.exceptions import DockerError

INSPECT_SECONDS = 30.0
REMOVE_SECONDS = 60.0
STOP_MARGIN_SECONDS = 60.0

UNREACHABLE = 900  # aiodocker's status when nobody listens on the socket


class EngineError(Exception):
    """The Engine refused; ``status`` is HTTP's, ``message`` its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class EngineTimeout(Exception):
    """The Engine did not answer within ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class _Pascal(msgspec.Struct, frozen=True, rename="pascal"):
    pass


class HealthFacts(_Pascal, frozen=True):
    """``status``: starting, healthy, unhealthy, none or empty."""

    status: str = ""


class StateFacts(_Pascal, frozen=True):
    """``status``: created, running, paused, restarting, removing, exited or dead."""

    status: str = ""
    exit_code: int = 0
    started_at: str = ""
    finished_at: str = ""
    error: str = ""
    health: HealthFacts | None = None
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")


class PortFacts(_Pascal, frozen=True):
    """Where a container port is bound."""

    host_ip: str = msgspec.field(default="", name="HostIp")
    host_port: str = ""


class HostConfigFacts(_Pascal, frozen=True):
    """What was asked for when the container was created."""

    port_bindings: dict[str, list[PortFacts] | None] | None = None
    network_mode: str = ""


class ConfigFacts(_Pascal, frozen=True):
    """What was asked for when the container was created."""

    labels: dict[str, str] | None = None


class ContainerFacts(_Pascal, frozen=True):
    """A container as ``inspect`` shows it."""

    id: str
    name: str
    state: StateFacts
    config: ConfigFacts
    host_config: HostConfigFacts


class ListedContainer(_Pascal, frozen=True):
    """A container as the listing shows it. ``state`` as ``StateFacts.status``."""

    id: str
    state: str = ""
    labels: dict[str, str] | None = None


class Event(msgspec.Struct, frozen=True):
    """``action``: die, oom, ``health_status: healthy`` …; ``attributes`` hold the labels;
    ``at``: epoch seconds."""

    container_id: str
    action: str
    attributes: Mapping[str, str]
    at: float = 0.0


class EngineFacts(msgspec.Struct, frozen=True):
    """About the Engine itself. ``bridge_gateway``: the host's address on the default bridge;
    ``cgroup_driver``: cgroupfs or systemd."""

    version: str
    api_version: str
    log_drivers: Sequence[str]
    bridge_gateway: str
    cgroup_driver: str = ""
    cgroup_version: str = ""


class Engine:
    """Calls the Engine. Raises EngineError and EngineTimeout."""

    def __init__(self, url: str) -> None:
        connector = (
            aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0)
            if url.startswith("unix://")
            else None
        )
        self._connector = connector
        # with a connector of our own the address only has to be a well-formed one
        address = "unix://localhost" if connector else url
        self._docker = aiodocker.Docker(url=address, connector=connector)

    async def close(self) -> None:
        """Release the connections."""
        await self._docker.close()
        if self._connector is not None:
            await self._connector.close()

    async def facts(self) -> EngineFacts:
        """Version, log drivers, the default bridge."""
        async with _within(INSPECT_SECONDS):
            version = await self._docker.version()
            info = await self._docker.system.info()
            gateway = await self._bridge_gateway()
        return EngineFacts(
            version=str(version["Version"]),
            api_version=str(version["ApiVersion"]),
            log_drivers=tuple((info.get("Plugins") or {}).get("Log") or ()),
            bridge_gateway=gateway,
            cgroup_driver=str(info.get("CgroupDriver") or ""),
            cgroup_version=str(info.get("CgroupVersion") or "1"),
        )

    async def _bridge_gateway(self) -> str:
        try:
            network = await (await self._docker.networks.get("bridge")).show()
        except DockerError:
            return ""  # Podman has none, dockerd may be told --bridge=none
        ranges = (network.get("IPAM") or {}).get("Config") or ()
        return str(next((r["Gateway"] for r in ranges if r.get("Gateway")), ""))

    async def alive(self) -> bool:
        """Whether the Engine answers at all."""
        try:
            async with _within(INSPECT_SECONDS):
                await self._docker.version()
        except (EngineError, EngineTimeout):
            return False
        return True

    async def create(self, name: str, body: Mapping[str, Any], seconds: float) -> str:
        """The new container's id."""
        async with _within(seconds):
            return (await self._docker.containers.create(body, name=name)).id

    async def start(self, container: str, seconds: float) -> None:
        """Start it; already running is fine."""
        async with _within(seconds):
            await self._docker.containers.container(container).start()

    async def stop(self, container: str, grace: int) -> None:
        """Stop signal, ``grace`` seconds, kill; returns once it has stopped. Stopped is fine."""
        async with _within(grace + STOP_MARGIN_SECONDS):
            await self._docker.containers.container(container).stop(t=grace)

    async def kill(self, container: str) -> None:
        """SIGKILL."""
        async with _within(STOP_MARGIN_SECONDS):
            await self._docker.containers.container(container).kill()

    async def remove(self, container: str) -> None:
        """Remove it and its anonymous volumes, running or not; gone is fine."""
        async with _within(REMOVE_SECONDS):
            try:
                await self._docker.containers.container(container).delete(force=True, v=True)
            except DockerError as error:
                if error.status != 404:
                    raise

    def container(self, container: str) -> aiodocker.containers.DockerContainer:
        """A handle by id or name, for what this class has no call for; use ``within``."""
        return self._docker.containers.container(container)

    def within(self, seconds: float) -> _within:
        """A deadline around such a call; raises this module's errors."""
        return _within(seconds)

    async def ensure_volume(self, name: str, volume: Mapping[str, Any]) -> None:
        """Create a volume (``Driver``, ``DriverOpts``, ``Labels``); one that is there is fine."""
        async with _within(REMOVE_SECONDS):
            await self._docker.volumes.create({"Name": name, **volume})  # type: ignore[no-untyped-call]

    async def has_volume(self, name: str) -> bool:
        """Whether the Engine has a volume of this name."""
        async with _within(INSPECT_SECONDS):
            try:
                await self._docker.volumes.get(name)  # type: ignore[no-untyped-call]
            except DockerError as error:
                if error.status == 404:
                    return False
                raise
        return True

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; gone is fine."""
        async with _within(REMOVE_SECONDS):
            try:
                volume = aiodocker.volumes.DockerVolume(self._docker, name)  # type: ignore[no-untyped-call]
                await volume.delete()  # type: ignore[no-untyped-call]
            except DockerError as error:
                if error.status != 404:
                    raise

    async def inspect(self, container: str) -> ContainerFacts | None:
        """By id or name; None if there is none."""
        async with _within(INSPECT_SECONDS):
            try:
                facts = await self._docker.containers.container(container).show()
            except DockerError as error:
                if error.status == 404:
                    return None
                raise
        return msgspec.convert(facts, ContainerFacts)

    async def describe(self, container: str) -> dict[str, Any] | None:
        """The Engine's own document of a container; None if there is none."""
        async with _within(INSPECT_SECONDS):
            try:
                return dict(await self._docker.containers.container(container).show())
            except DockerError as error:
                if error.status == 404:
                    return None
                raise

    async def stats(self, container: str) -> dict[str, Any] | None:
        """Its current statistics (takes the Engine a second or two)."""
        async with _within(INSPECT_SECONDS):
            found = await self._docker.containers.container(container).stats(stream=False)
        return dict(found[0]) if found else None

    async def list_labelled(self, label: str) -> list[ListedContainer]:
        """Every container, running or not, that has a label (``name`` or ``name=value``)."""
        async with _within(INSPECT_SECONDS):
            found = await self._docker.containers.list(
                all=True, filters=json.dumps({"label": [label]})
            )
        return [msgspec.convert(c._container, ListedContainer) for c in found]

    async def has_image(self, image: str) -> bool:
        """Whether the Engine has an image of this name."""
        async with _within(INSPECT_SECONDS):
            try:
                await self._docker.images.inspect(image)
            except DockerError as error:
                if error.status == 404:
                    return False
                raise
        return True

    async def load_image(self, archive: bytes) -> None:
        """Take images from an archive as ``docker load`` does."""
        async with _within(REMOVE_SECONDS):
            await self._docker.images.import_image(archive)

    async def pull(
        self, image: str, seconds: float, login: Mapping[str, str] | None = None
    ) -> None:
        """Pull an image; without tag or digest, its ``latest``. ``login``: user name, password."""
        if login is not None and "/" not in image:
            image = f"docker.io/library/{image}"  # a login is for a registry that is named
        async with _within(seconds):
            await self._docker.images.pull(image, auth=dict(login) if login else None)

    async def digest(self, image: str) -> str:
        """The repository digest of an image that was pulled (``sha256:…``), or empty."""
        async with _within(INSPECT_SECONDS):
            try:
                facts = await self._docker.images.inspect(image)
            except DockerError:
                return ""
        digests: list[str] = facts.get("RepoDigests") or []
        return digests[0].partition("@")[2] if digests else ""

    async def events(self, since: float, label: str) -> AsyncIterator[Event]:
        """Deaths, OOM kills and health of labelled containers; replays from ``since`` (epoch).

        Ends when the Engine ends the stream; raises EngineError when it can't be had.
        """
        filters = {
            "type": ["container"],
            "event": ["die", "oom", "health_status"],
            "label": [label],
        }
        subscriber = self._docker.events.subscribe(create_task=False)  # type: ignore[no-untyped-call]
        stream = asyncio.create_task(
            self._docker.events.run(since=f"{since:.9f}", filters=json.dumps(filters)),
            name="docker events",
        )
        try:
            while (raw := await subscriber.get()) is not None:
                actor = raw.get("Actor") or {}
                yield Event(
                    str(actor.get("ID", "")),
                    str(raw.get("Action", "")),
                    actor.get("Attributes", {}),
                    float(raw.get("timeNano", 0)) / 1e9,
                )
        finally:
            stream.cancel()
            await asyncio.gather(stream, return_exceptions=True)


class _within:
    """A deadline around Engine calls that turns what they raise into this module's errors."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise EngineTimeout(self._seconds) from error
        if isinstance(error, DockerError):
            raise EngineError(error.status, error.message) from error
        if isinstance(error, TimeoutError):
            raise EngineTimeout(self._seconds) from error
        if isinstance(error, aiohttp.ClientError | OSError):
            raise EngineError(UNREACHABLE, f"the Engine can't be reached: {error!r}") from error
