"""Services of awsvpc tasks: their network, their targets, and what becomes of both."""

from __future__ import annotations

from typing import Any

import pytest
from ecs_world import World
from service_world import ServiceWorld, network

from homeport.store.schema import (
    NETWORK_INTERFACES,
    SERVICE_REVISIONS,
    SUBNETS,
    TARGETS,
    TASKS,
)

INVALID = "InvalidParameterException"


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def create(world: World, **request: Any) -> Any:
    values = {
        "serviceName": "web",
        "taskDefinition": "vpc",
        "desiredCount": 1,
        "networkConfiguration": network(),
        **request,
    }
    return world("CreateService", **values)["service"]


def behind(group: str) -> list[dict[str, Any]]:
    return [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]


def test_a_service_shows_its_network_and_a_change_of_it_is_a_deployment(world: World) -> None:
    service = create(world)
    shown = network(securityGroups=[], assignPublicIp="DISABLED")
    assert service["networkConfiguration"] == shown
    assert service["deployments"][0]["networkConfiguration"] == shown
    same = world("UpdateService", service="web", networkConfiguration=network(), desiredCount=2)
    assert len(same["service"]["deployments"]) == 1
    changed = network("subnet-b", securityGroups=["sg-web"])
    service = world("UpdateService", service="web", networkConfiguration=changed)["service"]
    shown = network("subnet-b", securityGroups=["sg-web"], assignPublicIp="DISABLED")
    assert service["networkConfiguration"] == shown
    assert len(service["deployments"]) == 2
    assert service["deployments"][0]["networkConfiguration"] == shown
    again = world("UpdateService", service="web", forceNewDeployment=True)["service"]
    assert again["networkConfiguration"] == shown


def test_a_service_can_not_change_to_another_network_mode(world: World) -> None:
    create(world)
    assert world.refused("UpdateService", service="web", taskDefinition="web:1") == (
        INVALID,
        "Network Configuration is not valid for the given networkMode of this task definition.",
    )
    world("CreateService", serviceName="bridge", taskDefinition="web:1", desiredCount=0)
    assert world.refused("UpdateService", service="bridge", taskDefinition="vpc") == (
        INVALID,
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    )


def test_target_groups_fit_the_network_mode(world: World) -> None:
    instances, addresses = world.target_group("i"), world.target_group("ip", target_type="ip")
    values = {"serviceName": "web", "desiredCount": 1}
    assert world.refused(
        "CreateService", taskDefinition="web:1", loadBalancers=behind(addresses), **values
    ) == (
        INVALID,
        f"The provided target group {addresses} has target type ip, which is incompatible with "
        "the bridge network mode specified in the task definition.",
    )
    assert world.refused(
        "CreateService",
        taskDefinition="vpc",
        networkConfiguration=network(),
        loadBalancers=behind(instances),
        **values,
    ) == (
        INVALID,
        f"The provided target group {instances} has target type instance, which is incompatible "
        "with the awsvpc network mode specified in the task definition.",
    )


def test_a_running_task_is_a_target_by_its_own_address(world: ServiceWorld) -> None:
    create(world, loadBalancers=behind(world.target_group("ip", target_type="ip")))
    world.act()
    (task,) = world.tasks()
    assert (task.last_status, world.rows(TARGETS)) == ("PROVISIONING", [])
    world.run(task)
    world.act()
    (target,) = world.rows(TARGETS)
    assert (target.id, target.address, target.port) == ("10.1.1.4", "10.1.1.4", 80)
    assert target.availability_zone == "us-east-1a"
    world("StopTask", task=task.arn)
    world.act()
    (target,) = world.rows(TARGETS)
    assert target.draining_since == world.now
    assert world.task(task.arn).last_status == "DEACTIVATING"
    with world.store.transaction() as tx:
        tx.delete(TARGETS, target.key)
    world.act()
    assert world.task(task.arn).last_status == "STOPPING"
    world.report(task.arn, "STOPPED")
    world.act()
    assert world.task(task.arn).last_status == "STOPPED"
    (replacement,) = world.tasks()
    assert [i.task_arn for i in world.rows(NETWORK_INTERFACES)] == [replacement.arn]


def test_a_new_network_moves_the_tasks_once_the_new_ones_are_healthy(world: ServiceWorld) -> None:
    create(world, loadBalancers=behind(world.target_group("ip", target_type="ip")))
    world.act()
    (old,) = world.tasks()
    world.run(old)
    world.act()
    world.healthy()
    world.act()
    world.now += 1
    world("UpdateService", service="web", networkConfiguration=network("subnet-b"))
    world.act()
    old, new = world.tasks()
    assert new.interface is not None
    assert new.interface.subnet_id == "subnet-b"
    assert (old.desired_status, new.last_status) == ("RUNNING", "PROVISIONING")
    world.run(new)
    world.act()
    assert world.task(old.arn).desired_status == "RUNNING"
    world.healthy()
    world.act()
    assert world.task(old.arn).last_status == "DEACTIVATING"
    revisions = world.rows(SERVICE_REVISIONS)
    answer = world("DescribeServiceRevisions", serviceRevisionArns=[r.arn for r in revisions])
    shown = [
        r["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
        for r in answer["serviceRevisions"]
    ]
    assert sorted(shown) == [["subnet-a"], ["subnet-b"]]


def test_a_rollback_brings_the_network_back(world: ServiceWorld) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    create(world, deploymentConfiguration=breaker)
    world.act()
    (task,) = world.tasks()
    world.run(task)
    world.act()
    assert world.service("web").deployments[0].rollout_state == "COMPLETED"
    world("UpdateService", service="web", networkConfiguration=network("subnet-b"))
    with world.store.transaction() as tx:
        tx.delete(SUBNETS, "subnet-b")  # nothing used it
    for _ in range(8):
        world.act()
        world.now += 120
    service = world.service("web")
    assert service.last_failed is not None
    assert service.network is not None
    assert service.network.subnets == ("subnet-a",)
    stopped = [t for t in world.rows(TASKS) if t.last_status == "STOPPED"]
    assert {t.stopped_reason for t in stopped} == {
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-b': "
        "InvalidSubnetID.NotFound"
    }
    assert world.task(task.arn).last_status == "RUNNING"


def test_a_full_subnet_holds_back_the_launches(world: ServiceWorld) -> None:
    create(world, desiredCount=12)
    world.act()
    assert len(world.tasks()) == 11
    failed = world.service("web").deployments[0].failed_tasks
    assert failed == 2  # the first failure is tried again at once
    world.act()
    assert world.service("web").deployments[0].failed_tasks == failed  # not before its time
    events = world("DescribeServices", services=["web"])["services"][0]["events"]
    assert any("has started" in event["message"] for event in events)
