"""RunTask to RUNNING against a bare create and start of the same image, in one run.

RUNNING is what DescribeTasks says, asked every few milliseconds. Aims: at most 1.5 times, and
for 50 tasks at once at most 1.25 times (the bare ones start as many at a time as the agent does).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import aiodocker
from machine import header, milliseconds
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane
from images import busybox_image
from tasks import container, register

ROUNDS = 20
MANY = 50
AT_ONCE = 2
LOOK_SECONDS = 0.004
DEADLINE_SECONDS = 120.0
COMMAND = "trap 'exit 0' TERM; sleep 600 & wait"


def bare_body() -> dict[str, Any]:
    """What the agent asks the Engine for, of the same definition."""
    return {
        "Image": busybox_image(),
        "Cmd": ["sh", "-c", COMMAND],
        "HostConfig": {"Memory": 16 * 1024 * 1024, "NetworkMode": "bridge", "CpuShares": 2},
    }


async def bare(docker: aiodocker.Docker, names: list[str]) -> float:
    """Seconds until the container has been started."""
    name = f"homeport-benchmark-{uuid.uuid4().hex[:12]}"
    names.append(name)
    began = time.monotonic()
    created = await docker.containers.create(bare_body(), name=name)
    await created.start()
    return time.monotonic() - began


def through_homeport(plane: ControlPlane, ecs: Any, definition: str, count: int) -> float:
    """Seconds until every task is RUNNING."""
    began = time.monotonic()
    arns: list[str] = []
    for first in range(0, count, 10):
        answer = ecs.run_task(
            cluster=plane.cluster, taskDefinition=definition, count=min(10, count - first)
        )
        assert not answer["failures"], answer["failures"]
        arns += [task["taskArn"] for task in answer["tasks"]]
    waiting = set(arns)
    while waiting:
        some = sorted(waiting)[:100]
        tasks = ecs.describe_tasks(cluster=plane.cluster, tasks=some)["tasks"]
        waiting -= {t["taskArn"] for t in tasks if t["lastStatus"] == "RUNNING"}
        assert time.monotonic() - began < DEADLINE_SECONDS, [t["lastStatus"] for t in tasks]
        if waiting:
            time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - began
    stop(plane, ecs, arns)
    return seconds


def stop(plane: ControlPlane, ecs: Any, arns: list[str]) -> None:
    """And wait until they have stopped, so that rounds don't overlap."""
    for arn in arns:
        ecs.stop_task(cluster=plane.cluster, task=arn)
    waiting = True
    while waiting:
        tasks = ecs.describe_tasks(cluster=plane.cluster, tasks=arns)["tasks"]
        waiting = any(t["lastStatus"] != "STOPPED" for t in tasks)
        time.sleep(0.05)


async def remove(docker: aiodocker.Docker, names: list[str]) -> None:
    for name in names:
        await docker.containers.container(name).delete(force=True)
    names.clear()


async def many_bare(docker: aiodocker.Docker, names: list[str]) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await bare(docker, names)

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(MANY)))
    return time.monotonic() - began


async def measure(plane: ControlPlane, docker: aiodocker.Docker) -> None:
    ecs = plane.client("ecs")
    definition = register(plane, container(command=COMMAND, memory=16))
    names: list[str] = []
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for turn in range(ROUNDS + 1):
            theirs.append(await bare(docker, names))
            await remove(docker, names)
            ours.append(await asyncio.to_thread(through_homeport, plane, ecs, definition, 1))
            if turn == 0:  # the first of each warms up
                ours.clear()
                theirs.clear()
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f"   bare create and start: {milliseconds(theirs)}")
        print(f"   RunTask to RUNNING:    {milliseconds(ours)}")
        print(f"   ratio {ratio:.2f} (aim 1.5)")
        ratios, bares, many = [], [], []
        for _ in range(3):
            bares.append(await many_bare(docker, names))
            await remove(docker, names)
            many.append(await asyncio.to_thread(through_homeport, plane, ecs, definition, MANY))
            ratios.append(many[-1] / bares[-1])
        print(
            f"   {MANY} at once: bare {statistics.median(bares):.2f} s, "
            f"tasks {statistics.median(many):.2f} s, ratio {statistics.median(ratios):.2f} "
            f"(rounds: {', '.join(f'{r:.2f}' for r in ratios)}; aim 1.25)"
        )
    finally:
        await remove(docker, names)


async def main() -> None:
    header("RunTask to RUNNING against the Engine alone")
    docker = aiodocker.Docker()
    try:
        with running() as plane:
            await measure(plane, docker)
    finally:
        await docker.close()


if __name__ == "__main__":
    asyncio.run(main())
