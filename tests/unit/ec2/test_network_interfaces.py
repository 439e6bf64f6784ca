"""DescribeNetworkInterfaces: the interfaces of tasks and of load balancers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ACCOUNT, Api, refusal

from homeport.domain.cluster import Tag
from homeport.domain.network_interface import NetworkInterface
from homeport.store.schema import NETWORK_INTERFACES, SECURITY_GROUPS, SUBNETS

ATTACHMENT = f"arn:aws:ecs:us-east-1:{ACCOUNT}:attachment/1"
TASK, FREE = "eni-00000000000000001", "eni-00000000000000002"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ec2(api: Api) -> Any:
    return api.client("ec2")


@pytest.fixture
def group(api: Api) -> str:
    """A task's interface, one that is a user's own; the group that guards the former."""
    with api.store.transaction() as tx:
        group = tx.all(SECURITY_GROUPS)[0]
        subnet = min(tx.all(SUBNETS), key=lambda s: s.availability_zone)
        place = {
            "subnet_id": subnet.subnet_id,
            "vpc_id": subnet.vpc_id,
            "availability_zone": subnet.availability_zone,
            "created_at": 0.0,
        }
        task: Any = place | {
            "network_interface_id": TASK,
            "private_ip_address": "172.31.0.4",
            "mac_address": "02:00:ac:1f:00:04",
            "description": ATTACHMENT,
            "private_dns_name": "ip-172-31-0-4.ec2.internal",
            "security_groups": (group.group_id,),
            "requester_id": ACCOUNT,
            "requester_managed": True,
            "task_arn": "task",
            "instance_id": "i-1",
            "attachment_id": "eni-attach-1",
            "attached_at": 1.0,
            "public_ip_address": "198.18.0.4",
        }
        free: Any = place | {
            "network_interface_id": FREE,
            "private_ip_address": "172.31.0.5",
            "mac_address": "02:00:ac:1f:00:05",
            "tags": (Tag("team", "web"),),
        }
        tx.put(NETWORK_INTERFACES, NetworkInterface(**task))
        tx.put(NETWORK_INTERFACES, NetworkInterface(**free))
    return group.group_id


def ids(ec2: Any, **filters: str) -> list[str]:
    items = [{"Name": n.replace("_", "-"), "Values": [v]} for n, v in filters.items()]
    found = ec2.describe_network_interfaces(Filters=items)["NetworkInterfaces"]
    return [i["NetworkInterfaceId"] for i in found]


def test_a_tasks_interface_is_managed_and_in_use(ec2: Any, group: str) -> None:
    answer = ec2.describe_network_interfaces(NetworkInterfaceIds=[TASK])
    (interface,) = answer["NetworkInterfaces"]
    assert interface["Attachment"].pop("AttachTime")
    assert interface["Attachment"] == {
        "AttachmentId": "eni-attach-1",
        "DeleteOnTermination": True,
        "DeviceIndex": 1,
        "InstanceId": "i-1",
        "InstanceOwnerId": ACCOUNT,
        "Status": "attached",
    }
    assert interface["Status"] == "in-use"
    assert interface["InterfaceType"] == "interface"
    assert interface["Description"] == ATTACHMENT
    assert interface["RequesterManaged"] is True
    assert interface["Groups"] == [{"GroupId": group, "GroupName": "default"}]
    assert interface["PrivateIpAddress"] == "172.31.0.4"
    assert interface["MacAddress"] == "02:00:ac:1f:00:04"
    assert interface["PrivateDnsName"] == "ip-172-31-0-4.ec2.internal"
    assert interface["Association"]["PublicIp"] == "198.18.0.4"
    assert interface["AvailabilityZone"] == "us-east-1a"
    assert [a["PrivateIpAddress"] for a in interface["PrivateIpAddresses"]] == ["172.31.0.4"]


@pytest.mark.usefixtures("group")
def test_an_interface_that_nothing_uses_is_available(ec2: Any) -> None:
    answer = ec2.describe_network_interfaces(NetworkInterfaceIds=[FREE])
    (interface,) = answer["NetworkInterfaces"]
    assert interface["Status"] == "available"
    assert interface["RequesterManaged"] is False
    assert interface["TagSet"] == [{"Key": "team", "Value": "web"}]
    assert not {"Attachment", "Association", "PrivateDnsName"} & interface.keys()


def test_filters(ec2: Any, group: str) -> None:
    for name, value in (
        ("status", "in-use"),
        ("description", ATTACHMENT),
        ("group_id", group),
        ("group_name", "default"),
        ("addresses.private_ip_address", "172.31.0.4"),
        ("private_ip_address", "172.31.0.4"),
        ("association.public_ip", "198.18.0.4"),
        ("mac_address", "02:00:ac:1f:00:04"),
        ("attachment.instance_id", "i-1"),
        ("attachment.instance_owner_id", ACCOUNT),
        ("requester_managed", "true"),
        ("private_dns_name", "ip-172*"),
    ):
        assert ids(ec2, **{name: value}) == [TASK], name
    for name, value in (("status", "available"), ("tag:team", "web"), ("tag-key", "team")):
        assert ids(ec2, **{name: value}) == [FREE], name
    assert ids(ec2, availability_zone="us-east-1a", owner_id=ACCOUNT) == [TASK, FREE]
    assert ids(ec2, availability_zone="us-east-1b") == []
    assert ids(ec2, **{"ipv6-addresses.ipv6-address": "*"}) == []
    assert refusal(ec2.describe_network_interfaces, Filters=[{"Name": "x", "Values": ["y"]}]) == (
        "InvalidParameterValue",
        "The filter 'x' is invalid",
    )


def test_an_unknown_interface_has_ec2s_error(ec2: Any) -> None:
    assert refusal(ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-0"]) == (
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID 'eni-0' does not exist",
    )


def test_a_load_balancer_has_the_addresses_it_speaks_from(api: Api, ec2: Any) -> None:
    subnets = ec2.describe_subnets()["Subnets"]
    group = ec2.create_security_group(GroupName="lb", Description="lb")["GroupId"]
    balancer = api.client("elbv2").create_load_balancer(
        Name="web", Subnets=[s["SubnetId"] for s in subnets[:2]], SecurityGroups=[group]
    )["LoadBalancers"][0]
    (interface,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    name = balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
    assert interface["Description"] == f"ELB {name}"
    assert interface["RequesterId"] == "amazon-elb"
    assert interface["Attachment"]["InstanceOwnerId"] == "amazon-elb"
    assert interface["RequesterManaged"] is True
    assert interface["PrivateIpAddress"] == "192.168.7.1"
    addresses = [a["PrivateIpAddress"] for a in interface["PrivateIpAddresses"]]
    assert addresses == ["192.168.7.1", "172.17.0.1"]
    assert interface["Groups"] == [{"GroupId": group, "GroupName": "lb"}]
    assert ids(ec2, group_id=group, requester_id="amazon-elb") == [interface["NetworkInterfaceId"]]
    api.client("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    assert ids(ec2) == []
