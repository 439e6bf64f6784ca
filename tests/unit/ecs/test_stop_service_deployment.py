"""StopServiceDeployment: a deployment that is going on is rolled back, or halted."""

from __future__ import annotations

from typing import Any

import pytest
from ecs_world import World


@pytest.fixture
def world() -> World:
    """The service ``web`` runs two tasks of ``web:1``."""
    world = World()
    world.register("a")
    world.define("web", 2)
    world("CreateService", serviceName="web", taskDefinition="web:1", desiredCount=2)
    settle(world)
    return world


def settle(world: World) -> None:
    """The controllers work, and an agent does what is wanted, until nothing moves."""
    for _ in range(8):
        world.now += 1
        world.settle()
        for status, wanted in (("RUNNING", "RUNNING"), ("STOPPED", "STOPPED")):
            for arn in world("ListTasks", desiredStatus=wanted)["taskArns"]:
                if world.task(arn).last_status not in (status, "STOPPED"):
                    world.report(arn, status)


def update(world: World, **request: Any) -> str:
    """A new deployment that has begun; returns the ARN of its service deployment."""
    world("UpdateService", service="web", taskDefinition="web:2", **request)
    world.now += 1
    world.settle()
    return str(listed(world)[0]["serviceDeploymentArn"])


def listed(world: World) -> Any:
    return world("ListServiceDeployments", service="web")["serviceDeployments"]


def described(world: World, arn: str) -> Any:
    (found,) = world("DescribeServiceDeployments", serviceDeploymentArns=[arn])[
        "serviceDeployments"
    ]
    return found


def events(world: World) -> list[str]:
    service = world("DescribeServices", services=["web"])["services"][0]
    return [event["message"].removeprefix("(service web) ") for event in service["events"]]


def test_a_rollback_needs_no_circuit_breaker(world: World) -> None:
    good = world.service("web").deployments[0].id
    arn = update(world)
    assert described(world, arn)["status"] == "IN_PROGRESS"
    answer = world("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer == {"serviceDeploymentArn": arn}
    assert described(world, arn)["status"] == "ROLLBACK_REQUESTED"
    world.settle()
    assert described(world, arn)["status"] == "ROLLBACK_IN_PROGRESS"
    settle(world)
    told = described(world, arn)
    assert told["status"] == "ROLLBACK_SUCCESSFUL"
    assert "StopServiceDeployment" in told["rollback"]["reason"]
    assert told["deploymentCircuitBreaker"]["status"] == "DISABLED"
    service = world.service("web")
    assert [d.id for d in service.deployments] == [good]
    assert service.task_definition_arn.endswith("/web:1")
    assert f"rolling back to deployment {good}." in events(world)
    assert [d["status"] for d in listed(world)] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


def test_rollback_is_what_is_done_unless_something_else_is_said(world: World) -> None:
    arn = update(world)
    world("StopServiceDeployment", serviceDeploymentArn=arn)
    assert described(world, arn)["status"] == "ROLLBACK_REQUESTED"


def test_asking_again_changes_nothing(world: World) -> None:
    arn = update(world)
    for stop_type in ("ROLLBACK", "ABORT", "ROLLBACK"):
        world("StopServiceDeployment", serviceDeploymentArn=arn, stopType=stop_type)
    world.settle()
    assert described(world, arn)["status"] == "ROLLBACK_IN_PROGRESS"
    world("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ABORT")
    settle(world)
    assert described(world, arn)["status"] == "ROLLBACK_SUCCESSFUL"


def test_an_abort_leaves_everything_as_it_is(world: World) -> None:
    arn = update(world)
    before = {t: world.task(t).desired_status for t in world("ListTasks")["taskArns"]}
    world("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ABORT")
    assert described(world, arn)["status"] == "STOP_REQUESTED"
    settle(world)
    told = described(world, arn)
    assert told["status"] == "STOPPED"
    assert told["stoppedAt"] is not None
    after = {t: world.task(t).desired_status for t in world("ListTasks")["taskArns"]}
    assert after == before
    primary = world.service("web").deployments[0]
    assert (primary.rollout_state, primary.status) == ("FAILED", "PRIMARY")
    world("UpdateService", service="web", taskDefinition="web:1", forceNewDeployment=True)
    settle(world)
    assert listed(world)[0]["status"] == "SUCCESSFUL"


def test_the_first_deployment_has_nothing_to_go_back_to(world: World) -> None:
    world("CreateService", serviceName="new", taskDefinition="web:1", desiredCount=1)
    world.settle()
    (record,) = world("ListServiceDeployments", service="new")["serviceDeployments"]
    arn = record["serviceDeploymentArn"]
    world("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    world.settle()
    told = described(world, arn)
    assert (told["status"], told["statusReason"]) == (
        "ROLLBACK_FAILED",
        "No rollback candidate was found to run the rollback.",
    )


def test_what_is_over_cannot_be_stopped(world: World) -> None:
    (record,) = listed(world)
    assert record["status"] == "SUCCESSFUL"
    arn = record["serviceDeploymentArn"]
    code, message = world.refused("StopServiceDeployment", serviceDeploymentArn=arn)
    assert code == "ConflictException"
    assert "SUCCESSFUL" in message


def test_what_is_not_there_cannot_be_stopped(world: World) -> None:
    (record,) = listed(world)
    arn = record["serviceDeploymentArn"]
    code, _ = world.refused("StopServiceDeployment", serviceDeploymentArn=f"{arn}x")
    assert code == "ServiceDeploymentNotFoundException"


def test_a_deployment_that_another_overtakes_is_stopping_while_its_tasks_are_there(
    world: World,
) -> None:
    arn = update(world)
    world("UpdateService", service="web", taskDefinition="web:1")
    world.settle()
    told = described(world, arn)
    assert (told["status"], told["statusReason"]) == (
        "STOP_REQUESTED",
        "A newer deployment was started.",
    )
    settle(world)
    assert [d["status"] for d in listed(world)] == ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]
