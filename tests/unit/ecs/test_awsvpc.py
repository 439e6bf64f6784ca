"""awsvpc at the API: what is refused in whose words, what a task shows, what its agent reports."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World
from network_records import put_network

from homeport.agentlink.acs import build_payload
from homeport.controllers.interfaces import InterfacesController
from homeport.domain import agent_payload
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.services.ecs.errors import ClientException
from homeport.services.ecs.state_changes import state_changes
from homeport.services.ecs.task_definition_rules import check
from homeport.store import Change
from homeport.store.schema import (
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
    SUBNETS,
    TASKS,
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
    read = msgspec.convert(payload, agent_payload.PayloadTask)
    assert read.elastic_network_interfaces is not None
    (interface,) = read.elastic_network_interfaces
    assert interface.ec2_id == task.interface.network_interface_id
    assert interface.subnet_gateway_ipv4_address == "10.1.1.1/28"
    assert interface.ipv4_addresses == [agent_payload.PayloadAddress(True, "10.1.1.4")]


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


def test_an_interface_that_is_not_attached_in_time_ends_the_task(world: World) -> None:
    arn = run(world)["taskArn"]
    controller = InterfacesController()
    with world.store.transaction() as tx:
        assert controller.reconcile(arn, tx, world.now + 299) == world.now + 300
        assert controller.reconcile(arn, tx, world.now + 300) is None
        assert controller.reconcile(arn, tx, world.now + 400) is None
    task = described(world, arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPING", "TaskFailedToStart")
    assert task["stoppedReason"] == (
        "Timeout waiting for network interface provisioning to complete."
    )
    attached = run(world)["taskArn"]
    world("SubmitTaskStateChange", attachments=[attachment_report(world, attached)])
    with world.store.transaction() as tx:
        assert controller.reconcile(attached, tx, world.now + 1000) is None
    assert described(world, attached)["lastStatus"] == "PENDING"


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


# -- the task definition ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("links", ["log"], "Links are not supported"),
        ("hostname", "web", "hostname is not supported on container"),
        ("dnsServers", ["10.0.0.2"], "DNS servers are not supported on container"),
        ("dnsSearchDomains", ["a.b"], "DNS search domains are not supported on container"),
        (
            "extraHosts",
            [{"hostname": "a", "ipAddress": "10.0.0.1"}],
            "Extra hosts are not supported on container",
        ),
        ("disableNetworking", True, "Disable Networking is not supported on container"),
    ],
)
def test_a_container_leaves_the_tasks_namespace_alone(member: str, value: Any, text: str) -> None:
    containers = [
        {"name": "web", "image": "web", "memory": 64, member: value},
        {"name": "log", "image": "log", "memory": 64},
    ]
    check({"family": "web", "containerDefinitions": containers})
    with pytest.raises(ClientException) as refused:
        check({"family": "web", "networkMode": "awsvpc", "containerDefinitions": containers})
    assert refused.value.message == f"{text} when networkMode=awsvpc"


@pytest.mark.parametrize("mode", ["awsvpc", "host"])
def test_containers_that_share_a_namespace_share_its_ports(mode: str) -> None:
    def definition(second: dict[str, Any]) -> dict[str, Any]:
        container = {"image": "web", "memory": 64}
        containers = [
            {"name": "web", "portMappings": [{"containerPort": 80}], **container},
            {"name": "log", "portMappings": [second], **container},
        ]
        return {"family": "web", "networkMode": mode, "containerDefinitions": containers}

    check(definition({"containerPort": 81, "hostPort": 81}))
    check(definition({"containerPort": 80, "protocol": "udp"}))
    with pytest.raises(ClientException, match="containerPort 80 is mapped twice"):
        check(definition({"containerPort": 80}))
    with pytest.raises(ClientException) as refused:
        check(definition({"containerPort": 81, "hostPort": 8081}))
    assert refused.value.message == (
        f"When networkMode={mode}, the host ports and container ports in port mappings must match."
    )


def test_events_tell_of_the_interface_in_their_own_words(world: World) -> None:
    arn = run(world)["taskArn"]
    before = world.task(arn)
    world("SubmitAttachmentStateChanges", attachments=[attachment_report(world, arn)])
    change = Change(TASKS, arn, before, world.task(arn), 0)
    with world.store.transaction() as tx:
        (told,) = state_changes(change, tx, world.now)
    detail: Any = told.detail
    assert detail["lastStatus"] == "PENDING"
    (attachment,) = detail["attachments"]
    assert (attachment["type"], attachment["status"]) == ("eni", "ATTACHED")
    assert detail["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == "10.1.1.4"
