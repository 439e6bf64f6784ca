"""An awsvpc task (pause container, interface, rules in force, one container) from RunTask to
RUNNING, against a bare create and start of the same image, in one run.

The two take turns as in ``run_task.py``. Aim: at most 2.5 times.
"""

from __future__ import annotations

import asyncio
import statistics

import aiodocker
from machine import header, milliseconds
from plane import running
from run_task import COMMAND, ROUNDS, Bare, Homeport, container, in_turn, ratios, register


async def measure(bare: Bare, ours: Homeport) -> None:
    await bare.seconds(1)  # the first of each warms up
    await ours.seconds(1)
    bares, through = await in_turn(lambda: bare.seconds(1), lambda: ours.seconds(1), ROUNDS)
    print(f"   bare create and start:   {milliseconds(bares)}")
    print(f"   awsvpc task to RUNNING:  {milliseconds(through)}")
    ratio = statistics.median(through) / statistics.median(bares)
    print(
        f"   ratio of the medians {ratio:.2f} (aim 2.5); "
        f"median of the rounds' ratios {statistics.median(ratios(bares, through)):.2f}"
    )


async def main() -> None:
    header("an awsvpc task against the Engine alone")
    docker = aiodocker.Docker()
    bare = Bare(docker)
    try:
        with running() as plane:
            subnets = plane.client("ec2").describe_subnets()["Subnets"]
            network = {"awsvpcConfiguration": {"subnets": [subnets[0]["SubnetId"]]}}
            definition = register(
                plane, container(command=COMMAND, memory=16), networkMode="awsvpc"
            )
            ecs = plane.client("ecs")
            more = {"networkConfiguration": network}
            await measure(bare, Homeport(plane, definition, ecs, more))
    finally:
        await bare.remove()
        await docker.close()


if __name__ == "__main__":
    asyncio.run(main())
