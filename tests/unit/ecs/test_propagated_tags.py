"""Tags that tasks get from elsewhere, and the managed ones."""

from __future__ import annotations

from typing import Any

import pytest
from ecs_world import ARNS, World

from homeport.domain.cluster import Tag
from homeport.domain.task import Task
from homeport.domain.task_definition import ContainerDefinition
from homeport.store.schema import TASKS

MANAGED = {"aws:ecs:clusterName": "default", "aws:ecs:serviceName": "web"}
OF_DEFINITION = {"from": "definition", "d": "1"}
OF_SERVICE = {"from": "service", "s": "1"}


@pytest.fixture
def world() -> World:
    world = World()
    world.register("a")
    world.define("web", 1, tags=tuple(Tag(k, v) for k, v in OF_DEFINITION.items()))
    return world


def given(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def tags_of(world: World, arn: str) -> dict[str, str]:
    shown = world("DescribeTasks", tasks=[arn], include=["TAGS"])["tasks"][0]["tags"]
    assert world("ListTagsForResource", resourceArn=arn)["tags"] == shown
    return {tag["key"]: tag["value"] for tag in shown}


def serve(world: World, **request: Any) -> str:
    world(
        "CreateService",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        tags=given(OF_SERVICE),
        **request,
    )
    world.settle()
    (arn,) = world("ListTasks", serviceName="web")["taskArns"]
    return str(arn)


@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize(
    ("propagated", "expected"),
    [
        (None, {}),
        ("NONE", {}),
        ("SERVICE", OF_SERVICE),
        ("TASK_DEFINITION", OF_DEFINITION),
    ],
)
def test_tasks_of_a_service(
    world: World, propagated: str | None, expected: dict[str, str], managed: bool
) -> None:
    arn = serve(world, propagateTags=propagated, enableECSManagedTags=managed)
    assert tags_of(world, arn) == expected | (MANAGED if managed else {})
    (service,) = world("DescribeServices", services=["web"], include=["TAGS"])["services"]
    assert service["tags"] == given(OF_SERVICE), "the service itself gets none"


def test_a_changed_setting_is_for_the_tasks_of_a_new_deployment(world: World) -> None:
    old = serve(world)
    world("UpdateService", service="web", propagateTags="SERVICE", enableECSManagedTags=True)
    world.settle()
    (new,) = set(world("ListTasks", serviceName="web")["taskArns"]) - {old}
    assert tags_of(world, old) == {}
    assert tags_of(world, new) == OF_SERVICE | MANAGED


@pytest.mark.parametrize("operation", ["RunTask", "StartTask"])
def test_standalone_tasks(world: World, operation: str) -> None:
    where = {}
    if operation == "StartTask":
        where = {"containerInstances": world("ListContainerInstances")["containerInstanceArns"]}
    answer = world(
        operation,
        taskDefinition="web",
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
        tags=given({"from": "me"}),
        **where,
    )
    arn = answer["tasks"][0]["taskArn"]
    assert tags_of(world, arn) == {
        **OF_DEFINITION,
        "from": "me",
        "aws:ecs:clusterName": "default",
    }


def test_tags_go_when_the_task_stops(world: World) -> None:
    arn = serve(world, propagateTags="SERVICE", enableECSManagedTags=True)
    world("StopTask", task=arn)
    assert tags_of(world, arn) != {}
    world.report(arn, "STOPPED")
    assert tags_of(world, arn) == {}


@pytest.mark.parametrize("key", ["aws:ecs:serviceName", "aws:mine", "AWS:x"])
def test_nobody_gives_or_takes_aws_own_tags(world: World, key: str) -> None:
    arn = serve(world, enableECSManagedTags=True)
    code, message = world.refused("TagResource", resourceArn=arn, tags=given({key: "x"}))
    assert (code, "aws:" in message) == ("InvalidParameterException", True)
    code, _ = world.refused("UntagResource", resourceArn=arn, tagKeys=[key])
    assert code == "InvalidParameterException"
    code, _ = world.refused("RunTask", taskDefinition="web", tags=given({key: "x"}))
    assert code == "InvalidParameterException"


def test_propagating_from_a_service_is_for_services(world: World) -> None:
    code, message = world.refused("RunTask", taskDefinition="web", propagateTags="SERVICE")
    assert (code, "propagateTags" in message) == ("InvalidParameterException", True)


def test_a_service_waits_for_the_checks_that_there_are(world: World) -> None:
    """A side container without a check keeps healthStatus UNKNOWN, and holds nothing up."""
    import msgspec

    containers = (
        ContainerDefinition("web", "w", memory=16, has_health_check=True),
        ContainerDefinition("log", "l", memory=16),
    )
    world.define("two", 1, containers=containers)
    world("CreateService", serviceName="two", taskDefinition="two", desiredCount=1)
    world.settle()
    (arn,) = world("ListTasks", serviceName="two")["taskArns"]
    world.report(arn, "RUNNING")
    world.settle()
    assert world.service("two").deployments[0].rollout_state == "IN_PROGRESS"
    task: Task = world.task(arn)
    well = (msgspec.structs.replace(c, health_status="HEALTHY") for c in task.containers[:1])
    containers_now = (*well, *task.containers[1:])
    world.put(TASKS, msgspec.structs.replace(task, containers=containers_now))
    world.settle()
    assert world.task(arn).health_status == "UNKNOWN"
    assert world.service("two").deployments[0].rollout_state == "COMPLETED"
    assert ARNS.ecs("service/default/two") == world.task(arn).service_arn
