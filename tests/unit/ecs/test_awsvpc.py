"""awsvpc at the API: what is refused in whose words, what a task shows, what its agent reports."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World
from network_records import put_network

from homeport.agentlink.acs import build_payload
from homeport.controllers.interfaces import InterfacesController
from homeport.controllers.targets import TargetsController
from homeport.domain import agent_protocol
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.store.schema import (
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
    SUBNETS,
    TARGET_HEALTH,
    TARGETS,
    VPCS,
)

INVALID = "InvalidParameterException"


def network(*subnets: str, **more: Any) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": list(subnets or ("subnet-a",)), **more}}


@pytest.fixture
def world() -> World:
    world = World()
    with world.store.transaction() as tx:
        put_network(tx)
    world.define("vpc", network_mode="awsvpc", document={"networkMode": "awsvpc"})
    world.register("a")
    return world


def run(world: World, **request: Any) -> Any:
    values = {"taskDefinition": "vpc", "networkConfiguration": network(), **request}
    answer = world("RunTask", **values)
    assert answer["failures"] == []
    return answer["tasks"][0]


def described(world: World, arn: str) -> Any:
    return world("DescribeTasks", tasks=[arn])["tasks"][0]


def create(world: World, **request: Any) -> Any:
    values = {
        "serviceName": "web",
        "taskDefinition": "vpc",
        "desiredCount": 1,
        "networkConfiguration": network(),
        **request,
    }
    return world("CreateService", **values)["service"]


# -- the network configuration ------------------------------------------------------------------


def refusals() -> list[tuple[dict[str, Any], str]]:
    none = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    return [
        ({"networkConfiguration": None}, none),
        ({"networkConfiguration": {}}, none),
        (
            {"taskDefinition": "web:1"},
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}},
            "subnets can not be empty.",
        ),
        (
            {"networkConfiguration": network(*(f"subnet-{n}" for n in range(17)))},
            "subnets can have at most 16 items.",
        ),
        (
            {"networkConfiguration": network(securityGroups=[f"sg-{n}" for n in range(6)])},
            "securityGroups can have at most 5 items.",
        ),
        (
            {"networkConfiguration": network("subnet-x")},
            "Error retrieving subnet information for [subnet-x]: The subnet ID 'subnet-x' does not "
            "exist (ErrorCode: InvalidSubnetID.NotFound)",
        ),
        (
            {"networkConfiguration": network(securityGroups=["sg-x"])},
            "Error retrieving security group information for [sg-x]: The security group 'sg-x' "
            "does not exist (ErrorCode: InvalidGroup.NotFound)",
        ),
        (
            {"networkConfiguration": network("subnet-a", "subnet-far")},
            "subnets must all be in the same VPC.",
        ),
        (
            {"networkConfiguration": network(securityGroups=["sg-far"])},
            "Security group sg-far does not appear to belong to the same VPC as the input subnets.",
        ),
        (
            {"networkConfiguration": network(assignPublicIp="ENABLED")},
            "Assign public IP is not supported for this launch type.",
        ),
        (
            {"networkConfiguration": network(assignPublicIp="MAYBE")},
            "assignPublicIp should be one of [ENABLED,DISABLED]",
        ),
    ]


@pytest.mark.parametrize(("request_", "text"), refusals())
@pytest.mark.parametrize("operation", ["RunTask", "StartTask", "CreateService"])
def test_what_a_network_configuration_must_be(
    world: World, operation: str, request_: dict[str, Any], text: str
) -> None:
    world.put(VPCS, Vpc("vpc-2", "10.2.0.0/16"))
    world.put(SUBNETS, Subnet("subnet-far", "vpc-2", "10.2.1.0/24", "us-east-1a", "use1-az1"))
    world.put(SECURITY_GROUPS, SecurityGroup("sg-far", "vpc-2", "far", "far"))
    own = {
        "RunTask": {},
        "StartTask": {"containerInstances": ["x"]},
        "CreateService": {"serviceName": "web", "desiredCount": 1},
    }[operation]
    values = {"taskDefinition": "vpc", "networkConfiguration": network(), **own, **request_}
    values = {name: value for name, value in values.items() if value is not None}
    assert world.refused(operation, **values) == (INVALID, text)


# -- a task -------------------------------------------------------------------------------------


def test_a_task_shows_its_interface_in_awss_order(world: World) -> None:
    task = run(world)
    assert task["lastStatus"] == "PROVISIONING"
    (attachment,) = task["attachments"]
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHING")
    details = [(d["name"], d["value"]) for d in attachment["details"]]
    assert [name for name, _ in details] == [
        "subnetId",
        "networkInterfaceId",
        "macAddress",
        "privateDnsName",
        "privateIPv4Address",
    ]
    values = dict(details)
    assert values["subnetId"] == "subnet-a"
    assert values["privateIPv4Address"] == "10.1.1.4"
    for container in task["containers"]:
        assert container["networkInterfaces"] == [
            {"attachmentId": attachment["id"], "privateIpv4Address": "10.1.1.4"}
        ]
    assert described(world, task["taskArn"])["attachments"] == [attachment]


def test_a_bridge_task_shows_none(world: World) -> None:
    task = world("RunTask", taskDefinition="web:1")["tasks"][0]
    assert (task["attachments"], task["lastStatus"]) == ([], "PENDING")


def test_start_task_gives_an_interface_too(world: World) -> None:
    instance = world.register("b")
    request = {"taskDefinition": "vpc", "networkConfiguration": network()}
    (task,) = world("StartTask", containerInstances=[instance], **request)["tasks"]
    assert task["attachments"][0]["status"] == "ATTACHING"


def test_the_payload_has_the_interface_as_the_official_agent_reads_it(world: World) -> None:
    task = world.task(run(world)["taskArn"])
    with world.store.transaction() as tx:
        payload = build_payload(tx, task, "RUNNING")
    assert payload is not None
    assert task.interface is not None
    assert payload["networkMode"] == "awsvpc"
    assert payload["elasticNetworkInterfaces"] == [
        {
            "attachmentArn": ARNS.ecs(f"attachment/{task.interface.id}"),
            "ec2Id": task.interface.network_interface_id,
            "macAddress": "02:00:0a:01:01:04",
            "ipv4Addresses": [{"primary": True, "privateAddress": "10.1.1.4"}],
            "subnetGatewayIpv4Address": "10.1.1.1/28",
            "privateDnsName": "ip-10-1-1-4.ec2.internal",
            "domainName": ["ec2.internal"],
            "domainNameServers": [],
        }
    ]
    read = msgspec.convert(payload, agent_protocol.PayloadTask)
    assert read.elastic_network_interfaces is not None
    (interface,) = read.elastic_network_interfaces
    assert interface.ec2_id == task.interface.network_interface_id
    assert interface.subnet_gateway_ipv4_address == "10.1.1.1/28"
    assert interface.ipv4_addresses == [agent_protocol.PayloadAddress(True, "10.1.1.4")]


def attachment_report(world: World, arn: str, status: str = "ATTACHED") -> dict[str, Any]:
    task = world.task(arn)
    assert task.interface is not None
    return {"attachmentArn": task.interface.arn, "status": status}


def reconcile(world: World, controller: Any, key: str) -> None:
    with world.store.transaction() as tx:
        controller.reconcile(key, tx, world.now)


@pytest.mark.parametrize("operation", ["SubmitTaskStateChange", "SubmitAttachmentStateChanges"])
def test_an_attached_interface_ends_the_provisioning(world: World, operation: str) -> None:
    arn = run(world)["taskArn"]
    report = [attachment_report(world, arn)]
    world(operation, attachments=report)
    task = described(world, arn)
    assert (task["lastStatus"], task["attachments"][0]["status"]) == ("PENDING", "ATTACHED")
    version = task["version"]
    world(operation, attachments=report)
    assert described(world, arn)["version"] == version


def test_a_report_may_say_everything_at_once(world: World) -> None:
    arn = run(world)["taskArn"]
    world.report(arn, "RUNNING", attachments=[attachment_report(world, arn)])
    task = described(world, arn)
    assert (task["lastStatus"], task["attachments"][0]["status"]) == ("RUNNING", "ATTACHED")


def test_the_life_of_a_task_with_an_interface(world: World) -> None:
    arn = run(world)["taskArn"]
    world.report(arn, "RUNNING", attachments=[attachment_report(world, arn)])
    world("StopTask", task=arn)
    assert described(world, arn)["lastStatus"] == "STOPPING"
    world.report(arn, "STOPPED")
    world.report(arn, "STOPPED")
    task = described(world, arn)
    assert (task["lastStatus"], task["stoppedAt"]) == ("DEPROVISIONING", None)
    assert task["attachments"][0]["status"] == "DETACHING"
    world("SubmitAttachmentStateChanges", attachments=[attachment_report(world, arn)])
    assert described(world, arn)["attachments"][0]["status"] == "DETACHING"
    reconcile(world, InterfacesController(), arn)
    task = described(world, arn)
    assert (task["lastStatus"], task["attachments"][0]["status"]) == ("STOPPED", "DELETED")
    assert task["stoppedAt"] == world.now
    assert world.rows(NETWORK_INTERFACES) == []


def test_reports_of_attachments_that_are_none(world: World) -> None:
    arn = run(world)["taskArn"]
    unknown = ARNS.ecs("attachment/0")
    for operation in ("SubmitTaskStateChange", "SubmitAttachmentStateChanges"):
        report = {"attachmentArn": unknown, "status": "ATTACHED"}
        assert world.refused(operation, attachments=[report]) == (
            INVALID,
            f"Unable to find attachments: [{unknown}]",
        )
        code, text = world.refused(
            operation, attachments=[attachment_report(world, arn, "NONSENSE")]
        )
        assert (code, "NONSENSE" in text) == (INVALID, True)


# -- services -----------------------------------------------------------------------------------


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

    def item(arn: str) -> list[dict[str, Any]]:
        return [{"targetGroupArn": arn, "containerName": "web", "containerPort": 80}]

    values = {"serviceName": "web", "desiredCount": 1}
    assert world.refused(
        "CreateService", taskDefinition="web:1", loadBalancers=item(addresses), **values
    ) == (
        INVALID,
        f"The provided target group {addresses} has target type ip, which is incompatible with "
        "the bridge network mode specified in the task definition.",
    )
    assert world.refused(
        "CreateService",
        taskDefinition="vpc",
        networkConfiguration=network(),
        loadBalancers=item(instances),
        **values,
    ) == (
        INVALID,
        f"The provided target group {instances} has target type instance, which is incompatible "
        "with the awsvpc network mode specified in the task definition.",
    )


def test_a_running_task_is_a_target_by_its_own_address(world: World) -> None:
    group = world.target_group("ip", target_type="ip")
    item = {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    service = create(world, loadBalancers=[item])
    task = world.task(run(world)["taskArn"])
    deployment = service["deployments"][0]["id"]
    world.adopt(task, service["serviceArn"], deployment)
    targets = TargetsController(world.ids)
    reconcile(world, targets, service["serviceArn"])
    assert world.rows(TARGETS) == []
    world.report(task.arn, "RUNNING")
    reconcile(world, targets, service["serviceArn"])
    (target,) = world.rows(TARGETS)
    assert (target.id, target.address, target.port) == ("10.1.1.4", "10.1.1.4", 80)
    assert target.availability_zone == "us-east-1a"
    assert len(world.rows(TARGET_HEALTH)) == 1
    world("StopTask", task=task.arn)
    reconcile(world, targets, service["serviceArn"])
    (target,) = world.rows(TARGETS)
    assert target.draining_since == world.now
    assert world.task(task.arn).last_status == "DEACTIVATING"
    with world.store.transaction() as tx:
        tx.delete(TARGETS, target.key)
    reconcile(world, targets, service["serviceArn"])
    assert world.task(task.arn).last_status == "STOPPING"
