"""The API alone, as ``homeport up`` serves it, over a store with 100 tasks; a child process.

Prints its port, serves until its standard input closes, then prints seconds per step.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvloop

from homeport import services
from homeport.agentlink import AgentLink
from homeport.bootstrap import first_start, listen, listening, open_store
from homeport.domain.arn import Arns, Ids
from homeport.domain.cluster import Cluster
from homeport.domain.task import Container, Task
from homeport.gateway.app import Gateway, no_steps
from homeport.services.call import Platform
from homeport.settings import Settings
from homeport.store.schema import CLUSTERS, TASKS

TASK_COUNT = 100


class StepClock:
    """Seconds per step, summed up. Exact while one request is served at a time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last = time.perf_counter()

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] += now - self._last
        self._last = now


def seed(store: Any, arns: Arns, ids: Ids) -> list[str]:
    cluster = Cluster(arn=arns.ecs("cluster/default"), name="default", created_at=0.0)
    tasks = [task(arns, ids) for _ in range(TASK_COUNT)]
    with store.transaction() as tx:
        tx.put(CLUSTERS, cluster)
        for each in tasks:
            tx.put(TASKS, each)
    return [each.arn for each in tasks]


def task(arns: Arns, ids: Ids) -> Task:
    arn = arns.ecs(f"task/default/{ids.hex32()}")
    container = Container(
        name="web", arn=arns.ecs(f"container/{ids.uuid()}"), image="web:1", last_status="RUNNING"
    )
    return Task(
        arn=arn,
        cluster_arn=arns.ecs("cluster/default"),
        task_definition_arn=arns.ecs("task-definition/web:1"),
        group="family:web",
        created_at=time.time(),
        started_at=time.time(),
        last_status="RUNNING",
        containers=(container,),
    )


async def serve(core: int, with_steps: bool) -> None:
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_dir=Path(directory), port=int(sys.argv[3]))
        store = open_store(settings)
        store.start()
        ids, arns = Ids(), Arns(settings.account_id, settings.region)
        platform = Platform(
            settings.account_id, settings.region, settings.availability_zones, settings.endpoint_url
        )
        root, _ = first_start(store, settings, platform, ids, arns)
        task_arns = seed(store, arns, ids)
        await store.durable(store.revision)
        clock = StepClock()
        gateway = Gateway(
            store=store,
            operations=services.OPERATIONS,
            platform=platform,
            authenticate=True,
            agentlink=AgentLink(store, ids),
            steps=clock if with_steps else no_steps,
        )
        server = listen(settings, gateway)
        serving = asyncio.create_task(server.serve())
        await listening(server, serving)
        ready = {
            "access_key_id": root.access_key_id,
            "secret_access_key": root.secret_access_key,
            "tasks": task_arns,
        }
        print(json.dumps(ready), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps(clock.seconds), flush=True)
        server.should_exit = True
        await serving
        await store.close()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2] == "steps"))
