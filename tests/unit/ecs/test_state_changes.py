"""Events as ECS sends them to EventBridge, there if and only if the change is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World

from homeport.domain.event import Event
from homeport.services.events import recorder
from homeport.store.schema import EVENTS, TASKS

TASK = "ECS Task State Change"
INSTANCE = "ECS Container Instance State Change"
DEPLOYMENT = "ECS Deployment State Change"
ACTION = "ECS Service Action"


@pytest.fixture
def world() -> World:
    world = World()
    world.register("a")
    return world


def recorded(world: World, detail_type: str = "") -> list[Event]:
    with world.store.transaction() as tx:
        events = sorted(tx.all(EVENTS), key=lambda e: e.sequence)
    return [e for e in events if detail_type in ("", e.detail_type)]


def details(world: World, detail_type: str) -> list[Any]:
    return [json.loads(event.detail) for event in recorded(world, detail_type)]


def run(world: World, **request: Any) -> str:
    return str(world("RunTask", taskDefinition="web", **request)["tasks"][0]["taskArn"])


def test_a_task_tells_each_state_once(world: World) -> None:
    arn = run(world, startedBy="me", group="g")
    binding = {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}
    running = {"containerName": "web", "status": "RUNNING", "networkBindings": [binding]}
    world.now = 1579802257.103
    world.report(arn, "RUNNING", containers=[running])
    world.report(arn, "RUNNING", containers=[running])
    world("StopTask", task=arn, reason="enough")
    world.report(arn, "STOPPED")
    told = details(world, TASK)
    assert [(d["lastStatus"], d["desiredStatus"]) for d in told] == [
        ("PENDING", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("STOPPING", "STOPPED"),
        ("STOPPED", "STOPPED"),
    ]
    versions = [d["version"] for d in told]
    assert versions == sorted(set(versions))
    assert (told[3]["stopCode"], told[3]["stoppedReason"]) == ("UserInitiated", "enough")
    assert all(e.resources == (arn,) for e in recorded(world, TASK))
    ran = told[1]
    assert ran["taskArn"] == arn
    assert ran["clusterArn"] == ARNS.ecs("cluster/default")
    assert ran["taskDefinitionArn"] == ARNS.ecs("task-definition/web:1")
    assert (ran["startedBy"], ran["group"], ran["launchType"]) == ("me", "g", "EC2")
    assert ran["startedAt"] == ran["updatedAt"] == "2020-01-23T17:57:37.103Z"
    assert ran["createdAt"] == "1970-01-01T00:16:40.000Z"
    assert ran["connectivity"] == "CONNECTED"
    container = ran["containers"][0]
    assert container["lastStatus"] == "RUNNING"
    assert container["networkBindings"] == [binding]
    for absent in ("healthStatus", "tags", "stopCode", "stoppedAt"):
        assert absent not in ran
    assert "healthStatus" not in container


def test_what_only_homeport_notes_of_a_task_is_no_event(world: World) -> None:
    arn = run(world)
    world.put(TASKS, msgspec.structs.replace(world.task(arn), end_counted=True))
    world.put(TASKS, msgspec.structs.replace(world.task(arn), health_status="HEALTHY"))
    assert len(recorded(world, TASK)) == 1


def test_a_request_that_is_refused_leaves_no_event(world: World) -> None:
    before = recorded(world)
    world.refused("RunTask", taskDefinition="none")
    assert recorded(world) == before


def test_an_instance_tells_what_it_has_and_whether_its_agent_is_there(world: World) -> None:
    (arn,) = world("ListContainerInstances")["containerInstanceArns"]
    world.connect(arn, False)
    world("UpdateContainerInstancesState", containerInstances=[arn], status="DRAINING")
    told = details(world, INSTANCE)
    assert [(d["agentConnected"], d["status"]) for d in told] == [
        (False, "ACTIVE"),
        (True, "ACTIVE"),
        (False, "ACTIVE"),
        (False, "DRAINING"),
    ]
    last = told[-1]
    assert last["containerInstanceArn"] == arn
    assert last["ec2InstanceId"] == "i-a"
    assert last["remainingResources"][0] == {
        "name": "CPU",
        "type": "INTEGER",
        "integerValue": 2048,
    }
    assert recorded(world, INSTANCE)[0].resources == (arn,)


def serve(world: World, **request: Any) -> None:
    world("CreateService", serviceName="web", taskDefinition="web:1", desiredCount=1, **request)
    settle(world)


def settle(world: World) -> None:
    for _ in range(6):
        world.settle()
        for arn in world("ListTasks", serviceName="web")["taskArns"]:
            if world.task(arn).last_status == "PENDING":
                world.report(arn, "RUNNING")
        for arn in world("ListTasks", serviceName="web", desiredStatus="STOPPED")["taskArns"]:
            world.report(arn, "STOPPED")


def test_a_deployment_begins_and_completes(world: World) -> None:
    serve(world)
    (deployment,) = world.service("web").deployments
    told = details(world, DEPLOYMENT)
    assert [(d["eventType"], d["eventName"], d["reason"]) for d in told] == [
        (
            "INFO",
            "SERVICE_DEPLOYMENT_IN_PROGRESS",
            f"ECS deployment {deployment.id} in progress.",
        ),
        ("INFO", "SERVICE_DEPLOYMENT_COMPLETED", f"ECS deployment {deployment.id} completed."),
    ]
    assert {d["deploymentId"] for d in told} == {deployment.id}
    assert recorded(world, DEPLOYMENT)[0].resources == (ARNS.ecs("service/default/web"),)


def test_a_failed_deployment_and_its_rollback(world: World) -> None:
    serve(world)
    good = world.service("web").deployments[0].id
    world.define("web", 2)
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    world("UpdateService", service="web", taskDefinition="web:2", deploymentConfiguration=breaker)
    bad = world.service("web").deployments[0].id
    for _ in range(10):
        world.now += 600
        world.settle()
        for arn in world("ListTasks", serviceName="web")["taskArns"]:
            if world.task(arn).deployment_id == bad:
                world.report(arn, "STOPPED")
    settle(world)
    told = [(d["eventType"], d["eventName"], d["deploymentId"]) for d in details(world, DEPLOYMENT)]
    assert told[2:] == [
        ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", bad),
        ("ERROR", "SERVICE_DEPLOYMENT_FAILED", bad),
        ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", good),
        ("INFO", "SERVICE_DEPLOYMENT_COMPLETED", good),
    ]
    assert details(world, DEPLOYMENT)[3]["reason"] == (
        "ECS deployment circuit breaker: tasks failed to start."
    )


def test_what_a_service_does(world: World) -> None:
    serve(world)
    assert [d["eventName"] for d in details(world, ACTION)] == ["SERVICE_STEADY_STATE"]
    world("UpdateService", service="web", desiredCount=0)
    settle(world)
    last = details(world, ACTION)[-2:]
    assert [(d["eventType"], d["eventName"]) for d in last] == [
        ("INFO", "TASKS_STOPPED"),
        ("INFO", "SERVICE_STEADY_STATE"),
    ]
    assert last[0]["clusterArn"] == ARNS.ecs("cluster/default")
    assert last[0]["createdAt"].endswith("Z")
    assert recorded(world, ACTION)[0].resources == (ARNS.ecs("service/default/web"),)


def test_a_task_that_cannot_be_placed(world: World) -> None:
    world.define("big", 1, memory=10**6)
    world("CreateService", serviceName="web", taskDefinition="big", desiredCount=1)
    world.settle()
    (told,) = details(world, ACTION)
    assert (told["eventType"], told["eventName"], told["reason"]) == (
        "ERROR",
        "SERVICE_TASK_PLACEMENT_FAILURE",
        "RESOURCE:MEMORY",
    )


def test_only_the_newest_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "KEPT_EVENTS", 3)
    for _ in range(4):
        run(world)
    sequences = [event.sequence for event in recorded(world)][-3:]
    assert sequences == list(range(sequences[-1] - 2, sequences[-1] + 1))
    run(world)
    assert [e.sequence for e in recorded(world)][-3:] == [s + 1 for s in sequences]
