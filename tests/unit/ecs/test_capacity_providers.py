"""Capacity providers: kept, associated, and what tasks go to which by a strategy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ecs_world import ARNS, World

from homeport.domain.capacity_provider import MEMBERSHIP_ATTRIBUTE

GROUP = {"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:123456789012:group/spot"}


@pytest.fixture
def world() -> World:
    """The cluster has the providers ``steady`` and ``cheap``, each with one instance."""
    world = World()
    for name in ("steady", "cheap"):
        world("CreateCapacityProvider", name=name, autoScalingGroupProvider=GROUP)
        attribute = {"name": MEMBERSHIP_ATTRIBUTE, "value": name}
        world.register(name, attributes=[attribute])
    associate(world, "steady", "cheap", "FARGATE", "FARGATE_SPOT")
    return world


def associate(world: World, *names: str, default: Any = ()) -> Any:
    return world(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=list(names),
        defaultCapacityProviderStrategy=list(default),
    )["cluster"]


def item(name: str, weight: int | None = None, base: int | None = None) -> dict[str, Any]:
    given = {"capacityProvider": name, "weight": weight, "base": base}
    return {key: value for key, value in given.items() if value is not None}


def run(world: World, *strategy: dict[str, Any], **request: Any) -> Any:
    values = {"taskDefinition": "web", "capacityProviderStrategy": list(strategy), **request}
    return world("RunTask", **values)


def providers(tasks: Any) -> Counter[str]:
    return Counter(task["capacityProviderName"] for task in tasks)


# -- the providers themselves ---------------------------------------------------------------------


def test_a_provider_is_described_with_its_defaults(world: World) -> None:
    answer = world("DescribeCapacityProviders", capacityProviders=["steady"])
    (provider,) = answer["capacityProviders"]
    assert provider["capacityProviderArn"] == ARNS.ecs("capacity-provider/steady")
    assert (provider["status"], provider["updateStatus"]) == ("ACTIVE", "CREATE_COMPLETE")
    assert provider["autoScalingGroupProvider"] == {
        **GROUP,
        "managedScaling": {
            "status": "DISABLED",
            "targetCapacity": 100,
            "minimumScalingStepSize": 1,
            "maximumScalingStepSize": 10000,
            "instanceWarmupPeriod": 300,
        },
        "managedTerminationProtection": "DISABLED",
        "managedDraining": "ENABLED",
    }


def test_fargate_and_fargate_spot_are_built_in(world: World) -> None:
    described = world("DescribeCapacityProviders")["capacityProviders"]
    assert [p["name"] for p in described] == ["FARGATE", "FARGATE_SPOT", "cheap", "steady"]
    for operation, member in (
        ("DeleteCapacityProvider", "capacityProvider"),
        ("UpdateCapacityProvider", "name"),
    ):
        assert world.refused(operation, **{member: "FARGATE"})[0] == "ClientException"


def test_unknown_providers_are_missing(world: World) -> None:
    answer = world("DescribeCapacityProviders", capacityProviders=["none"])
    assert answer["failures"] == [{"arn": ARNS.ecs("capacity-provider/none"), "reason": "MISSING"}]


def test_a_provider_is_updated_and_deleted(world: World) -> None:
    changed = world(
        "UpdateCapacityProvider",
        name="steady",
        autoScalingGroupProvider={"managedScaling": {"status": "ENABLED", "targetCapacity": 80}},
    )["capacityProvider"]
    scaling = changed["autoScalingGroupProvider"]["managedScaling"]
    assert (scaling["status"], scaling["targetCapacity"]) == ("ENABLED", 80)
    assert changed["updateStatus"] == "UPDATE_COMPLETE"
    code, message = world.refused("DeleteCapacityProvider", capacityProvider="steady")
    assert code == "ClientException"
    assert "default" in message
    associate(world, "cheap")
    deleted = world("DeleteCapacityProvider", capacityProvider="steady")["capacityProvider"]
    assert (deleted["status"], deleted["updateStatus"]) == ("INACTIVE", "DELETE_COMPLETE")
    gone = world("DescribeCapacityProviders", capacityProviders=["steady"])
    assert gone["capacityProviders"] == []


@pytest.mark.parametrize("name", ["aws-x", "ECSx", "fargate", "a b", "x" * 256])
def test_reserved_and_odd_names_are_refused(world: World, name: str) -> None:
    code, message = world.refused(
        "CreateCapacityProvider", name=name, autoScalingGroupProvider=GROUP
    )
    assert code == "InvalidParameterException"
    assert message.startswith("The specified capacity provider name is invalid.")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (
            {"managedScaling": {"minimumScalingStepSize": 3, "maximumScalingStepSize": 2}},
            "minimumScalingStepSize",
        ),
        ({"managedDraining": "MAYBE"}, "managedDraining"),
        ({"managedTerminationProtection": "ENABLED"}, "termination protection"),
    ],
)
def test_bad_settings_are_refused_by_name(
    world: World, settings: dict[str, Any], word: str
) -> None:
    code, message = world.refused(
        "CreateCapacityProvider", name="new", autoScalingGroupProvider={**GROUP, **settings}
    )
    assert code in ("InvalidParameterException", "ClientException")
    assert word in message


def test_a_name_is_given_once(world: World) -> None:
    code, message = world.refused(
        "CreateCapacityProvider", name="steady", autoScalingGroupProvider=GROUP
    )
    assert code == "ClientException"
    assert message.startswith("The specified capacity provider already exists.")


def test_tags(world: World) -> None:
    arn = ARNS.ecs("capacity-provider/steady")
    world("TagResource", resourceArn=arn, tags=[{"key": "team", "value": "web"}])
    described = world("DescribeCapacityProviders", capacityProviders=[arn], include=["TAGS"])
    assert described["capacityProviders"][0]["tags"] == [{"key": "team", "value": "web"}]


# -- a cluster's providers ------------------------------------------------------------------------


def test_a_cluster_has_providers_and_a_default_strategy(world: World) -> None:
    associate(world, "steady", "FARGATE", default=[item("steady", 1)])
    cluster = world("DescribeClusters", clusters=["default"])["clusters"][0]
    assert cluster["capacityProviders"] == ["steady", "FARGATE"]
    assert cluster["defaultCapacityProviderStrategy"] == [
        {"capacityProvider": "steady", "weight": 1, "base": 0}
    ]
    created = world(
        "CreateCluster",
        clusterName="other",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[item("FARGATE", 1)],
    )["cluster"]
    assert created["capacityProviders"] == ["FARGATE"]


def test_a_provider_that_has_tasks_cannot_be_taken_away(world: World) -> None:
    (task,) = run(world, item("cheap", 1))["tasks"]
    request = {
        "cluster": "default",
        "capacityProviders": ["steady"],
        "defaultCapacityProviderStrategy": [],
    }
    assert world.refused("PutClusterCapacityProviders", **request) == (
        "ResourceInUseException",
        "The specified capacity provider is in use and cannot be removed.",
    )
    world.report(task["taskArn"], "STOPPED")
    associate(world, "steady")


@pytest.mark.parametrize(
    ("names", "default", "words"),
    [
        (["none"], [], "'none' was not found"),
        (["steady"], [item("cheap", 1)], "not associated with the cluster"),
        (["steady", "FARGATE"], [item("steady", 1), item("FARGATE", 1)], "a mix of"),
    ],
)
def test_bad_associations_are_refused(
    world: World, names: list[str], default: list[Any], words: str
) -> None:
    code, message = world.refused(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=names,
        defaultCapacityProviderStrategy=default,
    )
    assert code == "InvalidParameterException"
    assert words in message


# -- tasks by a strategy --------------------------------------------------------------------------


def test_tasks_are_divided_and_run_on_instances_of_their_provider(world: World) -> None:
    answer = run(world, item("steady", 1, 1), item("cheap", 3), count=5)
    assert providers(answer["tasks"]) == {"steady": 2, "cheap": 3}
    for task in answer["tasks"]:
        (instance,) = world(
            "DescribeContainerInstances", containerInstances=[task["containerInstanceArn"]]
        )["containerInstances"]
        assert instance["capacityProviderName"] == task["capacityProviderName"]
        assert task["launchType"] == "EC2"


def test_a_provider_without_room_is_not_helped_out_by_another(world: World) -> None:
    world.define("big", 1, cpu=1024)
    answer = run(world, item("cheap", 1), count=3, taskDefinition="big")
    assert providers(answer["tasks"]) == {"cheap": 2}
    assert [f["reason"] for f in answer["failures"]] == ["RESOURCE:CPU"]


def test_a_provider_without_instances_says_so(world: World) -> None:
    world("CreateCapacityProvider", name="empty", autoScalingGroupProvider=GROUP)
    associate(world, "empty")
    answer = run(world, item("empty", 1))
    assert answer["failures"] == [
        {"arn": ARNS.ecs("cluster/default"), "reason": "EMPTY CAPACITY PROVIDER"}
    ]
    strategy = [item("empty", 1)]
    serve(world, capacityProviderStrategy=strategy)
    events = world("DescribeServices", services=["web"])["services"][0]["events"]
    assert "No Container Instances were found in your capacity provider." in events[0]["message"]


def test_membership_can_be_given_and_taken_while_the_instance_is_there(world: World) -> None:
    arn = world.register("late")
    attribute = {"name": MEMBERSHIP_ATTRIBUTE, "value": "cheap", "targetId": arn}
    world("PutAttributes", attributes=[{**attribute, "targetType": "container-instance"}])
    (instance,) = world("DescribeContainerInstances", containerInstances=[arn])[
        "containerInstances"
    ]
    assert instance["capacityProviderName"] == "cheap"


def test_the_clusters_default_strategy_is_for_those_who_say_nothing(world: World) -> None:
    associate(world, "steady", "cheap", default=[item("cheap", 1)])
    assert providers(world("RunTask", taskDefinition="web", count=2)["tasks"]) == {"cheap": 2}
    (task,) = world("RunTask", taskDefinition="web", launchType="EC2")["tasks"]
    assert task["capacityProviderName"] is None


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ([item("none", 1)], "not associated with the cluster"),
        ([item("steady")], "a weight value greater than zero"),
        ([item("steady", 1, 1), item("cheap", 1, 1)], "a base value defined"),
        ([item("steady", 1), item("FARGATE", 1)], "a mix of capacity providers"),
        ([item("steady", 1), item("steady", 1)], "only once"),
        ([item("steady", 1)] * 21, "more than 20"),
    ],
)
def test_bad_strategies_are_refused(world: World, strategy: list[Any], words: str) -> None:
    for operation, more in (
        ("RunTask", {}),
        ("CreateService", {"serviceName": "web", "desiredCount": 1}),
    ):
        code, message = world.refused(
            operation, taskDefinition="web", capacityProviderStrategy=strategy, **more
        )
        assert code == "InvalidParameterException"
        assert words in message


# -- services by a strategy -----------------------------------------------------------------------


def serve(world: World, **request: Any) -> Any:
    values = {"serviceName": "web", "taskDefinition": "web", "desiredCount": 4, **request}
    service = world("CreateService", **values)["service"]
    settle(world)
    return service


def settle(world: World) -> None:
    for _ in range(6):
        world.settle()
        for arn in world("ListTasks", serviceName="web")["taskArns"]:
            if world.task(arn).last_status == "PENDING":
                world.report(arn, "RUNNING")
        for arn in world("ListTasks", serviceName="web", desiredStatus="STOPPED")["taskArns"]:
            world.report(arn, "STOPPED")


def there(world: World) -> Counter[str]:
    arns = world("ListTasks", serviceName="web")["taskArns"]
    return providers(world("DescribeTasks", tasks=arns)["tasks"])


def test_a_service_keeps_its_shares_when_it_grows_and_shrinks(world: World) -> None:
    strategy = [item("steady", 1, 1), item("cheap", 2)]
    service = serve(world, capacityProviderStrategy=strategy)
    assert service["launchType"] is None
    shown = [{"base": 0, **entry} for entry in strategy]
    assert service["capacityProviderStrategy"] == shown
    assert service["deployments"][0]["capacityProviderStrategy"] == shown
    for desired, expected in (
        (4, {"steady": 2, "cheap": 2}),
        (7, {"steady": 3, "cheap": 4}),
        (2, {"steady": 2}),
        (1, {"steady": 1}),
    ):
        world("UpdateService", service="web", desiredCount=desired)
        settle(world)
        assert there(world).total() == desired
        if desired in (4, 7, 1):
            assert there(world) == expected
    revision = world("ListServiceDeployments", service="web")["serviceDeployments"][0]
    (shown_revision,) = world(
        "DescribeServiceRevisions", serviceRevisionArns=[revision["targetServiceRevisionArn"]]
    )["serviceRevisions"]
    assert shown_revision["capacityProviderStrategy"] == shown


def test_a_change_of_strategy_must_be_forced_and_moves_the_tasks(world: World) -> None:
    serve(world)
    assert there(world) == {None: 4}
    request = {"service": "web", "capacityProviderStrategy": [item("cheap", 1)]}
    code, message = world.refused("UpdateService", **request)
    assert code == "InvalidParameterException"
    assert message.endswith("you must force a new deployment.")
    updated = world("UpdateService", forceNewDeployment=True, **request)["service"]
    assert len(updated["deployments"]) == 2
    settle(world)
    assert there(world) == {"cheap": 4}
    back = world(
        "UpdateService", service="web", capacityProviderStrategy=[], forceNewDeployment=True
    )["service"]
    assert back["launchType"] == "EC2"
    assert back["capacityProviderStrategy"] is None
    settle(world)
    assert there(world) == {None: 4}


def test_a_daemon_takes_no_strategy(world: World) -> None:
    associate(world, "steady", "cheap", default=[item("cheap", 1)])
    request = {"serviceName": "d", "taskDefinition": "web", "schedulingStrategy": "DAEMON"}
    assert world("CreateService", **request)["service"]["launchType"] == "EC2"
    request = {**request, "serviceName": "e", "capacityProviderStrategy": [item("cheap", 1)]}
    assert world.refused("CreateService", **request)[0] == "InvalidParameterException"
