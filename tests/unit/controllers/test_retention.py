"""What is over is forgotten, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from homeport.controllers.retention import KEEP_SECONDS, KEEP_TOKEN_SECONDS, RetentionController
from homeport.controllers.runner import Runner
from homeport.domain.cluster import Cluster
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.routing import NatGateway
from homeport.domain.service import Deployment, Service, ServiceEvent
from homeport.domain.task import ClientToken, Task
from homeport.domain.task_definition import TaskDefinition
from homeport.store import Store
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import (
    CLIENT_TOKENS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    NAT_GATEWAYS,
    SERVICE_EVENTS,
    SERVICES,
    TABLES,
    TASK_DEFINITIONS,
    TASKS,
)

NOW = 10_000.0
CLUSTER = "arn:aws:ecs:us-east-1:1:cluster/default"
TASK = Task("task", CLUSTER, "web:1", "family:web", NOW, (), last_status="STOPPED", stopped_at=NOW)
DEPLOYMENT = Deployment("ecs-svc/1", "web:1", NOW, NOW)
SERVICE = Service(
    "service", "web", CLUSTER, "web:1", 0, NOW, "root", (DEPLOYMENT,),
    status="INACTIVE", inactive_since=NOW,
)  # fmt: skip
EMPTY = Cluster(CLUSTER, "default", 0.0, status="INACTIVE", inactive_since=NOW)
INSTANCE = ContainerInstance(
    "instance", CLUSTER, "i-0", "", "us-east-1a", 0.0, 1, 1, status="INACTIVE", inactive_since=NOW
)
TOKEN = ClientToken("token", "digest", (), NOW)
DEFINITION = TaskDefinition(
    "web:1", "web", 1, {}, (), "bridge", NOW, "root", status="DELETE_IN_PROGRESS"
)

NAT = NatGateway("nat-1", "vpc-1", "subnet-1", 0.0, deleted_at=NOW)


class World:
    def __init__(self) -> None:
        self.now = NOW
        self.store = Store(TABLES, MemoryJournal())
        self.runner = Runner(self.store, [RetentionController()], clock=lambda: self.now)

    def put(self, table: Any, record: Any) -> None:
        with self.store.transaction() as tx:
            tx.put(table, record)

    def after(self, seconds: float) -> None:
        """Let time pass and the controller look at everything."""
        self.now = NOW + seconds
        self.runner.enqueue_everything()
        self.runner.work(1000)

    def has(self, table: Any, key: str) -> bool:
        with self.store.transaction() as tx:
            return tx.get(table, key) is not None


@pytest.mark.parametrize(
    ("table", "record", "seconds"),
    [
        (TASKS, TASK, KEEP_SECONDS),
        (SERVICES, SERVICE, KEEP_SECONDS),
        (CONTAINER_INSTANCES, INSTANCE, KEEP_SECONDS),
        (CLUSTERS, EMPTY, KEEP_SECONDS),
        (NAT_GATEWAYS, NAT, KEEP_SECONDS),
        (CLIENT_TOKENS, TOKEN, KEEP_TOKEN_SECONDS),
    ],
)
def test_a_record_that_is_over_goes_when_its_time_is_over(
    table: Any, record: Any, seconds: float
) -> None:
    world = World()
    world.put(table, record)
    world.after(seconds - 1)
    assert world.has(table, table.key(record))
    world.after(seconds)
    assert not world.has(table, table.key(record))


@pytest.mark.parametrize(
    ("table", "record"),
    [
        (NAT_GATEWAYS, msgspec.structs.replace(NAT, deleted_at=None)),
        (TASKS, msgspec.structs.replace(TASK, last_status="RUNNING")),
        (SERVICES, msgspec.structs.replace(SERVICE, status="ACTIVE")),
        (CONTAINER_INSTANCES, msgspec.structs.replace(INSTANCE, status="ACTIVE")),
        (CLUSTERS, msgspec.structs.replace(EMPTY, status="ACTIVE")),
        (TASK_DEFINITIONS, msgspec.structs.replace(DEFINITION, status="INACTIVE")),
    ],
)
def test_what_is_not_over_stays(table: Any, record: Any) -> None:
    world = World()
    world.put(table, record)
    world.after(10 * KEEP_TOKEN_SECONDS)
    assert world.has(table, table.key(record))


def test_a_definition_that_is_being_deleted_goes_once_nothing_uses_it() -> None:
    world = World()
    world.put(TASK_DEFINITIONS, DEFINITION)
    world.put(TASKS, msgspec.structs.replace(TASK, last_status="RUNNING"))
    world.after(100)
    assert world.has(TASK_DEFINITIONS, "web:1")
    world.put(TASKS, TASK)
    world.after(200)
    assert not world.has(TASK_DEFINITIONS, "web:1")


def test_the_events_of_a_service_go_with_it() -> None:
    world = World()
    world.put(SERVICES, SERVICE)
    event = ServiceEvent("service", 1, "id", NOW, "(service web) has reached a steady state.")
    world.put(SERVICE_EVENTS, event)
    world.after(KEEP_SECONDS)
    assert not world.has(SERVICE_EVENTS, SERVICE_EVENTS.key(event))


@pytest.mark.parametrize(
    "within", [(TASKS, TASK), (SERVICES, SERVICE), (CONTAINER_INSTANCES, INSTANCE)]
)
def test_a_cluster_goes_after_what_was_in_it(within: tuple[Any, Any]) -> None:
    world = World()
    world.put(CLUSTERS, msgspec.structs.replace(EMPTY, inactive_since=NOW - KEEP_SECONDS))
    world.put(*within)
    world.after(KEEP_SECONDS - 1)
    assert world.has(CLUSTERS, CLUSTER)
    world.after(KEEP_SECONDS)
    world.after(KEEP_SECONDS)
    assert not world.has(CLUSTERS, CLUSTER)


def test_a_cluster_that_is_made_again_stays() -> None:
    world = World()
    world.put(CLUSTERS, EMPTY)
    world.after(10)
    world.put(CLUSTERS, Cluster(CLUSTER, "default", NOW + 10))
    world.after(2 * KEEP_SECONDS)
    assert world.has(CLUSTERS, CLUSTER)


@pytest.mark.parametrize("where", ["deployments", "last_completed"])
def test_a_definition_that_a_living_service_names_is_used(where: str) -> None:
    other = msgspec.structs.replace(DEPLOYMENT, id="ecs-svc/2", task_definition_arn="web:2")
    named = {"deployments": (DEPLOYMENT,)} if where == "deployments" else {
        "deployments": (other,), "last_completed": DEPLOYMENT,
    }  # fmt: skip
    world = World()
    world.put(TASK_DEFINITIONS, DEFINITION)
    world.put(SERVICES, msgspec.structs.replace(SERVICE, status="ACTIVE", **named))
    world.after(100)
    assert world.has(TASK_DEFINITIONS, "web:1")
    world.put(SERVICES, SERVICE)
    world.after(200)
    assert not world.has(TASK_DEFINITIONS, "web:1")


def test_what_is_remembered_is_forgotten_without_a_change_waking_the_controller() -> None:
    world = World()
    world.put(CLUSTERS, EMPTY)
    world.runner.enqueue_everything()
    world.runner.work(1000)
    assert world.runner.next_due() == NOW + KEEP_SECONDS
    world.now = NOW + KEEP_SECONDS
    world.runner.work(1000)
    assert not world.has(CLUSTERS, CLUSTER)
    assert world.runner.next_due() is None
