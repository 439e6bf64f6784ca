"""A user's own network interfaces, and what managed ones refuse, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import refusal
from network_world import NetworkWorld, network_world


@pytest.fixture
def world() -> Iterator[NetworkWorld]:
    world = network_world()
    yield world
    world.api.close()


def test_an_interface_has_an_address_of_its_subnet_until_it_is_deleted(
    world: NetworkWorld,
) -> None:
    ec2, before = world.ec2, world.free()
    tags = [{"ResourceType": "network-interface", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = world.interface(Description="mine", TagSpecifications=tags)
    assert made["PrivateIpAddress"].startswith("10.0.0.")
    assert (made["Status"], made["RequesterManaged"]) == ("available", False)
    assert [group["GroupId"] for group in made["Groups"]] == [world.group]
    assert world.free() == before - 1
    found = ec2.describe_network_interfaces(Filters=[{"Name": "tag:a", "Values": ["b"]}])
    assert found["NetworkInterfaces"] == [made]
    assert refusal(ec2.delete_subnet, SubnetId=world.subnets[0])[0] == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    assert world.free() == before
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=made["NetworkInterfaceId"]) == (
        "InvalidNetworkInterfaceID.NotFound",
        f"The networkInterface ID '{made['NetworkInterfaceId']}' does not exist",
    )


def test_a_given_address_is_given_once(world: NetworkWorld) -> None:
    made = world.interface(PrivateIpAddress="10.0.0.9")
    assert made["PrivateIpAddress"] == "10.0.0.9"
    listed = [{"PrivateIpAddress": "10.0.0.10", "Primary": True}]
    assert world.interface(PrivateIpAddresses=listed)["PrivateIpAddress"] == "10.0.0.10"
    refused = refusal(
        world.ec2.create_network_interface,
        SubnetId=world.subnets[0],
        PrivateIpAddress="10.0.0.9",
    )
    assert refused == ("InvalidIPAddress.InUse", "Address 10.0.0.9 is in use.")


def test_a_full_subnet_gives_no_more(world: NetworkWorld) -> None:
    addresses = {world.interface()["PrivateIpAddress"] for _ in range(11)}
    assert addresses == {f"10.0.0.{n}" for n in range(4, 15)}
    assert world.free() == 0
    code, message = refusal(world.ec2.create_network_interface, SubnetId=world.subnets[0])
    assert (code, world.subnets[0] in message) == ("InsufficientFreeAddressesInSubnet", True)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ({"SubnetId": "subnet-0"}, "InvalidSubnetID.NotFound", "subnet-0"),
        ({"PrivateIpAddress": "10.0.1.4"}, "InvalidParameterValue", "10.0.1.4"),
        ({"PrivateIpAddress": "10.0.0.1"}, "InvalidParameterValue", "10.0.0.1"),
        ({"PrivateIpAddress": "here"}, "InvalidParameterValue", "here"),
        ({"Groups": ["sg-0"]}, "InvalidGroup.NotFound", "sg-0"),
        ({"InterfaceType": "efa"}, "InvalidParameterValue", "interfaceType"),
        ({"SecondaryPrivateIpAddressCount": 1}, "InvalidParameterValue", "secondaryPrivate"),
        ({"Ipv6AddressCount": 1}, "InvalidParameterValue", "ipv6AddressCount"),
        ({"Description": "x" * 256}, "InvalidParameterValue", "description"),
    ],
)
def test_a_wrong_interface_is_refused(
    world: NetworkWorld, arguments: dict[str, Any], code: str, word: str
) -> None:
    given = {"SubnetId": world.subnets[0], **arguments}
    refused, message = refusal(world.ec2.create_network_interface, **given)
    assert (refused, word in message) == (code, True), message
    assert world.free() == 11


def test_groups_of_an_interface_are_changed_and_then_in_use(world: NetworkWorld) -> None:
    ec2 = world.ec2
    interface = world.interface()["NetworkInterfaceId"]
    groups = [
        ec2.create_security_group(GroupName=f"g{n}", Description="d", VpcId=world.vpc)["GroupId"]
        for n in range(6)
    ]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=groups[:2])
    shown = ec2.describe_network_interface_attribute(
        NetworkInterfaceId=interface, Attribute="groupSet"
    )
    assert [group["GroupId"] for group in shown["Groups"]] == groups[:2]
    assert refusal(ec2.delete_security_group, GroupId=groups[0]) == (
        "DependencyViolation",
        f"resource {groups[0]} has a dependent object",
    )
    code, _ = refusal(
        ec2.modify_network_interface_attribute, NetworkInterfaceId=interface, Groups=groups
    )
    assert code == "SecurityGroupsPerInterfaceLimitExceeded"
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface, SourceDestCheck={"Value": False}
    )
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface, Description={"Value": "router"}
    )
    (view,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert (view["Description"], view["SourceDestCheck"]) == ("router", False)


def test_one_attribute_is_changed_in_a_request(world: NetworkWorld) -> None:
    interface = world.interface()["NetworkInterfaceId"]
    change = world.ec2.modify_network_interface_attribute
    both = {"Description": {"Value": "x"}, "SourceDestCheck": {"Value": False}}
    assert refusal(change, NetworkInterfaceId=interface, **both)[0] == (
        "InvalidParameterCombination"
    )
    assert refusal(change, NetworkInterfaceId=interface)[0] == "MissingParameter"


def test_an_interface_that_something_manages_is_not_its_users_to_change(
    world: NetworkWorld,
) -> None:
    ec2 = world.ec2
    endpoint = ec2.create_vpc_endpoint(
        VpcId=world.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.logs",
        SubnetIds=[world.subnets[0]],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]
    (interface,) = endpoint["NetworkInterfaceIds"]
    (view,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert (view["InterfaceType"], view["Status"]) == ("vpc_endpoint", "in-use")
    assert [group["GroupId"] for group in view["Groups"]] == [world.group]
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=interface) == (
        "InvalidParameterValue",
        f"Network interface '{interface}' is currently in use.",
    )
    code, _ = refusal(
        ec2.modify_network_interface_attribute,
        NetworkInterfaceId=interface,
        Description={"Value": "x"},
    )
    assert code == "AuthFailure"
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint["VpcEndpointId"],
        RemoveSubnetIds=world.subnets[:1],
        AddSubnetIds=world.subnets[1:],
    )
    assert (world.free(0), world.free(1)) == (11, 10)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    assert (world.free(0), world.free(1)) == (11, 11)


def test_the_same_client_token_makes_one_interface(world: NetworkWorld) -> None:
    first = world.interface(ClientToken="one")
    assert world.interface(ClientToken="one") == first
    assert world.free() == 10
