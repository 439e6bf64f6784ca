"""The namespaces of a task that its containers share, held open by a pause container.

Made before the first container, removed after the last: both can be asked again at any point.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any

from homeport.domain.agent_payload import PayloadInterface, PayloadTask

from .. import pause
from ..commands import CommandFailed
from ..container_spec import SpecError, docker_name, labels, shared_sysctls
from ..engine import Engine, EngineError, EngineTimeout
from ..settings import AgentSettings
from ..task_state import PAUSE, shares_namespaces
from .interface import attach, attached, detach, let_through
from .vpc import NotAdmitted, Vpc

logger = logging.getLogger(__name__)

ADMIT_SECONDS = 60.0


class SandboxFailed(Exception):
    """Why the namespaces could not be made, in words for the task's reason."""


class Sandboxes:
    """One pause container for each task that shares namespaces. ``own``: the host's address."""

    def __init__(
        self,
        engine: Engine,
        vpc: Vpc | None,
        settings: AgentSettings,
        slots: asyncio.Semaphore,
        machine: str,
        own: str,
    ) -> None:
        self._engine = engine
        self._vpc = vpc
        self._settings = settings
        self._slots = slots
        self._machine = machine
        self._own = own
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ready: set[str] = set()
        self._prepared = False

    async def ensure(self, task: PayloadTask) -> str:
        """The name of the task's pause container, running, with the task's interface; empty if
        the task needs none. Raises SandboxFailed."""
        if not shares_namespaces(task):
            return ""
        name = docker_name(task, PAUSE)
        async with self._locks[task.arn]:
            if task.arn not in self._ready:
                try:
                    await self._make(task, name)
                except (EngineError, EngineTimeout, CommandFailed, NotAdmitted, OSError) as error:
                    raise SandboxFailed(str(error)) from error
                except (pause.NoPauseImage, SpecError) as error:
                    raise SandboxFailed(str(error)) from error
                self._ready.add(task.arn)
        return name

    async def release(self, task: PayloadTask) -> None:
        """Remove it. Raises EngineError, EngineTimeout and CommandFailed."""
        async with self._locks[task.arn]:
            self._ready.discard(task.arn)
            await self._engine.remove(docker_name(task, PAUSE))
            for interface in task.elastic_network_interfaces or ():
                await detach(interface)
        del self._locks[task.arn]

    async def _make(self, task: PayloadTask, name: str) -> None:
        interface = next(iter(task.elastic_network_interfaces or ()), None)
        if task.network_mode == "awsvpc" and (interface is None or self._vpc is None):
            raise SandboxFailed("this agent can't attach network interfaces (it is not root)")
        await self._prepare()
        admitted = asyncio.create_task(self._admit(interface), name=f"admit {task.arn}")
        try:
            async with self._slots:
                pid = await self._run_pause(task, name)
            await admitted
        finally:
            admitted.cancel()
        if interface is not None and not await attached(interface, pid):
            await attach(interface, pid, self._own)

    async def _admit(self, interface: PayloadInterface | None) -> None:
        if interface is not None and self._vpc is not None:
            await self._vpc.admit(interface.ec2_id, ADMIT_SECONDS)

    async def _prepare(self) -> None:
        """Once: the image, and what the host must let through."""
        if self._prepared:
            return
        await self._load_image()
        if self._vpc is not None:
            try:
                await let_through()
            except (CommandFailed, OSError) as error:
                logger.warning("forwarding could not be allowed: %s", error)
        self._prepared = True

    async def _load_image(self) -> None:
        image = pause.reference(self._machine)
        if not await self._engine.has_image(image):
            await self._engine.load_image(pause.archive(self._machine))

    async def _run_pause(self, task: PayloadTask, name: str) -> int:
        """Its process id, as this host counts them."""
        try:
            await self._engine.create(name, self._body(task), self._settings.create_timeout)
        except EngineError as error:
            if error.status == 404:  # somebody has removed the image since
                self._prepared = False
            if error.status != 409 or "already in use" not in error.message:
                raise
        await self._engine.start(name, self._settings.start_timeout)
        found = await self._engine.describe(name)
        pid = int((found or {}).get("State", {}).get("Pid") or 0)
        if not pid:
            raise SandboxFailed("the pause container ended at once")
        return pid

    def _body(self, task: PayloadTask) -> dict[str, Any]:
        interface = next(iter(task.elastic_network_interfaces or ()), None)
        host_config: dict[str, Any] = {
            "NetworkMode": "none",
            "IpcMode": "shareable",
            "CapDrop": ["ALL"],
            "ReadonlyRootfs": True,
            "SecurityOpt": ["no-new-privileges"],
            "Memory": 6 * 1024 * 1024,
        }
        if sysctls := shared_sysctls(task):
            host_config["Sysctls"] = sysctls
        body: dict[str, Any] = {
            "Image": pause.reference(self._machine),
            "Labels": labels(task, PAUSE, self._settings.cluster),
            "HostConfig": host_config,
        }
        if interface is not None and interface.private_dns_name:
            body["Hostname"] = interface.private_dns_name
        return body


__all__ = ["SandboxFailed", "Sandboxes"]
