"""Container instances: described, listed, drained, deregistered."""

from __future__ import annotations

import pytest
from ecs_world import ARNS, World


@pytest.fixture
def world() -> World:
    return World()


def resources(view: dict[str, object], which: str) -> dict[str, object]:
    return {
        r["name"]: r.get("stringSetValue", r["integerValue"])
        for r in view[which]  # type: ignore[attr-defined]
    }


def run(world: World, instance: str, **request: object) -> str:
    """StartTask on the instance; returns the task's ARN."""
    answer = world("StartTask", taskDefinition="web", containerInstances=[instance], **request)
    assert answer["failures"] == []
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def describe(world: World, instance: str) -> dict[str, object]:
    answer = world("DescribeContainerInstances", containerInstances=[instance])
    view: dict[str, object] = answer["containerInstances"][0]
    return view


def test_remaining_resources_are_what_no_task_holds(world: World) -> None:
    instance = world.register("a")
    assert resources(describe(world, instance), "remainingResources") == {
        "CPU": 2048,
        "MEMORY": 2048,
        "PORTS": ["22"],
        "PORTS_UDP": [],
    }
    task = run(world, instance)
    view = describe(world, instance)
    assert resources(view, "remainingResources")["CPU"] == 2048 - 128
    assert resources(view, "remainingResources")["MEMORY"] == 2048 - 64 - 16
    assert resources(view, "registeredResources")["MEMORY"] == 2048
    assert (view["pendingTasksCount"], view["runningTasksCount"]) == (1, 0)
    world.report(task, "RUNNING")
    view = describe(world, instance)
    assert (view["pendingTasksCount"], view["runningTasksCount"]) == (0, 1)
    world.report(task, "STOPPED")
    view = describe(world, instance)
    assert resources(view, "remainingResources")["CPU"] == 2048
    assert (view["pendingTasksCount"], view["runningTasksCount"]) == (0, 0)


def test_unknown_instances_are_missing(world: World) -> None:
    answer = world("DescribeContainerInstances", containerInstances=["f" * 32])
    arn = ARNS.ecs("container-instance/default/" + "f" * 32)
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert world.refused("DescribeContainerInstances", containerInstances=[])[0] == (
        "InvalidParameterException"
    )


def test_an_instance_is_found_by_id_and_by_arn(world: World) -> None:
    instance = world.register("a")
    for identifier in (instance, instance.rsplit("/", 1)[1]):
        assert describe(world, identifier)["containerInstanceArn"] == instance


def test_a_draining_instance_is_listed_and_a_deregistered_one_is_not(world: World) -> None:
    a, b, c = (world.register(name) for name in "abc")
    world("UpdateContainerInstancesState", containerInstances=[a], status="DRAINING")
    world("DeregisterContainerInstance", containerInstance=b)
    listed = world("ListContainerInstances")["containerInstanceArns"]
    assert set(listed) == {a, c}
    for status, expected in (("ACTIVE", {c}), ("DRAINING", {a}), ("INACTIVE", {b})):
        listed = world("ListContainerInstances", status=status)["containerInstanceArns"]
        assert set(listed) == expected


def test_listing_pages(world: World) -> None:
    expected = {world.register(name) for name in "abcde"}
    seen: list[str] = []
    token = None
    while True:
        request = {"nextToken": token} if token else {}
        answer = world("ListContainerInstances", maxResults=2, **request)
        seen += answer["containerInstanceArns"]
        token = answer["nextToken"]
        if not token:
            break
    assert len(seen) == 5
    assert set(seen) == expected


def test_listing_takes_a_cluster_query(world: World) -> None:
    a = world.register("a", attributes=[{"name": "rack", "value": "r1"}])
    b = world.register("b", attributes=[{"name": "rack", "value": "r2"}])
    run(world, a)
    for expression, expected in (
        ("attribute:rack == r2", {b}),
        ("attribute:rack exists", {a, b}),
        ("task:group == family:web", {a}),
        ("not(task:group == family:web)", {b}),
        ("agentConnected == true and runningTasksCount == 0", {a, b}),
        ("ec2InstanceId == i-a", {a}),
    ):
        answer = world("ListContainerInstances", filter=expression)
        assert set(answer["containerInstanceArns"]) == expected, expression
    assert world.refused("ListContainerInstances", filter="attribute:rack ===")[0] == (
        "InvalidParameterException"
    )


def test_an_instance_with_tasks_is_deregistered_only_by_force(world: World) -> None:
    instance = world.register("a")
    task = run(world, instance)
    world.report(task, "RUNNING")
    assert world.refused("DeregisterContainerInstance", containerInstance=instance) == (
        "InvalidParameterException",
        "Found running tasks on the instance.",
    )
    world.now = 2000.0
    answer = world("DeregisterContainerInstance", containerInstance=instance, force=True)
    assert answer["containerInstance"]["status"] == "INACTIVE"
    ended = world.task(task)
    assert ended.last_status == ended.desired_status == "STOPPED"
    assert ended.stop_code == "UserInitiated"
    assert ended.stopped_reason == "Container instance deregistration forced by user"
    assert ended.stopped_at == 2000.0
    assert describe(world, instance)["runningTasksCount"] == 0


def test_state_updates_are_checked(world: World) -> None:
    instance = world.register("a")
    assert world.refused(
        "UpdateContainerInstancesState", containerInstances=[instance], status="INACTIVE"
    ) == (
        "InvalidParameterException",
        "Container instance status should be one of [ACTIVE, DRAINING]",
    )
    answer = world(
        "UpdateContainerInstancesState", containerInstances=[instance, "nope"], status="DRAINING"
    )
    assert [i["status"] for i in answer["containerInstances"]] == ["DRAINING"]
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    assert world.refused(
        "UpdateContainerInstancesState", containerInstances=["x"] * 11, status="ACTIVE"
    )[0] == ("InvalidParameterException")
