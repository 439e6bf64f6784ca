"""The history of a service says what became of each of its deployments."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from api_client import ACCOUNT, Api

from homeport.controllers.history import HistoryController
from homeport.controllers.runner import Runner
from homeport.domain.arn import Arns, Ids
from homeport.domain.cluster import Cluster
from homeport.domain.service import CircuitBreaker, Deployment, Service
from homeport.store.schema import (
    CLUSTERS,
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    SERVICES,
)

CLUSTER = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/default"
ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/default/web"


def deployment(number: int, **more: Any) -> Deployment:
    return Deployment(f"ecs-svc/{number}", f"td:{number}", float(number), float(number), **more)


class World:
    def __init__(self) -> None:
        self.api = Api()
        self.ecs = self.api.client("ecs")
        controller = HistoryController(Ids(), Arns(ACCOUNT, "us-east-1"))
        self.runner = Runner(self.api.store, [controller], clock=lambda: 1000.0)
        with self.api.store.transaction() as tx:
            tx.put(CLUSTERS, Cluster(arn=CLUSTER, name="default", created_at=0.0))

    def has(self, *deployments: Deployment, **more: Any) -> list[str]:
        """The statuses, newest first, once the service has these deployments."""
        service = Service(
            ARN, "web", CLUSTER, "td", 2, 0.0, "root", deployments,
            circuit_breaker=CircuitBreaker(enable=True, rollback=True), **more,
        )  # fmt: skip
        with self.api.store.transaction() as tx:
            tx.put(SERVICES, service)
        self.runner.enqueue_everything()
        self.runner.work(100)
        listed = self.ecs.list_service_deployments(service="web")["serviceDeployments"]
        return [d["status"] for d in listed]


@pytest.fixture
def world() -> Any:
    world = World()
    yield world
    world.api.close()


def test_a_deployment_is_in_progress_until_its_service_says_so(world: World) -> None:
    first = deployment(1)
    assert world.has(first) == ["IN_PROGRESS"]
    assert world.has(msgspec.structs.replace(first, rollout_state="COMPLETED")) == ["SUCCESSFUL"]


def test_a_deployment_that_was_overtaken_is_stopped(world: World) -> None:
    first, second = deployment(1), deployment(2)
    world.has(first)
    assert world.has(second, msgspec.structs.replace(first, status="ACTIVE")) == [
        "IN_PROGRESS",
        "STOP_REQUESTED",
    ]
    assert world.has(second) == ["IN_PROGRESS", "STOPPED"]


def test_a_rollback_is_told_with_its_target(world: World) -> None:
    good = deployment(1, rollout_state="COMPLETED")
    world.has(good)
    bad = deployment(2, failed_tasks=2)
    world.has(bad, msgspec.structs.replace(good, status="ACTIVE"))
    restored = msgspec.structs.replace(good, rollout_state="IN_PROGRESS")
    failed = msgspec.structs.replace(bad, status="ACTIVE", rollout_state="FAILED", failed_tasks=3)
    assert world.has(restored, failed) == ["ROLLBACK_IN_PROGRESS", "SUCCESSFUL"]
    assert world.has(good) == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    listed = world.ecs.list_service_deployments(service="web")["serviceDeployments"]
    (told,) = world.ecs.describe_service_deployments(
        serviceDeploymentArns=[listed[0]["serviceDeploymentArn"]]
    )["serviceDeployments"]
    assert told["rollback"]["serviceRevisionArn"] == listed[1]["targetServiceRevisionArn"]
    assert told["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": 3,
        "threshold": 3,
    }
    (revision,) = world.ecs.describe_service_revisions(
        serviceRevisionArns=[listed[1]["targetServiceRevisionArn"]]
    )["serviceRevisions"]
    assert revision["taskDefinition"] == "td:1"


def test_the_history_of_a_forgotten_service_goes_with_it(world: World) -> None:
    world.has(deployment(1))
    with world.api.store.transaction() as tx:
        tx.delete(SERVICES, ARN)
    world.runner.enqueue_everything()
    world.runner.work(100)
    missing = world.ecs.describe_service_deployments(serviceDeploymentArns=["arn:none"])
    assert missing["failures"] == [{"arn": "arn:none", "reason": "MISSING"}]
    with world.api.store.transaction() as tx:
        assert tx.all(SERVICE_DEPLOYMENTS) == []
        assert tx.all(SERVICE_REVISIONS) == []


def test_lists_are_filtered_by_status(world: World) -> None:
    first = deployment(1, rollout_state="COMPLETED")
    world.has(first)
    world.has(deployment(2), msgspec.structs.replace(first, status="ACTIVE"))
    listed = world.ecs.list_service_deployments(service="web", status=["SUCCESSFUL"])
    assert len(listed["serviceDeployments"]) == 1
