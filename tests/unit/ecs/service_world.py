"""A world with a VPC, a host, an awsvpc definition and every controller of services."""

from __future__ import annotations

from typing import Any

import msgspec
from ecs_world import ARNS, World
from network_records import put_network

from homeport.controllers.history import HistoryController
from homeport.controllers.interfaces import InterfacesController
from homeport.controllers.runner import Runner
from homeport.controllers.services import ServiceController
from homeport.controllers.targets import TargetsController
from homeport.domain.task import Task
from homeport.store import Store
from homeport.store.schema import TABLES, TARGET_HEALTH, TASKS


def network(*subnets: str, **more: Any) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": list(subnets or ("subnet-a",)), **more}}


class ServiceWorld(World):
    """With a VPC, a host, and every controller of services; ``act`` is their turn."""

    def __init__(self) -> None:
        super().__init__()
        with self.store.transaction() as tx:
            put_network(tx)
        self.define("vpc", network_mode="awsvpc", document={"networkMode": "awsvpc"})
        self.register("a")
        self.runner = self._runner()

    def _runner(self) -> Runner:
        controllers = [
            ServiceController(self.ids, ARNS, 0.0),
            TargetsController(self.ids),
            InterfacesController(),
            HistoryController(self.ids, ARNS),
        ]
        return Runner(self.store, controllers, clock=lambda: self.now)

    def restart(self) -> None:
        """Another control plane reads the journal of one that was killed."""
        self.store = Store(TABLES, self.journal)
        self.store.load()
        self.runner = self._runner()

    def act(self) -> None:
        for _ in range(3):  # one's writes are the other's changes
            self.runner.enqueue_everything()
            assert self.runner.work(1000) < 1000

    def tasks(self) -> list[Task]:
        """The living tasks, oldest first."""
        return sorted(
            (t for t in self.rows(TASKS) if t.holds_resources()), key=lambda t: t.created_at
        )

    def run(self, task: Task) -> None:
        """Its agent attaches its interface and starts its containers."""
        assert task.interface is not None
        attached = {"attachmentArn": task.interface.arn, "status": "ATTACHED"}
        self.report(task.arn, "RUNNING", attachments=[attached])

    def healthy(self) -> None:
        """Every target passes its checks."""
        for health in self.rows(TARGET_HEALTH):
            self.put(TARGET_HEALTH, msgspec.structs.replace(health, state="healthy"))
