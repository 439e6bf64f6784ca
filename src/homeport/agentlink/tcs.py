"""One TCS session: takes metrics and container health, answers so that the agent is content.

Container health reaches the control plane only here. Metrics are acknowledged; they are kept
once there is a metrics store.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec

from homeport.domain.arn import Ids
from homeport.domain.task import Container, HealthStatus, Task
from homeport.store import Store
from homeport.store.schema import TASK_DEFINITIONS, TASKS

from .frames import Frame, WebSocket, decode, encode

HEARTBEAT_SECONDS = 60.0


class TcsSession:
    """Serves one telemetry connection."""

    def __init__(self, store: Store, websocket: WebSocket, instance_arn: str, ids: Ids) -> None:
        self._store = store
        self._websocket = websocket
        self._instance_arn = instance_arn
        self._ids = ids

    async def run(self) -> None:
        """Serve until the peer leaves."""
        heart = asyncio.create_task(self._heartbeats(), name=f"tcs {self._instance_arn}")
        try:
            while (text := await self._websocket.receive_text()) is not None:
                if frame := decode(text):
                    await self._on_frame(frame)
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await heart
            await self._websocket.close()

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self._websocket.send_text(encode("HeartbeatMessage", {"healthy": True}))

    async def _on_frame(self, frame: Frame) -> None:
        match frame.type:
            case "PublishMetricsRequest":
                await self._acknowledge("AckPublishMetric")
            case "PublishHealthRequest":
                self._apply_health(frame.message)
                await self._acknowledge("AckPublishHealth")
            case "PublishInstanceStatusRequest":
                await self._acknowledge("AckPublishInstanceStatus")
            case _:
                pass

    async def _acknowledge(self, type_: str) -> None:
        await self._websocket.send_text(encode(type_, {"message": "OK"}))

    def _apply_health(self, message: dict[str, Any]) -> None:
        with self._store.transaction() as tx:
            for reported in message.get("tasks") or ():
                task = tx.get(TASKS, reported.get("taskArn", ""))
                if task is None or task.container_instance_arn != self._instance_arn:
                    continue
                statuses = {
                    c.get("containerName"): c.get("healthStatus", "UNKNOWN")
                    for c in reported.get("containers") or ()
                }
                definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
                essential = {
                    c.name for c in (definition.containers if definition else ()) if c.essential
                }
                tx.put(TASKS, with_health(task, statuses, essential))


def with_health(task: Task, statuses: dict[str, HealthStatus], essential: set[str]) -> Task:
    """The task with its containers' health, and its own from the essential ones.

    One without a check is UNKNOWN for ever, and so is its task unless another is UNHEALTHY
    ("healthStatus" of "Task", ECS API reference).
    """
    containers = tuple(_container_health(c, statuses) for c in task.containers)
    verdicts = {c.health_status for c in containers if c.name in essential}
    health: HealthStatus = "UNKNOWN"
    if "UNHEALTHY" in verdicts:
        health = "UNHEALTHY"
    elif verdicts == {"HEALTHY"}:
        health = "HEALTHY"
    return msgspec.structs.replace(task, containers=containers, health_status=health)


def _container_health(container: Container, statuses: dict[str, HealthStatus]) -> Container:
    status = statuses.get(container.name)
    if status not in ("HEALTHY", "UNHEALTHY"):
        return container
    return msgspec.structs.replace(container, health_status=status)
