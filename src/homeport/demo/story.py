"""What happens, in order."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from .control_plane import ControlPlane
from .image import REPOSITORY, build
from .requests import Requests
from .screen import Screen
from .service import WebService
from .waiting import DemoFailed, until

__all__ = ["DemoFailed", "DemoOptions", "run_demo"]

T = TypeVar("T")

WATCH_SECONDS = 0.4
VERSIONS = ("v1", "v2")
LABEL = "com.amazonaws.ecs.cluster"


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
    """The exit code: 0 if no request failed. Cleans up whatever it made, unless it is kept."""
    suffix = secrets.token_hex(3)
    data_dir = Path(tempfile.mkdtemp(prefix=f"homeport-demo-{suffix}-"))
    plane = ControlPlane(data_dir, f"demo-{suffix}")
    kept = False
    async with _engine() as docker:
        with Screen(console) as screen:
            demo = Demo(options, screen, docker, plane, WebService(plane))
            try:
                requests = await _tell(demo)
                kept = options.keep
            finally:
                if not kept:
                    await _clean_up(demo)
    _summarize(console, demo, requests)
    if kept:
        _say_how_to_go_on(console, demo)
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
    async with _watched(demo):
        first, second = (demo.revisions[version] for version in VERSIONS)
        await demo.step("Two tasks become healthy", demo.service.settled(first))
        requests = Requests(demo.service.url, demo.options.per_second)
        demo.screen.requests = requests
        sending = asyncio.create_task(requests.run(), name="requests")
        try:
            await demo.step("Steady requests", _sent(demo, requests, 500))
            await demo.step("Kill one container; it is replaced", _kill_one(demo, first))
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
        demo.images[version] = await build(demo.docker, version)


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


async def _kill_one(demo: Demo, definition: str) -> None:
    victim = (await demo.service.tasks())[0]
    await demo.docker.containers.container(victim.container_id).kill()
    await demo.service.settled(definition, without=victim.task_id)


async def _roll(demo: Demo, requests: Requests, version: str) -> None:
    definition = demo.revisions[version]
    await demo.service.update(definition)
    await demo.service.settled(definition)

    async def look() -> tuple[bool | None, str]:
        return (True if requests.last_version == version else None), requests.last_version

    await until(f"answers come from {version}", look, 10, demo.plane.log)


@contextlib.asynccontextmanager
async def _watched(demo: Demo) -> AsyncIterator[None]:
    """Keep the screen's table of tasks up to date."""

    async def watch() -> None:
        while True:
            demo.screen.tasks = await demo.service.tasks()
            await asyncio.sleep(WATCH_SECONDS)

    watching = asyncio.create_task(watch(), name="watch")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _clean_up(demo: Demo) -> None:
    """Only what the demo made: its service, containers of its cluster, its images, its files."""
    cleaning: list[Callable[[], Awaitable[None]]] = [
        demo.service.delete,
        demo.plane.stop,
        lambda: _remove_containers(demo),
        lambda: _remove_images(demo),
    ]
    demo.screen.begin("Clean up")
    problems: list[str] = []
    for clean in cleaning:
        try:
            await clean()
        except (DemoFailed, DockerError, BotoCoreError, ClientError, OSError) as error:
            problems.append(str(error))
    demo.screen.end(failed=bool(problems))
    for problem in problems:
        demo.screen.say(f"Could not clean up: {problem}")
    if not problems:
        shutil.rmtree(demo.plane.data_dir, ignore_errors=True)


async def _remove_containers(demo: Demo) -> None:
    label = {"label": [f"{LABEL}={demo.plane.cluster}"]}
    for container in await demo.docker.containers.list(all=True, filters=label):
        await container.delete(force=True, v=True)


async def _remove_images(demo: Demo) -> None:
    for reference in demo.images.values():
        with contextlib.suppress(DockerError):  # another demo may be using it
            await demo.docker.images.delete(reference)


def _summarize(console: Console, demo: Demo, requests: Requests) -> None:
    answers = ", ".join(f"{n} from {v}" for v, n in sorted(requests.versions.items()))
    console.print()
    console.print(f"Requests sent:   {requests.sent} ({answers})", highlight=False)
    console.print(f"Requests failed: {len(requests.failures)}", highlight=False)
    latency = f"{requests.percentile(50):.1f} ms median, {requests.percentile(99):.1f} ms p99"
    console.print(f"Latency:         {latency}", highlight=False)
    console.print("Seconds per step:", highlight=False)
    for step in demo.screen.steps:
        console.print(f"  {step.seconds or 0:6.1f}  {step.title}", highlight=False)
    for failure in requests.failures[:5]:
        console.print(f"  failed: {failure}", highlight=False)


def _say_how_to_go_on(console: Console, demo: Demo) -> None:
    plane = demo.plane
    pid = plane.process.pid if plane.process else 0
    console.print(
        f"\nIt keeps running. The page: {demo.service.url} (also {demo.service.dns_url})\n"
        f'  eval "$(homeport env --data {plane.data_dir})"\n'
        f"  aws ecs describe-services --cluster {plane.cluster} --services web\n"
        "When you are done:\n"
        f"  aws ecs delete-service --cluster {plane.cluster} --service web --force\n"
        f"  kill -INT {pid} && rm -r {plane.data_dir}\n"
        f"  docker rm -f $(docker ps -aq --filter label={LABEL}={plane.cluster})\n"
        f"  docker rmi {REPOSITORY}:v1 {REPOSITORY}:v2",
        highlight=False,
    )
