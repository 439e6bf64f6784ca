"""The API alone, as ``homeport up`` serves it, over a store with 100 tasks; a child process.

``api_server.py CORE MODE PORT``. Prints what a client needs to know, serves until its standard
input closes, then prints CPU seconds per step. MODE is ``plain``, ``steps`` (with the clock of
the steps) or ``floor`` (the same HTTP server around an app that only reads the request and sends
a fixed answer: what is left when Homeport costs nothing).
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
from homeport.domain.credential import AccessKey
from homeport.domain.session import SessionMint
from homeport.domain.task import Container, NetworkBinding, Task
from homeport.domain.vault import Vault
from homeport.gateway.app import Gateway, no_steps
from homeport.gateway.asgi import Receive, Scope, Send, read_body
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.services.call import Platform
from homeport.settings import Settings
from homeport.store import Store
from homeport.store.schema import CLUSTERS, TASKS

TASK_COUNT = 100
FLOOR_BODY = b"x" * 1600  # about what one task is


class StepClock:
    """CPU seconds of this thread per step, summed up.

    Between the steps of one request nothing else runs in the thread, except in ``http`` (reading
    the head and body, and everything between requests) and ``send``.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls = 0
        self._last = time.thread_time()

    def __call__(self, step: str) -> None:
        now = time.thread_time()
        self.seconds[step] += now - self._last
        self._last = now
        self.calls += step == "http"


def seed(store: Store, arns: Arns, ids: Ids) -> list[str]:
    """A cluster with TASK_COUNT tasks; their ARNs."""
    cluster = Cluster(arn=arns.ecs("cluster/default"), name="default", created_at=0.0)
    tasks = [running_task(arns, ids, 32768 + index) for index in range(TASK_COUNT)]
    with store.transaction() as tx:
        tx.put(CLUSTERS, cluster)
        for each in tasks:
            tx.put(TASKS, each)
    return [each.arn for each in tasks]


def running_task(arns: Arns, ids: Ids, host_port: int) -> Task:
    """What the record of a running task of a service holds: one container, one port."""
    now = time.time()
    container = Container(
        name="web",
        arn=arns.ecs(f"container/{ids.uuid()}"),
        image="web:1",
        image_digest=f"sha256:{ids.hex32()}{ids.hex32()}",
        runtime_id=ids.hex32() + ids.hex32(),
        last_status="RUNNING",
        network_bindings=(NetworkBinding(80, host_port),),
        cpu=64,
        memory=64,
    )
    return Task(
        arn=arns.ecs(f"task/default/{ids.hex32()}"),
        cluster_arn=arns.ecs("cluster/default"),
        task_definition_arn=arns.ecs("task-definition/web:1"),
        group="service:web",
        service_arn=arns.ecs("service/default/web"),
        started_by="ecs-svc/1234567890123456789",
        container_instance_arn=arns.ecs(f"container-instance/default/{ids.hex32()}"),
        availability_zone="us-east-1a",
        cpu=64,
        memory=64,
        tcp_ports=(host_port,),
        connectivity_at=now,
        created_at=now,
        pull_started_at=now,
        pull_stopped_at=now,
        started_at=now,
        last_status="RUNNING",
        overrides={"containerOverrides": [{"name": "web"}]},
        containers=(container,),
    )


async def floor(scope: Scope, receive: Receive, send: Send) -> None:
    """The least an app can do."""
    await read_body(receive)
    headers = [(b"content-length", str(len(FLOOR_BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": FLOOR_BODY})


def root_key(store: Store, settings: Settings, platform: Platform) -> AccessKey:
    """What every installation has is there; its root access key."""
    arns = Arns(settings.account_id, settings.region)
    root, _ = first_start(store, settings, platform, Ids(), arns)
    return root


async def serve(core: int, mode: str, port: int) -> None:
    """Until standard input closes."""
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_dir=Path(directory), port=port)
        store = open_store(settings)
        store.start()
        platform = Platform(
            settings.account_id, settings.region, settings.availability_zones, settings.endpoint_url
        )
        root = root_key(store, settings, platform)
        task_arns = seed(store, Arns(settings.account_id, settings.region), Ids())
        await store.durable(store.revision)
        clock = StepClock()
        gateway = Gateway(
            store=store,
            operations=services.OPERATIONS,
            platform=platform,
            authenticate=True,
            sessions=SessionMint(bytes(32)),
            vault=Vault(bytes(32)),
            objects=ObjectStore(Path("/nowhere")),
            agentlink=AgentLink(store, Ids(), SessionMint(bytes(32))),
            logs=LogStore(settings.log_events_path),
            steps=clock if mode == "steps" else no_steps,
        )
        app: Any = floor if mode == "floor" else gateway
        server = listen(settings, app)
        serving = asyncio.create_task(server.serve())
        await listening(server, serving)
        ready = {
            "access_key_id": root.access_key_id,
            "secret_access_key": root.secret_access_key,
            "region": settings.region,
            "tasks": task_arns,
        }
        print(json.dumps(ready), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps({"calls": clock.calls, "seconds": clock.seconds}), flush=True)
        server.should_exit = True
        await serving
        await store.close()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
