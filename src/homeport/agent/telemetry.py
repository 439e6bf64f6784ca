"""The TCS session: container health, as soon as it changes; and that the Engine works.

Metrics are not sent yet: nothing keeps them. The session says each interval that it is idle.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence

from homeport.domain.agent_payload import Wire
from homeport.domain.agent_protocol import (
    ContainerHealth,
    HealthMetadata,
    InstanceStatus,
    InstanceStatusMetadata,
    PublishHealthRequest,
    PublishInstanceStatusRequest,
    StopTelemetrySessionMessage,
    TaskHealth,
    encode_signed,
)

from .connection import Connection, Disconnected
from .engine import Engine
from .task_state import TaskState
from .tasks import Tasks

LOOK_SECONDS = 0.5
TASKS_PER_MESSAGE = 10


class TelemetrySession:
    """Serves one connection until it ends. Raises Disconnected."""

    def __init__(
        self,
        connection: Connection,
        tasks: Tasks,
        engine: Engine,
        cluster: str,
        instance_arn: str,
        interval: float,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._engine = engine
        self._cluster = cluster
        self._instance_arn = instance_arn
        self._interval = interval
        self._engine_was_ok: bool | None = None
        self._engine_changed_at = time.time()

    async def run(self) -> None:
        """Send and receive, side by side."""
        async with asyncio.TaskGroup() as sides:
            sides.create_task(self._receive(), name="tcs receive")
            sides.create_task(self._publish(), name="tcs publish")

    async def _receive(self) -> None:
        while True:
            if isinstance(await self._connection.receive(), StopTelemetrySessionMessage):
                raise Disconnected("asked to reconnect")

    async def _publish(self) -> None:
        published: Sequence[TaskHealth] = ()
        due = time.monotonic()
        while True:
            health = [h for t in self._tasks.current() if (h := task_health(t)) is not None]
            regular = time.monotonic() >= due
            if health and (regular or health != published):
                await self._publish_health(health)
                published = health
            if regular:
                await self._publish_instance_status()
                due = time.monotonic() + self._interval
            await asyncio.sleep(LOOK_SECONDS)

    async def _publish_health(self, health: Sequence[TaskHealth]) -> None:
        message_id = str(uuid.uuid4())
        for first in range(0, len(health), TASKS_PER_MESSAGE):
            some = list(health[first : first + TASKS_PER_MESSAGE])
            fin = first + TASKS_PER_MESSAGE >= len(health)
            metadata = HealthMetadata(self._cluster, self._instance_arn, fin, message_id)
            await self._send(PublishHealthRequest(metadata, some, time.time()))

    async def _publish_instance_status(self) -> None:
        ok = await self._engine.alive()
        now = time.time()
        if ok != self._engine_was_ok:
            self._engine_was_ok, self._engine_changed_at = ok, now
        status = InstanceStatus(
            "CONTAINER_RUNTIME", "OK" if ok else "IMPAIRED", now, self._engine_changed_at
        )
        metadata = InstanceStatusMetadata(self._cluster, self._instance_arn, str(uuid.uuid4()))
        await self._send(PublishInstanceStatusRequest(metadata, [status], now))

    async def _send(self, message: Wire) -> None:
        # The handshake was signed; the block of header lines is part of the frame all the same.
        await self._connection.send_text(
            encode_signed({"Content-Type": "application/json"}, message)
        )


def task_health(task: TaskState) -> TaskHealth | None:
    """The health of the containers that have a verdict; None if there is none."""
    containers = [
        ContainerHealth(c.name, c.health, c.health_since)
        for c in task.containers
        if c.health != "UNKNOWN" and c.status == "RUNNING"
    ]
    if not containers:
        return None
    payload = task.payload
    return TaskHealth(
        task.arn, payload.task_cluster_arn, payload.family, payload.version, containers
    )
