"""All tasks of this host: accepts them, passes on what the Engine says, cleans up after them.

Ownership: a container is ours exactly if the task in its label is. Several agents may share one
Engine; each looks only at containers of tasks it holds a file for.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hmac import compare_digest

import msgspec

from homeport.domain.agent_payload import PayloadContainer, PayloadTask

from .backoff import Backoff
from .container_spec import LABEL_CONTAINER_NAME, LABEL_TASK_ARN, docker_name, task_volumes
from .engine import EngineError, EngineTimeout, Event, ListedContainer
from .task_messages import Died, HealthChanged, Looked, PauseEnded, StopWanted
from .task_runner import TaskRunner, Tools
from .task_state import PAUSE, ContainerState, TaskState, new_task, shares_namespaces

logger = logging.getLogger(__name__)

EVENT_OVERLAP_SECONDS = 5.0
CLEAN_UP_CHECK_SECONDS = 5.0

ByName = Mapping[str, ListedContainer]


class Tasks:
    """The registry. ``run`` must be running; ``accept`` and ``stop`` come from the ACS session."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._runners: dict[str, TaskRunner] = {}
        self._owners: asyncio.TaskGroup | None = None
        self._finished: dict[str, TaskState] = {}
        self._out_of_memory: set[str] = set()
        self._seen_until = tools.clock()
        self.adopted = asyncio.Event()

    def by_metadata_id(self, metadata_id: str) -> tuple[TaskState, ContainerState] | None:
        """The container that asks with this id, also of a task that is over."""
        current = (runner.task for runner in self._runners.values())
        for task in (*current, *self._finished.values()):
            for state in task.containers:
                if state.metadata_id and compare_digest(state.metadata_id, metadata_id):
                    return task, state
        return None

    def current(self) -> list[TaskState]:
        """Every task that is not over."""
        return [runner.task for runner in self._runners.values()]

    async def run(self) -> None:
        """Adopt what is there, then serve until cancelled."""
        async with asyncio.TaskGroup() as owners:
            self._owners = owners
            await self._adopt_all()
            self.adopted.set()
            owners.create_task(self._follow_events(), name="events")
            owners.create_task(self._reconcile_loop(), name="reconcile")
            owners.create_task(self._clean_up_loop(), name="clean up")

    # ── What the control plane says ─────────────────────────────────────────────────────────────

    async def accept(self, payloads: Iterable[PayloadTask]) -> None:
        """Return once every task is durable; then it may be acknowledged. Raises OSError."""
        for payload in map(self._tools.credentials.take, payloads):
            runner = self._runners.get(payload.arn)
            if runner is not None:
                if payload.desired_status == "STOPPED":
                    await self._want_stopped(runner)
            elif payload.arn in self._finished:
                self._report_again(payload.arn)
            else:
                await self._accept_new(payload)

    async def stop(self, task_arns: Iterable[str]) -> None:
        """These tasks are not wanted any more."""
        for arn in task_arns:
            if (runner := self._runners.get(arn)) is not None:
                await self._want_stopped(runner)

    async def _accept_new(self, payload: PayloadTask) -> None:
        if payload.desired_status == "STOPPED":
            payload = await self._with_found_containers(payload)
        task = new_task(payload, self._tools.clock(), new_metadata_id)
        await self._tools.files.save(task)
        logger.info("%s: accepted, to be %s", task.arn, task.desired)
        self._start(task)
        if payload.desired_status == "STOPPED":
            await self._look(self._runners[task.arn])

    async def _want_stopped(self, runner: TaskRunner) -> None:
        if runner.task.desired != "STOPPED":
            logger.info("%s: to be STOPPED", runner.task.arn)
        await self._tools.files.save(msgspec.structs.replace(runner.task, desired="STOPPED"))
        runner.tell(StopWanted())

    async def _with_found_containers(self, payload: PayloadTask) -> PayloadTask:
        """A task to stop that no file knows: the Engine may still have its containers."""
        listed = await self._tools.engine.list_labelled(f"{LABEL_TASK_ARN}={payload.arn}")
        names = [(c.labels or {}).get(LABEL_CONTAINER_NAME, "") for c in listed]
        found = [PayloadContainer(name=name, essential=True) for name in names if name]
        return msgspec.structs.replace(payload, containers=found)

    def _report_again(self, task_arn: str) -> None:
        """The control plane asks for a task that is over: it has forgotten that it knows."""
        task = self._finished.pop(task_arn)
        self._start(msgspec.structs.replace(task, reported=TaskState.__struct_defaults__[-1]))

    # ── Owners ──────────────────────────────────────────────────────────────────────────────────

    def _start(self, task: TaskState) -> TaskRunner:
        runner = TaskRunner(task, self._tools)
        self._runners[task.arn] = runner
        assert self._owners is not None
        self._owners.create_task(self._own(runner), name=task.arn)
        return runner

    async def _own(self, runner: TaskRunner) -> None:
        backoff = Backoff(1.0, 60.0, 2.0)
        while True:
            try:
                await runner.run()
                break
            except Exception:  # the outer edge of one task: the others go on
                logger.exception("%s: its owner failed and begins again", runner.task.arn)
                await asyncio.sleep(backoff.next())
                runner = self._runners[runner.task.arn] = TaskRunner(runner.task, self._tools)
                await self._look(runner)
        logger.info("%s: STOPPED and reported", runner.task.arn)
        self._tools.secrets.forget(runner.task.arn)
        await self._tools.launcher.drop_cgroup(runner.task.payload)
        self._finished[runner.task.arn] = runner.task
        del self._runners[runner.task.arn]

    async def _adopt_all(self) -> None:
        tasks = self._tools.files.load()
        backoff = Backoff(0.5, 15.0, 2.0)
        while True:
            try:
                return await self._adopt(tasks)
            except (EngineError, EngineTimeout) as error:
                logger.warning("the Engine's containers can't be listed: %s", error)
            await asyncio.sleep(backoff.next())

    async def _adopt(self, tasks: list[TaskState]) -> None:
        for task in tasks:
            if task.acknowledged_stopped:
                self._finished[task.arn] = task
        unfinished = [t for t in tasks if not t.acknowledged_stopped and t.arn not in self._runners]
        listed = await self._listed() if unfinished else {}
        for task in unfinished:
            # A look comes before the owner's first step: nothing is started that runs already.
            runner = TaskRunner(task, self._tools)
            await self._look(runner, listed.get(task.arn, {}))
            runner.catch_up()
            logger.info("%s: adopted, to be %s", task.arn, runner.task.desired)
            self._runners[task.arn] = runner
            assert self._owners is not None
            self._owners.create_task(self._own(runner), name=task.arn)

    # ── What the Engine says ────────────────────────────────────────────────────────────────────

    async def _follow_events(self) -> None:
        backoff = Backoff(0.2, 15.0, 2.0)
        while True:
            since = self._seen_until - EVENT_OVERLAP_SECONDS
            try:
                async for event in self._tools.engine.events(since, LABEL_TASK_ARN):
                    backoff.reset()
                    self._seen_until = self._tools.clock()
                    self._on_event(event)
            except (EngineError, EngineTimeout) as error:
                logger.warning("the Engine's events can't be followed: %s", error)
            await asyncio.sleep(backoff.next())
            await self._reconcile()

    def _on_event(self, event: Event) -> None:
        runner = self._runners.get(event.attributes.get(LABEL_TASK_ARN, ""))
        name = event.attributes.get(LABEL_CONTAINER_NAME, "")
        if runner is None:
            return
        action, _, detail = event.action.partition(":")
        if name == PAUSE:
            if action == "die":
                runner.tell(PauseEnded())
            return
        match action:
            case "die":
                oom = event.container_id in self._out_of_memory
                self._out_of_memory.discard(event.container_id)
                code = int(event.attributes.get("exitCode", "0"))
                runner.tell(Died(name, event.container_id, code, oom, event.at))
            case "oom":
                self._out_of_memory.add(event.container_id)
            case "health_status":
                runner.tell(HealthChanged(name, event.container_id, detail.strip()))

    async def _reconcile_loop(self) -> None:
        while True:
            await asyncio.sleep(self._tools.settings.reconcile_every)
            await self._reconcile()

    async def _reconcile(self) -> None:
        """Events can be missed: compare every task with the Engine's listing."""
        try:
            runners = list(self._runners.values())
            listed = await self._listed() if runners else {}
            for runner in runners:
                await self._look(runner, listed.get(runner.task.arn, {}), only_changes=True)
        except (EngineError, EngineTimeout) as error:
            logger.warning("the Engine's containers can't be listed: %s", error)

    async def _listed(self) -> dict[str, dict[str, ListedContainer]]:
        listed: dict[str, dict[str, ListedContainer]] = defaultdict(dict)
        for found in await self._tools.engine.list_labelled(LABEL_TASK_ARN):
            labels = found.labels or {}
            listed[labels[LABEL_TASK_ARN]][labels.get(LABEL_CONTAINER_NAME, "")] = found
        return listed

    async def _look(
        self, runner: TaskRunner, listed: ByName | None = None, *, only_changes: bool = False
    ) -> None:
        """Inspect the task's containers and tell its owner; ``only_changes``: where they differ."""
        if listed is not None and _pause_is_missed(runner.task, listed):
            runner.tell(PauseEnded())
        for state in runner.task.containers:
            found = listed.get(state.name) if listed is not None else None
            if listed is not None and found is None:
                runner.tell(Looked(state.name, None))
                continue
            if only_changes and found is not None and _agrees(state.status, found.state):
                continue
            target = found.id if found else docker_name(runner.task.payload, state.name)
            runner.tell(Looked(state.name, await self._tools.engine.inspect(target)))

    # ── Afterwards ──────────────────────────────────────────────────────────────────────────────

    async def _clean_up_loop(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_UP_CHECK_SECONDS)
            for task in self._to_clean_up():
                try:
                    await self._clean_up(task)
                except (EngineError, EngineTimeout, OSError) as error:
                    logger.warning("%s can't be cleaned up yet: %s", task.arn, error)

    def _to_clean_up(self) -> list[TaskState]:
        settings = self._tools.settings
        oldest = sorted(self._finished.values(), key=lambda task: task.stopped_at or 0.0)
        surplus = max(0, len(oldest) - settings.keep_stopped_tasks)
        due_before = self._tools.clock() - settings.clean_up_after
        return oldest[:surplus] + [t for t in oldest[surplus:] if (t.stopped_at or 0) <= due_before]

    async def _clean_up(self, task: TaskState) -> None:
        """Containers, volumes, the control group, then the file: what was not done is done after
        a restart."""
        for state in task.containers:
            await self._tools.engine.remove(
                state.docker_id or docker_name(task.payload, state.name)
            )
        for volume in task_volumes(task.payload):
            await self._tools.engine.remove_volume(volume)
        if not await self._tools.launcher.drop_cgroup(task.payload):
            raise OSError("its control group is still in use")
        await self._tools.files.delete(task.arn)
        self._finished.pop(task.arn, None)
        self._tools.credentials.forget(task.arn)
        logger.info("%s: cleaned up", task.arn)


def new_metadata_id() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def _pause_is_missed(task: TaskState, listed: ByName) -> bool:
    """Whether a task's containers have joined a pause container that no longer runs."""
    if not shares_namespaces(task.payload) or not task.attached or task.released:
        return False
    found = listed.get(PAUSE)
    return found is None or not _agrees("RUNNING", found.state)


def _agrees(known: str, listed: str) -> bool:
    """Whether the listing's word for a container says what is known already."""
    match known:
        case "RUNNING":
            return listed in ("running", "paused", "restarting")
        case "STOPPED":
            return listed not in ("running", "paused", "restarting")
        case "CREATED":
            return listed == "created"
        case _:
            return False
