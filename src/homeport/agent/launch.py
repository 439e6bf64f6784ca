"""Brings one container up: pull if need be, create, start. Safe to repeat at any point.

A container's name is derived from its task, so a repeated create finds what an earlier attempt
(or an agent that was killed) left: running is adopted, created is started, never a second one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from homeport.domain.agent_payload import PayloadContainer, PayloadEfsVolume, PayloadTask

from .awslogs import lacks_credentials, start_failure
from .backoff import Backoff
from .cgroups import TaskCgroups
from .container_spec import (
    LABEL_TASK_ARN,
    Document,
    SpecError,
    create_body,
    docker_name,
    host_bindings,
    is_shared,
    publishes_ports,
    volume_name,
)
from .efs import MOUNT_FAILED, Directory, EfsError, NfsExport, locate
from .engine import UNREACHABLE, ContainerFacts, Engine, EngineError, EngineTimeout
from .network.sandbox import Sandboxes
from .ports import NoFreePort, PortAllocator, is_port_conflict
from .settings import AgentSettings
from .surroundings import Surroundings
from .task_state import Binding

logger = logging.getLogger(__name__)

PORT_ATTEMPTS = 20
UNREACHABLE_ATTEMPTS = 6
RESERVED_NAME_ATTEMPTS = 40
CREDENTIALS_ATTEMPTS = 6

_PULL_HINTS = (
    (
        r"denied: User: .* is not authorized to perform: ecr:BatchGetImage on resource",
        "The task can’t pull the image. Check that the role has the permissions to pull images"
        " from the registry. ",
    ),
    (
        r"denied: requested access to the resource is denied",
        "The task can’t pull the image. Check whether the image exists. ",
    ),
    (
        r"request canceled while waiting for connection",
        "The task can’t pull the image. Check your network configuration. ",
    ),
)


@dataclass(slots=True)
class Progress:
    """How far a launch is. ``interruptible``: nothing can be left behind if it ends here."""

    interruptible: bool = True
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """It runs; ``adopted``: an earlier attempt started it, and this is what it looks like now."""

    docker_id: str
    bindings: tuple[Binding, ...]
    image_digest: str
    at: float
    adopted: ContainerFacts | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It does not run; ``reason`` in the official agent's words. ``whole_task``: the reason is the
    task's, none of its containers can run."""

    reason: str
    docker_id: str = ""
    exit_code: int | None = None
    whole_task: bool = False


class LaunchFailed(Exception):
    """Carries a Failed to the end of the launch."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


class _ImageAbsent(Exception):
    pass


class _PortTaken(Exception):
    def __init__(self, docker_id: str, message: str) -> None:
        super().__init__(message)
        self.docker_id = docker_id


@dataclass(slots=True)
class Launcher:
    """Shared by all tasks: one set of start slots, one port allocator."""

    engine: Engine
    ports: PortAllocator
    settings: AgentSettings
    slots: asyncio.Semaphore
    sandboxes: Sandboxes
    cgroups: TaskCgroups | None = None
    open_files: int = 0
    clock: Callable[[], float] = time.time
    _digests: dict[str, str] = field(default_factory=dict)

    async def launch(
        self,
        task: PayloadTask,
        container: PayloadContainer,
        around: Surroundings,
        progress: Progress,
    ) -> Launched | Failed:
        """Never raises for what the Engine or the payload says."""
        progress.pull_started_at = self.clock()
        behavior = self.settings.image_pull_behavior
        not_pulled = None
        try:
            if behavior != "prefer-cached":
                not_pulled = await self._pull(container.image, around, progress)
            if not_pulled and behavior == "always":
                return not_pulled
            return await self._until_reachable(task, container, around, progress, not_pulled)
        except LaunchFailed as error:
            return _of_file_system(task, error.failed)
        except SpecError as error:
            return Failed(f"CannotCreateContainerError: {error}")
        except NoFreePort as error:
            return Failed(f"CannotStartContainerError: {error}")

    async def _until_reachable(
        self,
        task: PayloadTask,
        container: PayloadContainer,
        around: Surroundings,
        progress: Progress,
        not_pulled: Failed | None,
    ) -> Launched | Failed:
        """An Engine that went away took the answer with it: ask again once it is back."""
        backoff = Backoff(0.5, 10.0, 2.0)
        for attempt in range(UNREACHABLE_ATTEMPTS):
            try:
                return await self._with_ports(task, container, around, progress, not_pulled)
            except EngineError as error:
                if error.status != UNREACHABLE or attempt == UNREACHABLE_ATTEMPTS - 1:
                    return Failed(f"CannotCreateContainerError: {said(error)}")
                logger.warning("%s %s: %s; trying again", task.arn, container.name, error)
                await asyncio.sleep(backoff.next())
        raise AssertionError("unreachable")

    async def _with_ports(
        self,
        task: PayloadTask,
        container: PayloadContainer,
        around: Surroundings,
        progress: Progress,
        not_pulled: Failed | None,
    ) -> Launched:
        for _ in range(PORT_ATTEMPTS):
            bindings = self._bindings(task, container)
            kept = False
            try:
                async with self.slots:
                    progress.interruptible = False
                    progress.pull_stopped_at = progress.pull_stopped_at or self.clock()
                    launched = await self._create_and_start(task, container, bindings, around)
                kept = launched.bindings == bindings
                if not kept and publishes_ports(task):
                    self.ports.hold(launched.bindings)
                return launched
            except _ImageAbsent:
                progress.interruptible = True
                failed = not_pulled or await self._pull(container.image, around, progress)
                if failed:
                    raise LaunchFailed(failed) from None
            except _PortTaken as error:
                await self.engine.remove(error.docker_id)
                if not any(p.host_port == 0 for p in container.port_mappings or ()):
                    raise LaunchFailed(Failed(f"CannotStartContainerError: {error}")) from None
                logger.info("%s %s: %s; another port", task.arn, container.name, error)
            finally:
                if not kept and publishes_ports(task):
                    self.ports.release(bindings)
        raise NoFreePort(f"no host port could be bound in {PORT_ATTEMPTS} attempts")

    def _bindings(self, task: PayloadTask, container: PayloadContainer) -> tuple[Binding, ...]:
        if publishes_ports(task):
            return self.ports.take(container.port_mappings or ())
        return host_bindings(container) if task.network_mode == "host" else ()

    async def _provide_volumes(self, task: PayloadTask) -> dict[str, str]:
        """Docker volumes with a driver, options or labels of their own are made beforehand.

        Returns the directories of EFS volumes that are on this host, by name.
        """
        directories: dict[str, str] = {}
        for volume in task.volumes or ():
            if volume.efs_volume_configuration is not None:
                place = self._locate(volume.efs_volume_configuration)
                if isinstance(place, Directory):
                    directories[volume.name] = place.path
                else:
                    await self._make_volume(volume_name(task, volume.name), place.volume())
            wanted = volume.docker_volume_configuration
            if wanted is None:
                continue
            shared = is_shared(volume)
            name = volume.name if shared else volume_name(task, volume.name)
            if shared and not wanted.autoprovision:
                if not await self.engine.has_volume(name):
                    reason = f"the shared volume {name} does not exist and autoprovision is off"
                    raise LaunchFailed(Failed(f"CannotCreateVolumeError: {reason}"))
                continue
            document = {
                "Driver": wanted.driver or "local",
                "DriverOpts": wanted.driver_opts or {},
                "Labels": wanted.labels or {},
            }
            await self._make_volume(name, document)
        return directories

    def _locate(self, wanted: PayloadEfsVolume) -> Directory | NfsExport:
        try:
            return locate(wanted, dict(self.settings.efs), self.settings.region)
        except EfsError as error:
            raise LaunchFailed(Failed(str(error))) from error

    async def _make_volume(self, name: str, document: Document) -> None:
        try:
            await self.engine.ensure_volume(name, document)
        except EngineError as error:
            if error.status == UNREACHABLE:
                raise
            raise LaunchFailed(Failed(f"CannotCreateVolumeError: {said(error)}")) from error

    async def _create_and_start(
        self,
        task: PayloadTask,
        container: PayloadContainer,
        bindings: tuple[Binding, ...],
        around: Surroundings,
    ) -> Launched:
        directories = await self._provide_volumes(task)
        name = docker_name(task, container.name)
        around = replace(
            around,
            cgroup_parent=await self._cgroup(task),
            open_files=self.open_files,
            directories=directories,
        )
        body = create_body(task, container, bindings, self.settings.cluster, around)
        digest = self._digests.get(container.image, "")
        try:
            docker_id = await self.engine.create(name, body, self.settings.create_timeout)
        except EngineTimeout:
            raise LaunchFailed(timed_out("created", self.settings.create_timeout)) from None
        except EngineError as error:
            if error.status == UNREACHABLE:
                raise
            if error.status == 404 and "image" in error.message.lower():
                raise _ImageAbsent from error
            if error.status != 409 or "already in use" not in error.message:
                raise LaunchFailed(Failed(f"CannotCreateContainerError: {said(error)}")) from error
            existing = await self._existing(task, name)
            docker_id, bindings = existing.id, published(existing) or bindings
            if existing.state.status != "created":
                return Launched(docker_id, bindings, digest, self.clock(), adopted=existing)
        await self._start(docker_id, task.launch_type)
        return Launched(docker_id, bindings, digest, self.clock())

    async def _cgroup(self, task: PayloadTask) -> str:
        """The task's control group, its limits in force; empty when there is none."""
        if self.cgroups is None:
            return ""
        try:
            return await asyncio.to_thread(self.cgroups.make, task)
        except OSError as error:
            reason = f"the control group of the task can't be made: {error}"
            raise LaunchFailed(Failed(f"CannotCreateContainerError: {reason}")) from error

    async def drop_cgroup(self, task: PayloadTask) -> bool:
        """Whether the control group of a task that is over is gone."""
        return self.cgroups is None or await asyncio.to_thread(self.cgroups.remove, task)

    async def _existing(self, task: PayloadTask, name: str) -> ContainerFacts:
        """What holds the name: the Engine reserves it a moment before it can be inspected."""
        for _ in range(RESERVED_NAME_ATTEMPTS):
            facts = await self.engine.inspect(name)
            if facts is not None:
                break
            await asyncio.sleep(0.05)
        else:
            raise LaunchFailed(
                Failed(f"CannotCreateContainerError: the name {name} is taken by nothing")
            )
        if (facts.config.labels or {}).get(LABEL_TASK_ARN) != task.arn:
            raise LaunchFailed(
                Failed(f"CannotCreateContainerError: the name {name} is not this task's")
            )
        return facts

    async def _start(self, docker_id: str, launch_type: str) -> None:
        timeout = self.settings.start_timeout
        try:
            await self._start_with_credentials(docker_id)
        except EngineTimeout:
            await self._make_sure_it_is_gone(docker_id)
            raise LaunchFailed(timed_out("started", timeout, docker_id)) from None
        except EngineError as error:
            if error.status == UNREACHABLE:
                raise
            if is_port_conflict(error.message):
                raise _PortTaken(docker_id, said(error)) from error
            facts = await self.engine.inspect(docker_id)
            raise LaunchFailed(
                Failed(
                    start_failure(launch_type, said(error)),
                    docker_id,
                    facts.state.exit_code if facts else None,
                )
            ) from error

    async def _start_with_credentials(self, docker_id: str) -> None:
        """The log driver asks for credentials as it starts: after a restart of the agent they come
        a moment later, and another agent of this host may just be taking the address over."""
        backoff = Backoff(0.3, 2.0, 2.0)
        attempt = 1
        while True:
            try:
                await self.engine.start(docker_id, self.settings.start_timeout)
                break
            except EngineError as error:
                if attempt == CREDENTIALS_ATTEMPTS or not lacks_credentials(error.message):
                    raise
                logger.warning("%s: %s; trying again", docker_id, error)
            attempt += 1
            await asyncio.sleep(backoff.next())

    async def _make_sure_it_is_gone(self, docker_id: str) -> None:
        try:
            await self.engine.remove(docker_id)
        except (EngineError, EngineTimeout) as error:
            logger.error("container %s could not be removed: %s", docker_id, error)

    async def _pull(self, image: str, around: Surroundings, progress: Progress) -> Failed | None:
        """Why it could not be pulled, or None."""
        progress.pull_started_at = self.clock()
        known = around.secrets.login
        login = {"username": known.username, "password": known.password} if known else None
        try:
            await self.engine.pull(image, self.settings.pull_timeout, login)
            self._digests[image] = await self.engine.digest(image)
        except EngineTimeout as error:
            return timed_out("pulled", error.seconds)
        except EngineError as error:
            return Failed(f"CannotPullContainerError: {pull_reason(error)}")
        finally:
            progress.pull_stopped_at = self.clock()
        return None


def _of_file_system(task: PayloadTask, failed: Failed) -> Failed:
    """A start that failed because an NFS export could not be mounted, as EFS has it."""
    for volume in task.volumes or ():
        is_efs = volume.efs_volume_configuration is not None
        if is_efs and volume_name(task, volume.name) in failed.reason:
            return replace(failed, reason=str(EfsError(failed.reason, MOUNT_FAILED)))
    return failed


def said(error: EngineError) -> str:
    """The Engine's words as Docker's own client gives them."""
    return f"Error response from daemon: {error.message}"


def pull_reason(error: EngineError) -> str:
    """The Engine's words after a hint, as the official agent has them."""
    text = said(error) if error.status else error.message
    hint = next((h for pattern, h in _PULL_HINTS if re.search(pattern, text)), "")
    return hint + text


def timed_out(state: str, seconds: float, docker_id: str = "") -> Failed:
    """A step took too long."""
    minutes, rest = divmod(int(seconds), 60)
    return Failed(
        f"DockerTimeoutError: Could not transition to {state};"
        f" timed out after waiting {minutes}m{rest}s",
        docker_id,
    )


def published(facts: ContainerFacts) -> tuple[Binding, ...]:
    """The bindings a container was created with; in host mode they are the payload's."""
    found: list[Binding] = []
    for key, hosts in (facts.host_config.port_bindings or {}).items():
        port, _, protocol = key.partition("/")
        for host in hosts or ():
            if host.host_port.isdigit() and int(host.host_port):
                found.append(Binding(int(port), int(host.host_port), protocol or "tcp"))
    return tuple(found)
