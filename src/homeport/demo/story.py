"""What happens, in order."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from .clean_up import clean_up
from .control_plane import ControlPlane
from .image import build
from .requests import Requests
from .screen import Screen
from .service import TaskSeen, WebService
from .summary import how_to_go_on, summarize
from .waiting import DemoFailed, to_the_end, until

__all__ = ["DemoFailed", "DemoOptions", "run_demo"]

T = TypeVar("T")

WATCH_SECONDS = 0.4
ENGINE_SECONDS = 15.0
ANSWER_SECONDS = 15.0
VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``requests``: how many must have been sent, at least, at the end."""

    keep: bool = False
    per_second: float = 200.0
    requests: int = 2000


@dataclass
class Demo:
    """What the steps share."""

    options: DemoOptions
    suffix: str
    screen: Screen
    docker: aiodocker.Docker
    plane: ControlPlane
    service: WebService
    images: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)

    async def step(self, title: str, doing: Awaitable[T]) -> T:
        """Show a step while it is done."""
        self.screen.begin(title)
        try:
            result = await doing
        except BaseException:
            self.screen.end(failed=True)
            raise
        self.screen.end()
        return result


async def run_demo(options: DemoOptions, console: Console) -> int:
    """The exit code: 0 if no request failed.

    Cleans up whatever it made, unless it is kept. A failure leaves the logs, and says where.
    """
    suffix = secrets.token_hex(3)
    async with _engine() as docker:
        data_dir = Path(tempfile.mkdtemp(prefix=f"homeport-demo-{suffix}-"))
        plane = ControlPlane(data_dir, f"demo-{suffix}")
        with Screen(console) as screen:
            demo = Demo(options, suffix, screen, docker, plane, WebService(plane))
            screen.say(f"State and logs: {data_dir}")
            kept, keep_logs = False, True
            try:
                requests = await _tell(demo)
                kept, keep_logs = options.keep, bool(requests.failures)
            except asyncio.CancelledError:
                keep_logs = False
                raise
            finally:
                if not kept:
                    await to_the_end(
                        clean_up(screen, docker, plane, demo.service, demo.images, keep_logs)
                    )
    summarize(console, screen, requests)
    if kept:
        how_to_go_on(console, plane, demo.service, demo.images)
    return 1 if requests.failures else 0


@contextlib.asynccontextmanager
async def _engine() -> AsyncIterator[aiodocker.Docker]:
    docker = aiodocker.Docker()
    try:
        try:
            await docker.version()
        except (DockerError, aiohttp.ClientError, OSError) as error:
            raise DemoFailed(
                f"The Docker Engine does not answer ({error}). homeport doctor says what to do."
            ) from error
        yield docker
    finally:
        await docker.close()


async def _tell(demo: Demo) -> Requests:
    await demo.step("Build two versions of a web image", _build(demo))
    await demo.step("Start Homeport", demo.plane.start())
    await demo.step("Create a cluster; this machine joins it", _join(demo))
    await demo.step("Create task definition, load balancer and service", _create(demo))
    first, second = (demo.revisions[version] for version in VERSIONS)
    async with _watched(demo):
        await demo.step("Two tasks become healthy", _settled(demo, first))
        requests = Requests(demo.service.url, demo.options.per_second)
        demo.screen.requests = requests
        sending = asyncio.create_task(requests.run(), name="requests")
        try:
            await demo.step("Steady requests", _steady(demo, requests, 500))
            await demo.step("Kill one container; it is replaced", _kill(demo, requests, first))
            await demo.step(f"Roll to {second}", _roll(demo, requests, "v2"))
            await demo.step(f"Roll back to {first}", _roll(demo, requests, "v1"))
            more = _sent(demo, requests, demo.options.requests)
            await demo.step("A last stretch of requests", more)
        finally:
            requests.stop()
            await sending
    return requests


async def _build(demo: Demo) -> None:
    for version in VERSIONS:
        demo.images[version] = await build(demo.docker, version, demo.suffix)


async def _join(demo: Demo) -> None:
    await demo.plane.call("ecs", "create_cluster", clusterName=demo.plane.cluster)
    await demo.service.wait_for_host()


async def _create(demo: Demo) -> None:
    for version in VERSIONS:
        image = demo.images[version]
        demo.revisions[version] = await demo.service.register(image, version)
    await demo.service.create(demo.revisions["v1"])


async def _sent(demo: Demo, requests: Requests, count: int) -> None:
    async def look() -> tuple[bool | None, str]:
        return (True if requests.sent >= count else None), f"{requests.sent} requests"

    seconds = 30 + 3 * count / requests.per_second
    await until(f"{count} requests are sent", look, seconds, demo.plane.log)


async def _steady(demo: Demo, requests: Requests, count: int) -> None:
    await _sent(demo, requests, count)
    await _all_answer(demo, requests, demo.screen.tasks, "v1")


async def _kill(demo: Demo, requests: Requests, definition: str) -> None:
    victim = (await demo.service.tasks())[0]
    async with asyncio.timeout(ENGINE_SECONDS):
        await demo.docker.containers.container(victim.container_id).kill()
    tasks = await _settled(demo, definition, without=victim.task_id)
    await _all_answer(demo, requests, tasks, "v1")


async def _roll(demo: Demo, requests: Requests, version: str) -> None:
    definition = demo.revisions[version]
    await demo.service.update(definition)
    tasks = await _settled(demo, definition)
    await _all_answer(demo, requests, tasks, version)


async def _settled(demo: Demo, definition: str, without: str = "") -> list[TaskSeen]:
    tasks = await demo.service.settled(definition, without)
    demo.screen.see(tasks)
    return tasks


async def _all_answer(demo: Demo, requests: Requests, tasks: list[TaskSeen], version: str) -> None:
    """Until each of these tasks has itself answered a request with this version's page."""

    async def look() -> tuple[bool | None, str]:
        silent = [t.task_id[:8] for t in tasks if not requests.answers[t.host, version]]
        return (None if silent else True), f"none yet from {', '.join(silent)}"

    what = f"a page of {version} from every task"
    await until(what, look, ANSWER_SECONDS, demo.plane.log)


@contextlib.asynccontextmanager
async def _watched(demo: Demo) -> AsyncIterator[None]:
    """Keep the screen's table of tasks up to date."""

    async def watch() -> None:
        while True:
            try:
                demo.screen.see(await demo.service.tasks())
            except (DemoFailed, BotoCoreError, ClientError) as error:
                demo.screen.trouble = f"The API does not say which tasks run: {error}"
            await asyncio.sleep(WATCH_SECONDS)

    watching = asyncio.create_task(watch(), name="watch")
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
