"""FARGATE at the API: what is refused, what a task and a service show, how a start fails."""

from __future__ import annotations

from typing import Any

import pytest
from ecs_world import ARNS, World
from network_records import put_network

from homeport.agentlink.acs import status_to_tell
from homeport.controllers.fargate import FargateController
from homeport.controllers.services import ServiceController
from homeport.domain.cluster import Cluster
from homeport.domain.container_instance import PLATFORM_CAPACITY, PLATFORM_CLUSTER
from homeport.domain.task_definition import ContainerDefinition
from homeport.domain.vpc import SecurityGroup
from homeport.store.schema import (
    CLUSTERS,
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
    SERVICE_EVENTS,
)

INVALID = "InvalidParameterException"
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}
UNAVAILABLE = (
    "Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone"
)


def resources(cpu: int, memory: int) -> list[dict[str, Any]]:
    return [
        {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
    ]


@pytest.fixture
def world() -> World:
    """One host that is platform capacity alone: 2 cores and 2 GiB."""
    world = World()
    with world.store.transaction() as tx:
        put_network(tx)
        everywhere = ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},)
        group = SecurityGroup("sg-default", "vpc-1", "default", "d", egress=everywhere)
        tx.put(SECURITY_GROUPS, group)
    world.put(
        CLUSTERS, Cluster(ARNS.ecs(f"cluster/{PLATFORM_CLUSTER}"), PLATFORM_CLUSTER, created_at=0.0)
    )
    world.register("platform", **platform())
    define(world, "fargate")
    return world


def platform() -> dict[str, Any]:
    """What ``homeport agent --platform`` registers with."""
    return {
        "cluster": PLATFORM_CLUSTER,
        "attributes": [
            {"name": PLATFORM_CAPACITY, "value": "only"},
            {"name": "ecs.capability.task-cpu-mem-limit"},
            {"name": "ecs.cpu-architecture", "value": "x86_64"},
        ],
    }


def define(world: World, family: str, **container: Any) -> None:
    web = {"name": "web", "image": "busybox", **container}
    world.define(
        family,
        network_mode="awsvpc",
        cpu=256,
        memory=512,
        containers=(ContainerDefinition(name="web", image=web["image"]),),
        document={
            "networkMode": "awsvpc",
            "compatibilities": ["EC2", "FARGATE"],
            "containerDefinitions": [web],
        },
    )


def request(**members: Any) -> dict[str, Any]:
    return {
        "taskDefinition": "fargate",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        **members,
    }


def run(world: World, **members: Any) -> Any:
    answer = world("RunTask", **request(**members))
    assert answer["failures"] == []
    return answer["tasks"][0]


def create(world: World, **members: Any) -> Any:
    values = {"serviceName": "web", "desiredCount": 1, **members}
    return world("CreateService", **request(**values))["service"]


def described(world: World, arn: str) -> Any:
    return world("DescribeTasks", tasks=[arn])["tasks"][0]


# -- what a task shows --------------------------------------------------------------------------


def test_a_task_shows_a_platform_and_no_instance(world: World) -> None:
    task = run(world)
    assert "containerInstanceArn" not in task
    assert task["launchType"] == "FARGATE"
    assert (task["platformVersion"], task["platformFamily"]) == ("1.4.0", "Linux")
    assert (task["cpu"], task["memory"]) == ("256", "512")
    assert task["ephemeralStorage"] == task["fargateEphemeralStorage"] == {"sizeInGiB": 20}
    assert task["availabilityZone"] == "us-east-1a"
    assert task["attributes"] == [{"name": "ecs.cpu-architecture", "value": "x86_64"}]
    assert task["lastStatus"] == "PROVISIONING"
    assert task["attachments"][0]["type"] == "ElasticNetworkInterface"


def test_a_cluster_has_the_task_and_not_its_host(world: World) -> None:
    task = run(world)
    assert world("ListContainerInstances")["containerInstanceArns"] == []
    (cluster,) = world("DescribeClusters", include=["STATISTICS"])["clusters"]
    assert cluster["registeredContainerInstancesCount"] == 0
    assert cluster["pendingTasksCount"] == 1
    statistics = {s["name"]: s["value"] for s in cluster["statistics"]}
    assert statistics["pendingFargateTasksCount"] == "1"
    assert statistics["pendingEC2TasksCount"] == "0"
    assert world("ListTasks", launchType="FARGATE")["taskArns"] == [task["taskArn"]]


def test_the_host_of_the_platform_has_its_room_taken_and_no_task_of_its_own(world: World) -> None:
    run(world)
    (arn,) = world("ListContainerInstances", cluster=PLATFORM_CLUSTER)["containerInstanceArns"]
    (host,) = world(
        "DescribeContainerInstances", cluster=PLATFORM_CLUSTER, containerInstances=[arn]
    )["containerInstances"]
    remaining = {r["name"]: r["integerValue"] for r in host["remainingResources"]}
    assert (remaining["CPU"], remaining["MEMORY"]) == (2048 - 256, 2048 - 512)
    assert host["pendingTasksCount"] == 0
    listed = world("ListTasks", cluster=PLATFORM_CLUSTER, containerInstance=arn)
    assert listed["taskArns"] == []


def test_its_agent_reports_it_by_its_arn_whatever_its_own_cluster_is(world: World) -> None:
    arn = run(world)["taskArn"]
    world(
        "SubmitTaskStateChange",
        cluster=PLATFORM_CLUSTER,
        task=arn,
        status="RUNNING",
        containers=[{"containerName": "web", "status": "RUNNING"}],
    )
    task = described(world, arn)
    assert task["lastStatus"] == "RUNNING"
    assert task["connectivity"] == "CONNECTED"


def test_without_room_there_is_a_failure_and_no_task(world: World) -> None:
    answer = world("RunTask", **request(count=5))
    assert len(answer["tasks"]) == 4
    assert answer["failures"] == [{"arn": None, "reason": UNAVAILABLE}]


def test_overrides_choose_another_size_and_disk(world: World) -> None:
    overrides = {"cpu": "512", "memory": "1024", "ephemeralStorage": {"sizeInGiB": 21}}
    task = run(world, overrides=overrides)
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    assert task["ephemeralStorage"] == {"sizeInGiB": 21}


def test_why_a_container_did_not_start_is_why_the_task_stopped(world: World) -> None:
    arn = run(world)["taskArn"]
    reason = "CannotPullContainerError: Error response from daemon: no such host"
    container = {"containerName": "web", "status": "STOPPED", "reason": reason}
    world("SubmitTaskStateChange", task=arn, status="STOPPED", containers=[container])
    task = described(world, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", reason)


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"placementConstraints": [{"type": "distinctInstance"}]},
            "Placement constraints are not supported with FARGATE launch type.",
        ),
        (
            {"placementStrategy": [{"type": "random"}]},
            "Placement strategies are not supported with FARGATE launch type.",
        ),
        (
            {"networkConfiguration": None},
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            {"launchType": "EC2", "platformVersion": "LATEST"},
            "The platform version must be null when specifying an EC2 launch type.",
        ),
        (
            {"launchType": "EC2", "overrides": {"ephemeralStorage": {"sizeInGiB": 30}}},
            "overrides.ephemeralStorage is only for tasks of the FARGATE launch type.",
        ),
    ],
)
def test_what_does_not_go_with_fargate(world: World, members: dict[str, Any], text: str) -> None:
    assert world.refused("RunTask", **request(**members)) == (INVALID, text)


def test_sizes_and_versions_that_there_are_not(world: World) -> None:
    def refused(**members: Any) -> tuple[str, str]:
        return world.refused("RunTask", **request(**members))

    assert refused(overrides={"cpu": "512"}) == (
        "ClientException",
        "No Fargate configuration exists for given values: 512 CPU, 512 memory. See the Amazon "
        "ECS documentation for the valid values.",
    )
    assert refused(overrides={"ephemeralStorage": {"sizeInGiB": 201}})[0] == "ClientException"
    assert refused(platformVersion="9.9.9") == (
        "PlatformUnknownException",
        "The specified platform version doesn't exist.",
    )
    assert refused(taskDefinition="web") == (
        INVALID,
        "Network Configuration is not valid for the given networkMode of this task definition.",
    )


def test_an_old_platform_has_no_large_tasks(world: World) -> None:
    world.define(
        "large",
        network_mode="awsvpc",
        cpu=8192,
        memory=16384,
        document={"networkMode": "awsvpc", "compatibilities": ["EC2", "FARGATE"]},
    )
    code, _ = world.refused("RunTask", **request(taskDefinition="large", platformVersion="1.3.0"))
    assert code == "PlatformTaskDefinitionIncompatibilityException"
    assert run(world, platformVersion="1.3.0")["platformVersion"] == "1.3.0"


def test_a_definition_that_fargate_does_not_have(world: World) -> None:
    world.define(
        "ec2",
        network_mode="awsvpc",
        document={"networkMode": "awsvpc", "compatibilities": ["EC2"]},
    )
    assert world.refused("RunTask", **request(taskDefinition="ec2")) == (
        INVALID,
        "Task definition does not support launch_type FARGATE.",
    )


def test_daemons_are_for_instances(world: World) -> None:
    code, text = world.refused(
        "CreateService", **request(serviceName="web", schedulingStrategy="DAEMON")
    )
    assert (code, text.split(".")[0]) == (
        INVALID,
        "The daemon scheduling strategy does not support the FARGATE launch type",
    )


# -- services -----------------------------------------------------------------------------------


def reconcile(world: World) -> None:
    with world.store.transaction() as tx:
        controller = ServiceController(world.ids, ARNS, 40.0)
        controller.reconcile(ARNS.ecs("service/default/web"), tx, world.now)


def events(world: World) -> list[str]:
    return [event.message for event in world.rows(SERVICE_EVENTS)]


def test_a_service_keeps_latest_and_its_deployment_says_which(world: World) -> None:
    service = create(world)
    assert (service["launchType"], service["platformFamily"]) == ("FARGATE", "Linux")
    assert service["platformVersion"] == "LATEST"
    assert service["deployments"][0]["platformVersion"] == "1.4.0"
    reconcile(world)
    (arn,) = world("ListTasks", serviceName="web")["taskArns"]
    assert described(world, arn)["platformVersion"] == "1.4.0"
    updated = world("UpdateService", service="web", platformVersion="1.3.0")["service"]
    assert updated["platformVersion"] == "1.3.0"
    assert [d["platformVersion"] for d in updated["deployments"]] == ["1.3.0", "1.4.0"]
    assert world("UpdateService", service="web", desiredCount=2)["service"]["launchType"] == (
        "FARGATE"
    )


def test_a_service_without_capacity_says_so(world: World) -> None:
    create(world, desiredCount=5)
    reconcile(world)
    assert events(world)[-1] == (
        f"(service web) was unable to place a task. Reason: {UNAVAILABLE}. For more information, "
        "see the Troubleshooting section of the Amazon ECS Developer Guide."
    )


# -- a start that fails -------------------------------------------------------------------------


def test_a_task_that_can_not_reach_ecr_fails_after_it_was_accepted(world: World) -> None:
    define(world, "private", image=ECR)
    accepted = run(world, taskDefinition="private")
    assert accepted["lastStatus"] == "PROVISIONING"
    arn = accepted["taskArn"]
    assert status_to_tell(world.task(arn)) is None, "no agent hears of it"
    with world.store.transaction() as tx:
        FargateController().reconcile(arn, tx, world.now)
    task = described(world, arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot "
        "pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration."
    )
    assert task["stoppedReason"].endswith("(subnet-a has no route to an internet or NAT gateway)")
    assert world.rows(NETWORK_INTERFACES) == []
    assert task["containers"][0]["lastStatus"] == "STOPPED"
    assert "startedAt" not in {k for k, v in task.items() if v is not None}


def test_a_service_of_such_tasks_says_why_and_slows_down(world: World) -> None:
    define(world, "private", image=ECR)
    create(world, taskDefinition="private")
    reconcile(world)
    (task,) = world("ListTasks")["taskArns"]
    with world.store.transaction() as tx:
        FargateController().reconcile(task, tx, world.now)
    reconcile(world)
    assert any(
        text.startswith("(service web) was unable to place a task. Reason: ResourceInitialization")
        for text in events(world)
    )
    assert world.service("web").deployments[0].consecutive_failures == 1


def test_only_tasks_that_will_not_start_are_ended(world: World) -> None:
    """After a restart of the control plane too: what was accepted is found in the store."""
    define(world, "private", image=ECR)
    doomed, well = run(world, taskDefinition="private")["taskArn"], run(world)["taskArn"]
    controller = FargateController()
    with world.store.transaction() as tx:
        assert list(controller.all_keys(tx)) == [doomed]
        for arn in (doomed, well):
            controller.reconcile(arn, tx, world.now)
        assert list(controller.all_keys(tx)) == []
    assert described(world, well)["lastStatus"] == "PROVISIONING"


def test_a_stop_before_that_keeps_its_own_reason(world: World) -> None:
    define(world, "private", image=ECR)
    arn = run(world, taskDefinition="private")["taskArn"]
    world("StopTask", task=arn, reason="not needed")
    with world.store.transaction() as tx:
        FargateController().reconcile(arn, tx, world.now)
    task = described(world, arn)
    assert task["lastStatus"] == "STOPPED"
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "not needed")
