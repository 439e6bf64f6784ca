"""Takes away what the demo made, and only that."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError
from botocore.exceptions import BotoCoreError, ClientError

from .control_plane import ControlPlane
from .screen import Screen
from .service import WebService
from .waiting import DemoFailed

LABEL = "com.amazonaws.ecs.cluster"
ENGINE_SECONDS = 60.0
EXPECTED = (DemoFailed, DockerError, BotoCoreError, ClientError, aiohttp.ClientError, OSError)
"""How the API, the Engine and the machine say no; anything else is a bug of the demo."""


async def clean_up(
    screen: Screen,
    docker: aiodocker.Docker,
    plane: ControlPlane,
    service: WebService,
    images: Mapping[str, str],
    keep_logs: bool,
) -> None:
    """Its service, Homeport, containers of its cluster, images, files; each even if one fails."""
    steps: list[Callable[[], Awaitable[None]]] = [
        plane.revive,
        service.delete,
        plane.stop,
        plane.revive,  # if it had to be killed: in order this time
        plane.stop,
        lambda: _remove_containers(docker, plane.cluster),
        lambda: _remove_images(docker, images),
    ]
    screen.begin("Clean up")
    problems = [problem for step in steps if (problem := await _problem(step))]
    if not problems:
        screen.see([])
        _remove_files(plane.data_dir, keep_logs)
    screen.end(failed=bool(problems))
    for problem in problems:
        screen.say(f"Could not clean up: {problem}")
    if plane.data_dir.exists():
        what = "The state and the logs are" if problems else "The logs are"
        screen.say(f"{what} in {plane.data_dir}; when you have read them: rm -r {plane.data_dir}")


async def _problem(step: Callable[[], Awaitable[None]]) -> str:
    try:
        await step()
    except TimeoutError:
        return f"the Docker Engine did not answer within {ENGINE_SECONDS:.0f} s"
    except EXPECTED as error:
        return str(error)
    return ""


async def _remove_containers(docker: aiodocker.Docker, cluster: str) -> None:
    async with asyncio.timeout(ENGINE_SECONDS):
        label = {"label": [f"{LABEL}={cluster}"]}
        for container in await docker.containers.list(all=True, filters=label):
            await container.delete(force=True, v=True)


async def _remove_images(docker: aiodocker.Docker, images: Mapping[str, str]) -> None:
    async with asyncio.timeout(ENGINE_SECONDS):
        for reference in images.values():
            await docker.images.delete(reference)


def _remove_files(data_dir: Path, keep_logs: bool) -> None:
    if not keep_logs:
        shutil.rmtree(data_dir)
        return
    for path in data_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".log":
            path.unlink()
    with contextlib.suppress(OSError):  # there are logs: the usual case
        data_dir.rmdir()
