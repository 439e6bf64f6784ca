"""One owner per task. Slow work (launch, stop, report) runs beside it and sends messages back.

The owner alone changes the task's state: it takes a message, applies it, asks ``next_steps``
what to do, and starts that. So a task's state is always what one sequence of messages made it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from . import reports
from .api import ApiError, ApiUnreachable, EcsApi
from .backoff import Backoff
from .commands import CommandFailed
from .container_spec import docker_name, host_bindings, publishes_ports
from .credentials import CredentialStore
from .engine import ContainerFacts, Engine, EngineError, EngineTimeout
from .execute import ExecuteAgentSeen, ExecuteTargets
from .launch import Failed, Launched, Launcher, Progress, published
from .log_streams import LogStreamFailed, LogStreams
from .network.sandbox import SandboxFailed
from .settings import AgentSettings
from .steps import next_steps
from .surroundings import Surroundings
from .task_files import TaskFiles
from .task_messages import (
    Acknowledged,
    Attached,
    Died,
    HealthChanged,
    LaunchEnded,
    Looked,
    Message,
    PauseEnded,
    Released,
    Restarted,
    StopEnded,
    StopWanted,
)
from .task_secrets import NotRetrieved, TaskSecrets
from .task_state import (
    Binding,
    Health,
    TaskState,
    container,
    definition,
    restarts_after,
    with_container,
)

logger = logging.getLogger(__name__)

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
PAUSE_ENDED = "ContainerNetworkingError: the pause container of the task has ended"
KILLED = 137
VANISHED = "ContainerVanishedError: No container matching saved ID found"

_HEALTH: dict[str, Health] = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


@dataclass(frozen=True, slots=True)
class Tools:
    """What every runner shares."""

    engine: Engine
    launcher: Launcher
    api: EcsApi
    files: TaskFiles
    settings: AgentSettings
    execute: ExecuteTargets
    credentials: CredentialStore
    log_streams: LogStreams
    surroundings: Callable[[TaskState, str], Surroundings]
    secrets: TaskSecrets
    clock: Callable[[], float] = time.time


class TaskRunner:
    """Owns one task until its stop has been acknowledged."""

    def __init__(self, task: TaskState, tools: Tools) -> None:
        self.task = task
        self._tools = tools
        self._mailbox: asyncio.Queue[Message] = asyncio.Queue()
        self._launching: dict[str, tuple[asyncio.Task[None], Progress]] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self._restarting: dict[str, asyncio.Task[None] | int] = {}  # int: exit code, not begun
        self._releasing: asyncio.Task[None] | None = None
        self._report_due = asyncio.Event()

    def tell(self, message: Message) -> None:
        """Put a message into the owner's mailbox."""
        self._mailbox.put_nowait(message)

    def catch_up(self) -> None:
        """Apply what is in the mailbox: before ``run`` has started."""
        while not self._mailbox.empty():
            self._apply(self._mailbox.get_nowait())

    async def run(self) -> None:
        """Until the control plane has acknowledged that the task has stopped.

        Cancelling leaves the containers as they are.
        """
        self._hold_ports()
        async with asyncio.TaskGroup() as work:
            reporting = work.create_task(self._report_loop(), name=f"report {self.task.arn}")
            try:
                wake_at = self._advance(work)
                while not self.task.acknowledged_stopped:
                    await self._take(wake_at)
                    wake_at = self._advance(work)
            finally:
                reporting.cancel()

    async def _take(self, wake_at: float | None) -> None:
        """Wait for a message, apply it and all that are there."""
        timeout = None if wake_at is None else max(0.0, wake_at - self._tools.clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                self._apply(await self._mailbox.get())
        self.catch_up()

    def _advance(self, work: asyncio.TaskGroup) -> float | None:
        before = self.task
        self.task, steps = next_steps(
            before, self._launching.keys(), self._stopping.keys(), self._tools.clock()
        )
        for name in steps.interrupt:
            self._interrupt(name)
        for name in steps.launch:
            progress = Progress()
            launch = work.create_task(self._launch(name, progress), name=f"launch {name}")
            self._launching[name] = launch, progress
        for name in steps.stop:
            self._stopping[name] = work.create_task(self._stop(name), name=f"stop {name}")
        if steps.release and self._releasing is None:
            self._releasing = work.create_task(self._release(), name="release")
        for name, ended in list(self._restarting.items()):
            if isinstance(ended, int):
                restart = work.create_task(self._restart(name, ended), name=f"restart {name}")
                self._restarting[name] = restart
        self._tools.execute.follow(self.task, self.tell)
        if reports.due(self.task):
            self._report_due.set()
        return steps.wake_at

    # ── Messages ────────────────────────────────────────────────────────────────────────────────

    def _apply(self, message: Message) -> None:
        before = self.task
        match message:
            case StopWanted():
                self.task = msgspec.structs.replace(self.task, desired="STOPPED")
            case Died():
                self._on_died(message)
            case HealthChanged(name, docker_id, status):
                if status in _HEALTH and self._is_current(name, docker_id):
                    self._change(name, health=_HEALTH[status], health_since=self._tools.clock())
            case Looked(name, facts):
                self._on_looked(name, facts)
            case LaunchEnded():
                self._on_launch_ended(message)
            case StopEnded(name):
                self._on_stop_ended(name)
            case ExecuteAgentSeen(name, docker_id, reason):
                if self._is_current(name, docker_id):
                    self._change(name, execute_agent="RUNNING", execute_agent_reason=reason)
            case Restarted():
                self._on_restarted(message)
            case Attached():
                self.task = msgspec.structs.replace(self.task, attached=True)
            case PauseEnded():
                self._on_pause_ended()
            case Released():
                self.task = msgspec.structs.replace(self.task, released=True)
            case Acknowledged(reported):
                self.task = msgspec.structs.replace(self.task, reported=reported)
        if self.task is not before:
            self._tools.files.save_soon(self.task)

    def _on_pause_ended(self) -> None:
        """As if an essential container had: Amazon's agent has its pause container so."""
        if self.task.desired == "RUNNING" and self.task.attached:
            reason = self.task.reason or PAUSE_ENDED
            self.task = msgspec.structs.replace(self.task, desired="STOPPED", reason=reason)

    def _on_died(self, died: Died) -> None:
        state = container(self.task, died.name)
        if not self._is_current(died.name, died.docker_id) or died.name in self._restarting:
            return
        if state is not None and state.restarted_at and died.at <= state.restarted_at:
            return  # told again: it was started again since
        if restarts_after(self.task, died.name, died.exit_code, died.at):
            self._restarting[died.name] = died.exit_code
            return
        self._stopped(
            died.name,
            docker_id=died.docker_id,
            exit_code=died.exit_code,
            reason=self._out_of_memory(died.name, died.out_of_memory, died.exit_code),
        )

    def _on_looked(self, name: str, facts: ContainerFacts | None) -> None:
        state = container(self.task, name)
        if state is None or name in self._launching or name in self._restarting:
            return
        if facts is None:
            if state.docker_id and state.status != "STOPPED":
                self._stopped(name, reason=VANISHED)
            return
        if not self._is_current(name, facts.id):
            return
        match facts.state.status:
            case "running" | "paused" | "restarting":
                self._saw_running(name, facts)
            case "created":
                self._change(name, status="CREATED", docker_id=facts.id)
            case _:
                self._saw_ended(name, facts)

    def _saw_running(self, name: str, facts: ContainerFacts) -> None:
        self._change(
            name,
            status="RUNNING",
            docker_id=facts.id,
            bindings=self._seen_bindings(name, facts),
            started_at=epoch(facts.state.started_at) or self._tools.clock(),
        )
        self._hold_ports()
        health = _HEALTH.get(facts.state.health.status if facts.state.health else "")
        state = container(self.task, name)
        if health and state and state.health != health:
            self._change(name, health=health, health_since=self._tools.clock())

    def _saw_ended(self, name: str, facts: ContainerFacts) -> None:
        started_at = epoch(facts.state.started_at)
        if started_at is None:  # it could not be started, by an agent that did not live to say so
            self._change(
                name,
                status="STOPPED",
                docker_id=facts.id,
                exit_code=facts.state.exit_code,
                reason=f"CannotStartContainerError: {facts.state.error}",
            )
            return
        ended_at = epoch(facts.state.finished_at) or self._tools.clock()
        if restarts_after(self.task, name, facts.state.exit_code, ended_at):
            self._restarting[name] = facts.state.exit_code
            return
        self._stopped(
            name,
            docker_id=facts.id,
            exit_code=facts.state.exit_code,
            reason=self._out_of_memory(name, facts.state.oom_killed, facts.state.exit_code),
            started_at=started_at,
            bindings=self._seen_bindings(name, facts),
        )

    def _on_launch_ended(self, ended: LaunchEnded) -> None:
        self._launching.pop(ended.name, None)
        first, last = ended.progress.pull_started_at, ended.progress.pull_stopped_at
        self.task = msgspec.structs.replace(
            self.task,
            pull_started_at=self.task.pull_started_at or first,
            pull_stopped_at=max(filter(None, (self.task.pull_stopped_at, last)), default=None),
        )
        match ended.result:
            case Launched(adopted=ContainerFacts() as facts) as launched:
                self._release_ports(launched.bindings)
                self._on_looked(ended.name, facts)
            case Launched() as launched:
                self._change(
                    ended.name,
                    status="RUNNING",
                    docker_id=launched.docker_id,
                    bindings=launched.bindings,
                    image_digest=launched.image_digest,
                    started_at=launched.at,
                )
                self._settle_ports(ended.name, launched.bindings)
            case Failed(reason, whole_task=True):
                logger.warning("%s: %s", self.task.arn, reason)
                reason = self.task.reason or reason
                self.task = msgspec.structs.replace(self.task, desired="STOPPED", reason=reason)
            case Failed(reason, docker_id, exit_code):
                logger.warning("%s %s: %s", self.task.arn, ended.name, reason)
                self._change(
                    ended.name,
                    status="STOPPED",
                    reason=reason,
                    docker_id=docker_id,
                    exit_code=exit_code,
                )
            case None:
                pass
        if all(state.status != "NONE" for state in self.task.containers):
            self._tools.secrets.forget(self.task.arn)  # whatever is to be made has been made

    def _on_restarted(self, restarted: Restarted) -> None:
        self._restarting.pop(restarted.name, None)
        state = container(self.task, restarted.name)
        if state is None:
            return
        if restarted.reason:
            self._stopped(restarted.name, exit_code=restarted.exit_code, reason=restarted.reason)
            return
        self._change(restarted.name, restarts=state.restarts + 1, restarted_at=self._tools.clock())

    def _on_stop_ended(self, name: str) -> None:
        self._stopping.pop(name, None)
        state = container(self.task, name)
        if state is not None and state.status == "CREATED":  # there was no process to stop
            self._change(name, status="STOPPED")

    def _stopped(self, name: str, **known: object) -> None:
        """A container that ran has ended; what it published is free again."""
        state = container(self.task, name)
        if state is not None and state.status != "STOPPED":
            self._release_ports(state.bindings)
        known.setdefault("started_at", (state and state.started_at) or self._tools.clock())
        self._change(name, status="STOPPED", **known)

    def _out_of_memory(self, name: str, told: bool, exit_code: int) -> str:
        """When the task's own limit is reached the Engine tells it of every container in the
        task's control group: the one that was killed has the exit code of a kill."""
        task = self.task.payload
        together = self._tools.launcher.cgroups is not None and bool(task.cpu or task.memory)
        if not told or (together and (exit_code != KILLED or name in self._stopping)):
            return ""
        return OUT_OF_MEMORY

    def _change(self, name: str, **changes: object) -> None:
        self.task = with_container(self.task, name, **changes)

    def _is_current(self, name: str, docker_id: str) -> bool:
        """Not an earlier attempt's container, removed because its port was taken."""
        state = container(self.task, name)
        return state is not None and state.docker_id in ("", docker_id)

    def _seen_bindings(self, name: str, facts: ContainerFacts) -> tuple[Binding, ...]:
        if self.task.payload.network_mode == "host":
            return host_bindings(definition(self.task, name))
        state = container(self.task, name)
        return published(facts) or (state.bindings if state else ())

    def _hold_ports(self) -> None:
        if publishes_ports(self.task.payload):
            for state in self.task.containers:
                if state.status == "RUNNING":
                    self._tools.launcher.ports.hold(state.bindings)

    def _settle_ports(self, name: str, bindings: tuple[Binding, ...]) -> None:
        """It may have died before its launch was heard to have ended."""
        state = container(self.task, name)
        if state is not None and state.status == "STOPPED":
            self._release_ports(bindings)

    def _release_ports(self, bindings: tuple[Binding, ...]) -> None:
        if publishes_ports(self.task.payload):
            self._tools.launcher.ports.release(bindings)

    # ── Work beside the owner ───────────────────────────────────────────────────────────────────

    def _interrupt(self, name: str) -> None:
        launch, progress = self._launching[name]
        if progress.interruptible:
            launch.cancel()

    async def _launch(self, name: str, progress: Progress) -> None:
        result: Launched | Failed | None = None
        wanted = definition(self.task, name)
        try:
            secrets = await self._tools.secrets.of(self.task.payload, name)
            await self._tools.log_streams.prepare(self.task.payload, wanted)
            pause = await self._tools.launcher.sandboxes.ensure(self.task.payload)
            if pause:
                self.tell(Attached())
            around = self._tools.surroundings(self.task, name)
            around = replace(around, secrets=secrets, pause=pause)
            result = await self._tools.launcher.launch(self.task.payload, wanted, around, progress)
            if isinstance(result, Failed):
                result = replace(result, reason=secrets.masked(result.reason))
        except (NotRetrieved, LogStreamFailed) as error:
            result = Failed(str(error), whole_task=True)
        except SandboxFailed as error:
            result = Failed(f"ContainerNetworkingError: {error}")
        except asyncio.CancelledError:
            if self.task.desired == "RUNNING":
                raise  # the agent ends
        self.tell(LaunchEnded(name, result, progress))

    async def _restart(self, name: str, exit_code: int) -> None:
        """Start the same container again; what it had written is still there."""
        state = container(self.task, name)
        target = (state and state.docker_id) or docker_name(self.task.payload, name)
        reason = ""
        logger.info("%s %s: ended with %d, starting it again", self.task.arn, name, exit_code)
        try:
            await self._tools.engine.start(target, self._tools.settings.start_timeout)
        except (EngineError, EngineTimeout) as error:
            reason = f"CannotStartContainerError: {error}"
        self.tell(Restarted(name, exit_code, reason))

    async def _release(self) -> None:
        """Remove what the containers shared; tries until it is gone."""
        backoff = Backoff(0.5, 30.0, 2.0)
        while True:
            try:
                await self._tools.launcher.sandboxes.release(self.task.payload)
                break
            except (EngineError, EngineTimeout, CommandFailed) as error:
                logger.warning("%s: its sandbox can't be removed: %s", self.task.arn, error)
                await asyncio.sleep(backoff.next())
        self.tell(Released())

    async def _stop(self, name: str) -> None:
        """Stop signal, patience, kill; then look. Tries until the container has stopped."""
        grace = definition(self.task, name).stop_timeout
        grace = self._tools.settings.stop_timeout if grace is None else grace
        state = container(self.task, name)
        target = (state and state.docker_id) or docker_name(self.task.payload, name)
        backoff = Backoff(1.0, 30.0, 2.0)
        while True:
            try:
                await self._stop_once(target, grace)
                await self._look(name)
                break
            except (EngineError, EngineTimeout) as error:
                logger.warning("%s %s can't be stopped: %s", self.task.arn, name, error)
                await asyncio.sleep(backoff.next())
        self.tell(StopEnded(name))

    async def _stop_once(self, target: str, grace: int) -> None:
        try:
            await self._tools.engine.stop(target, grace)
        except EngineTimeout:
            await self._tools.engine.kill(target)
        except EngineError as error:
            if error.status != 404:
                raise

    async def _look(self, name: str) -> None:
        state = container(self.task, name)
        target = (state and state.docker_id) or docker_name(self.task.payload, name)
        self.tell(Looked(name, await self._tools.engine.inspect(target)))

    # ── Reports ─────────────────────────────────────────────────────────────────────────────────

    async def _report_loop(self) -> None:
        while True:
            await self._report_due.wait()
            self._report_due.clear()
            if reports.due(self.task):
                await self._report()

    async def _report(self) -> None:
        """Until it is answered; what is sent is always the newest state."""
        backoff = Backoff(0.25, 30.0, 1.5)
        while True:
            task = self.task
            change = reports.state_change(task, self._tools.settings.cluster)
            try:
                await self._tools.api.call("SubmitTaskStateChange", change)
                break
            except ApiUnreachable as error:
                logger.warning("%s: %s can't be reported: %s", task.arn, change["status"], error)
            except ApiError as error:
                logger.warning("%s: %s was refused: %s", task.arn, change["status"], error)
                if error.code == "InvalidParameterException":
                    break
            await asyncio.sleep(backoff.next())
        self.tell(Acknowledged(reports.acknowledged(task)))


def epoch(text: str) -> float | None:
    """An RFC 3339 time of the Engine (nanoseconds) in epoch seconds; None for its zero."""
    if not text or text.startswith("0001-"):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
