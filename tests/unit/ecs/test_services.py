"""Services: what is wanted, when that is a new deployment, what is refused in whose words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World

from homeport.domain.task import Task
from homeport.domain.task_definition import PortMapping
from homeport.scheduling.events import add_service_event
from homeport.store.schema import SERVICES, TASKS


@pytest.fixture
def world() -> World:
    world = World()
    world.register("a")
    return world


def create(world: World, name: str = "web", **request: Any) -> Any:
    return world(
        "CreateService",
        **{"serviceName": name, "taskDefinition": "web:1", "desiredCount": 2, **request},
    )["service"]


def refused(world: World, name: str = "web", **request: Any) -> tuple[str, str]:
    values = {"serviceName": name, "taskDefinition": "web:1", "desiredCount": 2, **request}
    values = {key: value for key, value in values.items() if value is not None}
    return world.refused("CreateService", **values)


def describe(world: World, name: str = "web") -> Any:
    return world("DescribeServices", services=[name])["services"][0]


def put_task(world: World, **fields: Any) -> Task:
    service = world.service("web")
    values: dict[str, Any] = {
        "arn": ARNS.ecs(f"task/default/{world.ids.hex32()}"),
        "cluster_arn": service.cluster_arn,
        "task_definition_arn": service.task_definition_arn,
        "group": "service:web",
        "created_at": world.now,
        "containers": (),
        "service_arn": service.arn,
        "deployment_id": service.deployments[0].id,
    }
    task: Task = world.put(TASKS, Task(**(values | fields)))
    return task


def test_a_new_service_has_one_primary_deployment_and_the_defaults(world: World) -> None:
    service = create(world)
    assert service["serviceArn"] == ARNS.ecs("service/default/web")
    assert service["status"] == "ACTIVE"
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (2, 0, 0)
    assert service["taskDefinition"] == ARNS.ecs("task-definition/web:1")
    assert service["schedulingStrategy"] == "REPLICA"
    assert service["launchType"] == "EC2"
    assert service["propagateTags"] == "NONE"
    assert service["deploymentController"] == {"type": "ECS"}
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 100
    assert service["deploymentConfiguration"]["maximumPercent"] == 200
    assert service["healthCheckGracePeriodSeconds"] is None
    assert service["events"] == []
    (deployment,) = service["deployments"]
    assert deployment["id"].startswith("ecs-svc/")
    assert deployment["status"] == "PRIMARY"
    assert deployment["rolloutState"] == "IN_PROGRESS"
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} in progress."
    assert describe(world)["deployments"] == [deployment]


def test_load_balancers_are_kept_and_grace_is_zero_with_them(world: World) -> None:
    group = world.target_group("blue")
    item = {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    service = create(world, loadBalancers=[item])
    assert service["loadBalancers"] == [item]
    assert service["healthCheckGracePeriodSeconds"] == 0


def test_creating_again_is_the_same_service_only_with_the_same_token(world: World) -> None:
    first = create(world, clientToken="t1")
    assert create(world, clientToken="t1")["serviceArn"] == first["serviceArn"]
    text = "Creation of service was not idempotent."
    assert refused(world) == ("InvalidParameterException", text)
    assert refused(world, clientToken="t2") == ("InvalidParameterException", text)
    other = refused(world, clientToken="t1", desiredCount=3)
    assert other == ("InvalidParameterException", text)


def test_a_name_is_free_again_when_its_service_is_inactive(world: World) -> None:
    create(world)
    with world.store.transaction() as tx:
        add_service_event(tx, ARNS.ecs("service/default/web"), "old", 1.0, world.ids)
    world("DeleteService", service="web", force=True)
    assert refused(world) == (
        "InvalidParameterException",
        "Unable to Start a service that is still Draining.",
    )
    world.put(SERVICES, msgspec.structs.replace(world.service("web"), status="INACTIVE"))
    service = create(world)
    assert service["status"] == "ACTIVE"
    assert service["events"] == []


def lb(arn: str, name: str = "web", port: int = 80) -> list[dict[str, object]]:
    return [{"targetGroupArn": arn, "containerName": name, "containerPort": port}]


def test_load_balancers_must_fit_the_task_definition_and_be_attached(world: World) -> None:
    blue = world.target_group("blue")
    loose = world.target_group("loose", attached=False)
    for items, text in (
        (lb(blue, "api"), "The container api does not exist in the task definition."),
        (lb(blue, "web", 81), "The container web did not have a container port 81 defined."),
        (
            lb(loose),
            f"The target group with targetGroupArn {loose} does not have an associated "
            "load balancer.",
        ),
        (lb("arn:nope"), "The target group with targetGroupArn arn:nope not found."),
    ):
        assert refused(world, loadBalancers=items) == ("InvalidParameterException", text)


def test_an_instance_target_group_does_not_go_with_awsvpc(world: World) -> None:
    world.define("vpc", network_mode="awsvpc", document={"networkMode": "awsvpc"})
    group = world.target_group("blue")
    code, text = refused(world, taskDefinition="vpc", loadBalancers=lb(group))
    assert code == "InvalidParameterException"
    assert text == (
        f"The provided target group {group} has target type instance, which is incompatible "
        "with the awsvpc network mode specified in the task definition."
    )


@pytest.mark.parametrize(
    "request_members",
    [
        {"deploymentController": {"type": "CODE_DEPLOY"}},
        {"deploymentController": {"type": "EXTERNAL"}},
        {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
        {
            "deploymentConfiguration": {
                "alarms": {"enable": True, "rollback": False, "alarmNames": ["x"]}
            }
        },
        {"serviceRegistries": [{"registryArn": "arn"}]},
        {"serviceConnectConfiguration": {"enabled": True}},
        {"availabilityZoneRebalancing": "ENABLED"},
    ],
)
def test_what_is_not_run_yet_is_refused_by_name(
    world: World, request_members: dict[str, Any]
) -> None:
    code, text = refused(world, **request_members)
    assert code == "ClientException"
    assert text.startswith("Homeport does not run this yet: ")
    assert any(name in text for name in request_members)


@pytest.mark.parametrize(
    ("request_members", "text"),
    [
        ({"desiredCount": None}, "DesiredCount is missing"),
        ({"desiredCount": -1}, "DesiredCount must not be negative."),
        ({"taskDefinition": None}, "TaskDefinition can not be blank."),
        (
            {"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "x"}]},
            "Specify either Launch Type or Capacity Provider Strategy, but not both.",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}},
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ),
    ],
)
def test_bad_requests(world: World, request_members: dict[str, Any], text: str) -> None:
    assert refused(world, **request_members) == ("InvalidParameterException", text)


def test_an_inactive_definition_starts_no_service(world: World) -> None:
    world.define("old", status="INACTIVE")
    assert refused(world, taskDefinition="old:1") == (
        "ClientException",
        "TaskDefinition is inactive",
    )


# -- UpdateService ------------------------------------------------------------------------------


def update(world: World, **request: Any) -> Any:
    return world("UpdateService", **{"service": "web", **request})["service"]


def test_a_new_revision_is_a_new_primary_deployment(world: World) -> None:
    old = create(world)["deployments"][0]
    world.define("web", 2)
    world.now = 2000.0
    service = update(world, taskDefinition="web:2")
    new, replaced = service["deployments"]
    assert (new["status"], replaced["status"]) == ("PRIMARY", "ACTIVE")
    assert new["taskDefinition"].endswith("web:2")
    assert new["createdAt"] == 2000.0
    assert (replaced["id"], replaced["createdAt"]) == (old["id"], 1000.0)
    assert service["taskDefinition"].endswith("web:2")


def test_updates_pile_up_newest_first(world: World) -> None:
    first = create(world)["deployments"][0]["id"]
    second = update(world, forceNewDeployment=True)["deployments"][0]["id"]
    deployments = update(world, forceNewDeployment=True)["deployments"]
    assert [d["id"] for d in deployments[1:]] == [second, first]
    assert [d["status"] for d in deployments] == ["PRIMARY", "ACTIVE", "ACTIVE"]


@pytest.mark.parametrize(
    ("request_members", "deploys"),
    [
        ({}, False),
        ({"desiredCount": 5}, False),
        ({"taskDefinition": "web:1"}, False),
        ({"taskDefinition": "web:1", "forceNewDeployment": True}, True),
        ({"deploymentConfiguration": {"minimumHealthyPercent": 50}}, False),
        ({"healthCheckGracePeriodSeconds": 30}, False),
        ({"placementStrategy": [{"type": "random"}]}, False),
        ({"placementConstraints": [{"type": "distinctInstance"}]}, False),
        ({"propagateTags": "SERVICE"}, True),
        ({"enableECSManagedTags": True}, True),
        ({"enableECSManagedTags": False}, False),
        ({"forceNewDeployment": True}, True),
        ({"loadBalancers": []}, False),
        ({"serviceRegistries": []}, False),
    ],
)
def test_what_triggers_a_deployment(
    world: World, request_members: dict[str, Any], deploys: bool
) -> None:
    create(world)
    assert len(update(world, **request_members)["deployments"]) == 1 + deploys


def test_absent_keeps_and_an_empty_list_removes(world: World) -> None:
    group = world.target_group("blue")
    create(
        world,
        loadBalancers=lb(group),
        placementStrategy=[{"type": "binpack", "field": "cpu"}],
        placementConstraints=[{"type": "distinctInstance"}],
    )
    kept = update(world, desiredCount=1)
    assert len(kept["loadBalancers"]) == 1
    assert kept["placementStrategy"] == [{"type": "binpack", "field": "cpu"}]
    emptied = update(world, loadBalancers=[], placementStrategy=[], placementConstraints=[])
    assert emptied["loadBalancers"] == []
    assert emptied["placementStrategy"] == []
    assert emptied["placementConstraints"] == []
    assert len(emptied["deployments"]) == 2
    new, old = world.service("web").deployments
    assert (new.load_balancers, len(old.load_balancers)) == ((), 1)


def test_a_revision_that_lacks_the_balanced_container_is_refused(world: World) -> None:
    group = world.target_group("blue")
    create(world, loadBalancers=lb(group))
    world.define("web", 2, PortMapping(8080))
    assert world.refused("UpdateService", service="web", taskDefinition="web:2") == (
        "InvalidParameterException",
        "The container web did not have a container port 80 defined.",
    )
    assert len(world.service("web").deployments) == 1


def test_a_service_scales_with_a_definition_that_is_inactive_by_now(world: World) -> None:
    create(world)
    world.define("web", 1, status="INACTIVE")
    assert update(world, desiredCount=7)["desiredCount"] == 7


def test_only_an_active_service_can_be_updated(world: World) -> None:
    assert world.refused("UpdateService", service="web", desiredCount=1) == (
        "ServiceNotFoundException",
        "Service not found.",
    )
    create(world)
    world("DeleteService", service="web", force=True)
    assert world.refused("UpdateService", service="web", desiredCount=1) == (
        "ServiceNotActiveException",
        "Service was not ACTIVE.",
    )


# -- DescribeServices, ListServices, DeleteService ----------------------------------------------


def test_counts_are_derived_from_tasks(world: World) -> None:
    create(world)
    put_task(world)
    put_task(world, last_status="RUNNING")
    put_task(world, last_status="RUNNING")
    put_task(world, last_status="STOPPING", desired_status="STOPPED")
    put_task(world, last_status="STOPPED", desired_status="STOPPED")
    service = describe(world)
    assert (service["runningCount"], service["pendingCount"]) == (2, 1)
    deployment = service["deployments"][0]
    assert (deployment["runningCount"], deployment["pendingCount"]) == (2, 1)
    assert deployment["desiredCount"] == 2


def test_a_replaced_deployment_wants_what_is_not_stopped_yet(world: World) -> None:
    create(world)
    put_task(world, last_status="RUNNING")
    put_task(world, last_status="DEACTIVATING", desired_status="STOPPED")
    old = update(world, forceNewDeployment=True)["deployments"][1]
    assert (old["desiredCount"], old["runningCount"]) == (1, 1)


def test_events_are_shown_newest_first(world: World) -> None:
    create(world)
    for number in range(3):
        with world.store.transaction() as tx:
            add_service_event(tx, world_service(world), f"event {number}", 1.0, world.ids)
    assert [e["message"] for e in describe(world)["events"]] == ["event 2", "event 1", "event 0"]


def world_service(world: World) -> str:
    return ARNS.ecs("service/default/web")


def test_unknown_services_are_missing(world: World) -> None:
    answer = world("DescribeServices", services=["nope"])
    arn = ARNS.ecs("service/default/nope")
    assert answer == {"services": [], "failures": [{"arn": arn, "reason": "MISSING"}]}
    assert world.refused("DescribeServices", services=["x"] * 11)[0] == (
        "InvalidParameterException"
    )


def test_tags_are_shown_when_asked_for(world: World) -> None:
    create(world, tags=[{"key": "team", "value": "a"}])
    assert describe(world)["tags"] is None
    service = world("DescribeServices", services=["web"], include=["TAGS"])["services"][0]
    assert service["tags"] == [{"key": "team", "value": "a"}]


def test_deleting_needs_no_tasks_wanted_or_force(world: World) -> None:
    create(world)
    assert world.refused("DeleteService", service="web") == (
        "InvalidParameterException",
        "The service cannot be stopped while it is scaled above 0.",
    )
    update(world, desiredCount=0)
    deleted = world("DeleteService", service="web")["service"]
    assert deleted["status"] == "DRAINING"
    assert describe(world)["status"] == "DRAINING"
    assert world("ListServices")["serviceArns"] == []
    assert world.refused("DeleteService", service="nope") == (
        "ServiceNotFoundException",
        "Service not found.",
    )


def test_listing_pages_by_ten(world: World) -> None:
    for number in range(12):
        create(world, f"web-{number:02}")
    first = world("ListServices")
    assert len(first["serviceArns"]) == 10
    second = world("ListServices", nextToken=first["nextToken"])
    assert [arn.rsplit("/", 1)[1] for arn in second["serviceArns"]] == ["web-10", "web-11"]
    assert second["nextToken"] is None
    assert len(world("ListServices", maxResults=100)["serviceArns"]) == 12
    assert world("ListServices", launchType="FARGATE")["serviceArns"] == []
