"""RunTask to RUNNING against a bare create and start of the same image, in one run.

RUNNING is what DescribeTasks says, asked every few milliseconds with boto3. The bare containers
are asked of the Engine's own API with what the agent asks for the same definition. The two take
turns, and so does which of them goes first; each waits until the machine is quiet. Aims: at most
1.5 times, and for 50 tasks at once at most 1.25 times (as many bare ones are started at a time
as the agent starts).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiodocker
from machine import header, milliseconds, wait_until_quiet
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane
from images import busybox_image
from tasks import container, register

ROUNDS = 20
MANY = 50
MANY_ROUNDS = 4
AT_ONCE = max(2, os.cpu_count() or 2)  # the agent's rule
LOOK_SECONDS = 0.004
LOOK_AT_MANY_SECONDS = 0.05  # describing 50 tasks takes the client CPU time that others need
DEADLINE_SECONDS = 120.0
COMMAND = "trap 'exit 0' TERM; sleep 600 & wait"

Seconds = Callable[[], Awaitable[float]]


def bare_body() -> dict[str, Any]:
    """What the agent asks the Engine for, of the same definition."""
    return {
        "Image": busybox_image(),
        "Cmd": ["sh", "-c", COMMAND],
        "HostConfig": {"Memory": 16 * 1024 * 1024, "CpuShares": 2},
    }


@dataclass
class Bare:
    """Containers without Homeport."""

    docker: aiodocker.Docker
    names: list[str] = field(default_factory=list)

    async def start_one(self) -> None:
        name = f"homeport-benchmark-{uuid.uuid4().hex[:12]}"
        self.names.append(name)
        created = await self.docker.containers.create(bare_body(), name=name)
        await created.start()

    async def seconds(self, count: int) -> float:
        """Until ``count`` containers have been started."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with slots:
                await self.start_one()

        began = time.monotonic()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.gather(*(one() for _ in range(count)))
        took = time.monotonic() - began
        await self.remove()
        return took

    async def remove(self) -> None:
        while self.names:
            await self.docker.containers.container(self.names[-1]).delete(force=True)
            self.names.pop()


@dataclass
class Homeport:
    """The same through the API; ``more``: further members of RunTask."""

    plane: ControlPlane
    definition: str
    ecs: Any
    more: dict[str, Any] = field(default_factory=dict)

    async def seconds(self, count: int) -> float:
        """Until every task is RUNNING."""
        return await asyncio.to_thread(self._run, count)

    def _run(self, count: int) -> float:
        began = time.monotonic()
        arns = [arn for first in range(0, count, 10) for arn in self._run_task(count - first)]
        self._until_running(arns, began, LOOK_SECONDS if count == 1 else LOOK_AT_MANY_SECONDS)
        took = time.monotonic() - began
        self._stop(arns)
        return took

    def _run_task(self, left: int) -> list[str]:
        answer = self.ecs.run_task(
            cluster=self.plane.cluster,
            taskDefinition=self.definition,
            count=min(10, left),
            **self.more,
        )
        assert not answer["failures"], answer["failures"]
        return [task["taskArn"] for task in answer["tasks"]]

    def _describe(self, arns: list[str]) -> list[dict[str, Any]]:
        answer = self.ecs.describe_tasks(cluster=self.plane.cluster, tasks=arns)
        assert not answer["failures"], answer["failures"]
        tasks: list[dict[str, Any]] = answer["tasks"]
        return tasks

    def _until_running(self, arns: list[str], began: float, every: float) -> None:
        waiting = set(arns)
        while waiting:
            tasks = self._describe(sorted(waiting))
            stopped = [t for t in tasks if t["lastStatus"] == "STOPPED"]
            assert not stopped, f"{len(stopped)} tasks ended instead of running: {why(stopped[0])}"
            waiting -= {t["taskArn"] for t in tasks if t["lastStatus"] == "RUNNING"}
            assert time.monotonic() - began < DEADLINE_SECONDS, [t["lastStatus"] for t in tasks]
            if waiting:
                time.sleep(every)

    def _stop(self, arns: list[str]) -> None:
        """And wait until they have stopped, so that rounds don't overlap."""
        for arn in arns:
            self.ecs.stop_task(cluster=self.plane.cluster, task=arn)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while any(t["lastStatus"] != "STOPPED" for t in self._describe(arns)):
            assert time.monotonic() < deadline, "the tasks did not stop"
            time.sleep(0.05)


def why(task: dict[str, Any]) -> str:
    reasons = [c["reason"] for c in task["containers"] if c.get("reason")]
    return f"{task['taskArn']}: {task.get('stoppedReason')}; {'; '.join(reasons)}"


async def in_turn(bare: Seconds, ours: Seconds, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each, by round; every other round ours goes first."""
    bares, through = [], []
    for turn in range(rounds):
        for measure, into in ((bare, bares), (ours, through))[:: 1 if turn % 2 == 0 else -1]:
            await asyncio.to_thread(wait_until_quiet)
            into.append(await measure())
    return bares, through


def ratios(bares: list[float], through: list[float]) -> list[float]:
    return [o / b for b, o in zip(bares, through, strict=True)]


async def measure(bare: Bare, ours: Homeport) -> None:
    await bare.seconds(1)  # the first of each warms up
    await ours.seconds(1)
    one = await in_turn(lambda: bare.seconds(1), lambda: ours.seconds(1), ROUNDS)
    print(f"   bare create and start: {milliseconds(one[0])}")
    print(f"   RunTask to RUNNING:    {milliseconds(one[1])}")
    ratio = statistics.median(one[1]) / statistics.median(one[0])
    print(
        f"   ratio of the medians {ratio:.2f} (aim 1.5); "
        f"median of the rounds' ratios {statistics.median(ratios(*one)):.2f}"
    )
    many = await in_turn(lambda: bare.seconds(MANY), lambda: ours.seconds(MANY), MANY_ROUNDS)
    print(
        f"   {MANY} at once, {AT_ONCE} starts at a time: bare {statistics.median(many[0]):.2f} s, "
        f"tasks {statistics.median(many[1]):.2f} s, "
        f"median of the rounds' ratios {statistics.median(ratios(*many)):.2f} (aim 1.25)"
    )
    for name, seconds in (("bare", many[0]), ("tasks", many[1])):
        print(f"      {name:6s} {', '.join(f'{s:.2f} s' for s in seconds)}")


async def main() -> None:
    header("RunTask to RUNNING against the Engine alone")
    docker = aiodocker.Docker()
    bare = Bare(docker)
    try:
        with running() as plane:
            definition = register(plane, container(command=COMMAND, memory=16))
            await measure(bare, Homeport(plane, definition, plane.client("ecs")))
    finally:
        await bare.remove()
        await docker.close()


if __name__ == "__main__":
    asyncio.run(main())
