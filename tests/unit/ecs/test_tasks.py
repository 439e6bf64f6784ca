"""RunTask, StartTask, StopTask, DescribeTasks, ListTasks."""

from __future__ import annotations

from typing import Any

import pytest
from ecs_world import ARNS, World

from homeport.domain.cluster import Tag
from homeport.domain.task_definition import PortMapping


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def instance(world: World) -> str:
    return world.register("a")


def run(world: World, **request: Any) -> Any:
    return world("RunTask", **{"taskDefinition": "web", **request})


def run_one(world: World, **request: Any) -> str:
    answer = run(world, **request)
    assert answer["failures"] == []
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def describe(world: World, *tasks: str, **request: Any) -> Any:
    return world("DescribeTasks", tasks=list(tasks), **request)


def refused(world: World, **request: Any) -> tuple[str, str]:
    return world.refused("RunTask", **{"taskDefinition": "web", **request})


# -- RunTask ------------------------------------------------------------------------------------


def test_a_task_begins_pending_on_an_instance(world: World, instance: str) -> None:
    answer = run(world)
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    assert task["taskArn"].startswith(ARNS.ecs("task/default/"))
    assert task["containerInstanceArn"] == instance
    assert task["availabilityZone"] == "us-east-1a"
    assert (task["lastStatus"], task["desiredStatus"], task["version"]) == ("PENDING", "RUNNING", 1)
    assert (task["cpu"], task["memory"], task["group"]) == ("128", "80", "family:web")
    assert task["createdAt"] == 1000.0
    assert task["launchType"] == "EC2"
    assert [c["name"] for c in task["containers"]] == ["web", "log"]
    web = task["containers"][0]
    assert web["lastStatus"] == "PENDING"
    assert (web["cpu"], web["memory"]) == ("128", "64")
    assert task["overrides"] == {
        "containerOverrides": [{"name": "web"}, {"name": "log"}],
        "inferenceAcceleratorOverrides": [],
    }
    assert task["startedBy"] is None


def test_count_is_one_to_ten(world: World, instance: str) -> None:
    assert len(run(world, count=10)["tasks"]) == 10
    for count in (0, 11, -1):
        assert refused(world, count=count)[0] == "InvalidParameterException"


def test_placement_failures_are_not_errors(world: World, instance: str) -> None:
    world.define("fat", 1, PortMapping(80, 8080))
    answer = run(world, taskDefinition="fat", count=3)
    assert len(answer["tasks"]) == 1
    assert answer["failures"] == [{"arn": instance, "reason": "RESOURCE:PORTS"}] * 2
    world.connect(instance, False)
    assert run(world)["failures"] == [{"arn": instance, "reason": "AGENT"}]


def test_an_empty_cluster_is_an_error(world: World) -> None:
    text = "No Container Instances were found in your cluster."
    assert refused(world) == ("InvalidParameterException", text)


def test_unknown_and_inactive_definitions(world: World, instance: str) -> None:
    assert refused(world, taskDefinition="nope") == (
        "ClientException",
        "TaskDefinition not found.",
    )
    world.define("old", status="INACTIVE")
    assert refused(world, taskDefinition="old:1") == (
        "ClientException",
        "TaskDefinition is inactive",
    )


def test_overrides_change_what_a_task_holds(world: World, instance: str) -> None:
    overrides = {
        "containerOverrides": [
            {"name": "web", "cpu": 256, "memory": 100, "command": ["sleep", "1"]}
        ]
    }
    (task,) = run(world, overrides=overrides)["tasks"]
    assert (task["cpu"], task["memory"]) == ("256", "116")
    assert task["containers"][0]["memory"] == "100"
    assert task["overrides"]["containerOverrides"] == [
        overrides["containerOverrides"][0],
        {"name": "log"},
    ]


@pytest.mark.parametrize(
    ("request_members", "text"),
    [
        (
            {"overrides": {"containerOverrides": [{"name": "api"}]}},
            "Override for container named api is not a container in the TaskDefinition.",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "web", "command": ["x" * 9000]}]}},
            "Container Overrides length must be at most 8192",
        ),
        ({"overrides": {"cpu": "lots"}}, "Invalid 'cpu' setting for task."),
        ({"overrides": {"cpu": "9" * 5000}}, "Invalid 'cpu' setting for task."),
        (
            {"overrides": {"containerOverrides": [{"name": "web", "environment": [{}]}]}},
            "Environment variables of container web must have a name and a value.",
        ),
        ({"group": "service:web"}, "Invalid namespace for group."),
        (
            {"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "x"}]},
            "Specify either Launch Type or Capacity Provider Strategy, but not both.",
        ),
        ({"launchType": "MOON"}, "launch type should be one of [EC2,FARGATE,EXTERNAL]"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}},
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ),
        ({"count": 11}, "Tasks count should be between 1 and 10."),
    ],
)
def test_bad_requests(
    world: World, instance: str, request_members: dict[str, Any], text: str
) -> None:
    assert refused(world, **request_members) == ("InvalidParameterException", text)


@pytest.mark.parametrize(
    "request_members",
    [
        {"startedBy": "x" * 129},
        {"startedBy": "a b"},
        {"placementConstraints": [{"type": "memberOf", "expression": "attribute:x =="}]},
        {"placementConstraints": [{"type": "distinctInstance", "expression": "a == b"}]},
        {"placementConstraints": [{"type": "nearby"}]},
        {"placementConstraints": [{"type": "distinctInstance"}] * 11},
        {"placementStrategy": [{"type": "binpack", "field": "ports"}]},
        {"placementStrategy": [{"type": "spread"}]},
        {"placementStrategy": [{"type": "random", "field": "cpu"}]},
        {"placementStrategy": [{"type": "random"}] * 6},
        {"propagateTags": "SERVICE"},
        {"clientToken": "x" * 65},
        {"clientToken": "with space"},
    ],
)
def test_invalid_parameters(world: World, instance: str, request_members: dict[str, Any]) -> None:
    assert refused(world, **request_members)[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        *(
            ({"document": {"volumes": [{"name": "v", member: {"id": 1}}]}}, f"volumes.{member}")
            for member in (
                "fsxWindowsFileServerVolumeConfiguration",
                "s3filesVolumeConfiguration",
                "configuredAtLaunch",
            )
        ),
        ({"container": {"logConfiguration": {"logDriver": "awsfirelens"}}}, "awsfirelens"),
        ({"container": {"resourceRequirements": [{"type": "GPU"}]}}, "resourceRequirements"),
    ],
)
def test_what_agents_do_not_run_yet_is_refused_by_name(
    world: World, instance: str, definition: dict[str, Any], named: str
) -> None:
    world.define("special", **definition)
    code, text = refused(world, taskDefinition="special")
    assert code == "ClientException"
    assert text.startswith("Homeport does not run this yet: ")
    assert named in text


@pytest.mark.parametrize(
    "request_members",
    [
        {"launchType": "EXTERNAL"},
        {
            "overrides": {
                "containerOverrides": [
                    {"name": "web", "resourceRequirements": [{"type": "GPU", "value": "1"}]}
                ]
            }
        },
    ],
)
def test_requests_that_are_not_run_yet(
    world: World, instance: str, request_members: dict[str, Any]
) -> None:
    code, text = refused(world, **request_members)
    assert code == "ClientException"
    assert text.startswith("Homeport does not run this yet: ")


def test_a_launch_type_outside_the_compatibilities(world: World, instance: str) -> None:
    world.define("ec2", document={"compatibilities": ["EC2", "EXTERNAL"]})
    assert refused(world, taskDefinition="ec2", launchType="FARGATE") == (
        "InvalidParameterException",
        "Task definition does not support launch_type FARGATE.",
    )


def test_tags_are_merged_and_shown_when_asked_for(world: World, instance: str) -> None:
    world.define("tagged", tags=(Tag("a", "definition"), Tag("b", "definition")))
    arn = run_one(
        world,
        taskDefinition="tagged",
        tags=[{"key": "a", "value": "mine"}],
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
    )
    assert describe(world, arn)["tasks"][0]["tags"] == []
    tags = describe(world, arn, include=["TAGS"])["tasks"][0]["tags"]
    assert {t["key"]: t["value"] for t in tags} == {
        "a": "mine",
        "b": "definition",
        "aws:ecs:clusterName": "default",
    }


# -- clientToken --------------------------------------------------------------------------------


def test_the_same_token_and_request_start_nothing_new(world: World, instance: str) -> None:
    first = run(world, count=2, clientToken="t1")
    second = run(world, count=2, clientToken="t1")
    arns = [[t["taskArn"] for t in answer["tasks"]] for answer in (first, second)]
    assert arns[0] == arns[1]
    assert len(world("ListTasks")["taskArns"]) == 2


def test_the_same_token_with_another_request_conflicts(world: World, instance: str) -> None:
    run(world, clientToken="t1")
    assert refused(world, clientToken="t1", count=2)[0] == "ConflictException"


def test_a_token_is_over_an_hour_after_its_last_task(world: World, instance: str) -> None:
    first = run_one(world, clientToken="t1")
    world.report(first, "STOPPED")
    world.now += 3599
    assert run_one(world, clientToken="t1") == first
    world.now += 1
    assert run_one(world, clientToken="t1") != first


def test_a_token_is_over_after_a_day(world: World, instance: str) -> None:
    first = run_one(world, clientToken="t1")
    world.now += 24 * 3600
    assert run_one(world, clientToken="t1") != first


def test_a_token_whose_request_found_no_place_may_be_used_again(
    world: World, instance: str
) -> None:
    world.connect(instance, False)
    assert run(world, clientToken="t1")["tasks"] == []
    world.connect(instance)
    assert len(run(world, clientToken="t1")["tasks"]) == 1


# -- StartTask, StopTask ------------------------------------------------------------------------


def test_start_task_takes_the_given_instances(world: World, instance: str) -> None:
    other = world.register("b")
    answer = world(
        "StartTask", taskDefinition="web", containerInstances=[instance, other, "f" * 32]
    )
    assert [t["containerInstanceArn"] for t in answer["tasks"]] == [instance, other]
    missing = ARNS.ecs("container-instance/default/" + "f" * 32)
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    many = ["x"] * 11
    assert world.refused("StartTask", taskDefinition="web", containerInstances=many)[0] == (
        "InvalidParameterException"
    )


def test_a_stop_is_a_wish_until_the_agent_reports_it(world: World, instance: str) -> None:
    arn = run_one(world)
    world.report(arn, "RUNNING")
    world.now = 1100.0
    task = world("StopTask", task=arn, reason="maintenance")["task"]
    assert (task["desiredStatus"], task["lastStatus"]) == ("STOPPED", "STOPPING")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "maintenance")
    assert task["stoppingAt"] == 1100.0
    assert task["stoppedAt"] is None
    world.now = 1101.0
    world.report(arn, "RUNNING")  # late
    assert world.task(arn).last_status == "STOPPING"
    world.report(arn, "STOPPED")
    task = describe(world, arn)["tasks"][0]
    assert (task["lastStatus"], task["stoppedAt"]) == ("STOPPED", 1101.0)
    assert task["stoppedReason"] == "maintenance"


def test_stopping_twice_and_stopping_the_unknown(world: World, instance: str) -> None:
    arn = run_one(world)
    assert world("StopTask", task=arn)["task"]["stoppedReason"] == "Task stopped by user"
    world.report(arn, "STOPPED")
    again = world("StopTask", task=arn, reason="other")["task"]
    assert (again["lastStatus"], again["stoppedReason"]) == ("STOPPED", "Task stopped by user")
    assert world.refused("StopTask", task="f" * 32) == (
        "InvalidParameterException",
        "The referenced task was not found.",
    )


# -- DescribeTasks, ListTasks -------------------------------------------------------------------


def test_tasks_are_found_by_id_arn_and_short_arn(world: World, instance: str) -> None:
    arn = run_one(world)
    task_id = arn.rsplit("/", 1)[1]
    for identifier in (arn, task_id, ARNS.ecs(f"task/{task_id}")):
        assert describe(world, identifier)["tasks"][0]["taskArn"] == arn


def test_unknown_tasks_are_missing(world: World) -> None:
    arn = ARNS.ecs("task/default/" + "f" * 32)
    answer = describe(world, "f" * 32)
    assert answer == {"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}
    assert world.refused("DescribeTasks", tasks=[])[0] == "InvalidParameterException"
    assert world.refused("DescribeTasks", tasks=["x"] * 101)[0] == "InvalidParameterException"


def test_a_view_follows_its_task(world: World, instance: str) -> None:
    arn = run_one(world)
    assert describe(world, arn)["tasks"][0]["lastStatus"] == "PENDING"
    bindings = [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}]
    containers = [
        {
            "containerName": "web",
            "status": "RUNNING",
            "runtimeId": "abc",
            "networkBindings": bindings,
        }
    ]
    world.now = 1002.5
    world.report(arn, "RUNNING", containers=containers)
    task = describe(world, arn)["tasks"][0]
    assert (task["lastStatus"], task["startedAt"], task["version"]) == ("RUNNING", 1002.5, 2)
    assert (task["connectivity"], task["connectivityAt"]) == ("CONNECTED", 1002.5)
    assert task["containers"][0]["networkBindings"] == bindings
    assert task["containers"][0]["runtimeId"] == "abc"


def test_listing_filters(world: World, instance: str) -> None:
    other = world.register("b")
    world.define("job")
    web = run_one(world, placementConstraints=on("a"))
    job = run_one(world, taskDefinition="job", startedBy="me", placementConstraints=on("b"))
    stopped = run_one(world)
    world("StopTask", task=stopped)

    def listed(**request: Any) -> set[str]:
        return set(world("ListTasks", **request)["taskArns"])

    assert listed() == listed(desiredStatus="RUNNING") == {web, job}
    assert listed(desiredStatus="STOPPED") == {stopped}
    assert listed(desiredStatus="PENDING") == set()
    assert listed(family="job") == listed(startedBy="me") == {job}
    assert listed(containerInstance=instance) == {web}
    assert listed(containerInstance=other.rsplit("/", 1)[1]) == {job}
    assert listed(launchType="FARGATE") == set()
    assert world.refused("ListTasks", serviceName="nope") == (
        "ServiceNotFoundException",
        "Service not found.",
    )
    assert world.refused("ListTasks", serviceName="nope", family="web")[0] == (
        "InvalidParameterException"
    )
    assert world.refused("ListTasks", maxResults=101)[0] == "InvalidParameterException"


def on(host: str) -> list[dict[str, str]]:
    return [{"type": "memberOf", "expression": f"ec2InstanceId == i-{host}"}]


def test_listing_pages_through_everything_once(world: World, instance: str) -> None:
    expected = {t["taskArn"] for t in run(world, count=7)["tasks"]}
    seen: list[str] = []
    request: dict[str, Any] = {}
    while True:
        answer = world("ListTasks", maxResults=3, **request)
        seen += answer["taskArns"]
        if not answer["nextToken"]:
            break
        request = {"nextToken": answer["nextToken"]}
    assert len(seen) == 7
    assert set(seen) == expected
