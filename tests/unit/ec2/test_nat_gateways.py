"""NAT gateways and Elastic IP addresses through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import refusal
from network_world import NetworkWorld, network_world

from homeport.decide.reach import Exit, exit_of
from homeport.scheduling.networks import network_of


@pytest.fixture
def world() -> Iterator[NetworkWorld]:
    world = network_world()
    yield world
    world.api.close()


def nat_gateway(world: NetworkWorld, **arguments: Any) -> Any:
    given = {
        "SubnetId": world.subnets[0],
        "AllocationId": world.address()["AllocationId"],
        **arguments,
    }
    return world.ec2.create_nat_gateway(**given)["NatGateway"]


def exit_from(world: NetworkWorld, subnet: str) -> Exit:
    with world.api.store.transaction() as tx:
        network = network_of(tx, world.vpc)
    assert network is not None
    return exit_of(network, subnet)


def test_a_private_subnet_gets_out_through_a_nat_gateway_while_there_is_one(
    world: NetworkWorld,
) -> None:
    ec2 = world.ec2
    everywhere = {"DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(RouteTableId=world.table, GatewayId=world.gateway, **everywhere)
    nat = nat_gateway(world)
    assert nat["State"] == "available"
    table = ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, NatGatewayId=nat["NatGatewayId"], **everywhere)
    ec2.associate_route_table(RouteTableId=table, SubnetId=world.subnets[1])
    assert exit_from(world, world.subnets[1]) is Exit.NAT

    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert exit_from(world, world.subnets[1]) is Exit.ISOLATED
    (view,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert (view["Routes"][1]["NatGatewayId"], view["Routes"][1]["State"]) == (
        nat["NatGatewayId"],
        "blackhole",
    )
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat["NatGatewayId"]])


def test_a_nat_gateway_takes_an_address_of_its_subnet_and_an_elastic_one(
    world: NetworkWorld,
) -> None:
    ec2, before = world.ec2, world.free()
    nat = nat_gateway(world)
    (address,) = nat["NatGatewayAddresses"]
    assert world.free() == before - 1
    (elastic,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
    assert elastic["AssociationId"] == address["AssociationId"]
    assert elastic["PrivateIpAddress"] == address["PrivateIp"]
    (interface,) = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[address["NetworkInterfaceId"]]
    )["NetworkInterfaces"]
    assert interface["InterfaceType"] == "nat_gateway"
    assert interface["Association"]["AllocationId"] == address["AllocationId"]
    assert interface["Attachment"]["InstanceOwnerId"] == "amazon-aws"
    for call, arguments in (
        (ec2.delete_subnet, {"SubnetId": world.subnets[0]}),
        (ec2.delete_vpc, {"VpcId": world.vpc}),
    ):
        assert refusal(call, **arguments)[0] == "DependencyViolation"
    code, message = refusal(
        ec2.detach_internet_gateway, InternetGatewayId=world.gateway, VpcId=world.vpc
    )
    assert (code, "mapped public address(es)" in message) == ("DependencyViolation", True)
    code, _ = refusal(ec2.release_address, AllocationId=address["AllocationId"])
    assert code == "InvalidIPAddress.InUse"

    ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert world.free() == before
    ec2.release_address(AllocationId=address["AllocationId"])
    assert ec2.describe_addresses()["Addresses"] == []
    ec2.delete_subnet(SubnetId=world.subnets[0])


def test_a_private_nat_gateway_is_no_way_to_the_internet(world: NetworkWorld) -> None:
    nat = world.ec2.create_nat_gateway(SubnetId=world.subnets[0], ConnectivityType="private")
    assert "PublicIp" not in nat["NatGateway"]["NatGatewayAddresses"][0]
    world.ec2.create_route(
        RouteTableId=world.table,
        DestinationCidrBlock="0.0.0.0/0",
        NatGatewayId=nat["NatGateway"]["NatGatewayId"],
    )
    assert exit_from(world, world.subnets[1]) is Exit.ISOLATED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"AllocationId": "eipalloc-0"}, "InvalidAllocationID.NotFound"),
        ({"SubnetId": "subnet-0"}, "InvalidSubnetID.NotFound"),
        ({"ConnectivityType": "private"}, "InvalidParameterCombination"),
        ({"ConnectivityType": "both"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.9.4"}, "InvalidParameterValue"),
        ({"SecondaryPrivateIpAddressCount": 1}, "InvalidParameterValue"),
        ({"AvailabilityMode": "regional"}, "InvalidParameterValue"),
    ],
)
def test_a_wrong_nat_gateway_is_refused(
    world: NetworkWorld, arguments: dict[str, Any], code: str
) -> None:
    given = {
        "SubnetId": world.subnets[0],
        "AllocationId": world.address()["AllocationId"],
        **arguments,
    }
    assert refusal(world.ec2.create_nat_gateway, **given)[0] == code
    assert world.ec2.describe_nat_gateways()["NatGateways"] == []
    assert world.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_public_nat_gateway_needs_a_free_address_and_a_gateway(world: NetworkWorld) -> None:
    ec2 = world.ec2
    refused = refusal(ec2.create_nat_gateway, SubnetId=world.subnets[0])
    assert refused[0] == "MissingParameter"
    taken = nat_gateway(world)["NatGatewayAddresses"][0]["AllocationId"]
    refused = refusal(ec2.create_nat_gateway, SubnetId=world.subnets[0], AllocationId=taken)
    assert refused == (
        "Resource.AlreadyAssociated",
        f"Elastic IP address [{taken}] is already associated",
    )
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    allocation = world.address()["AllocationId"]
    assert refusal(ec2.create_nat_gateway, SubnetId=subnet, AllocationId=allocation) == (
        "Gateway.NotAttached",
        f"Network {vpc} has no Internet gateway attached",
    )


def test_the_same_client_token_makes_one_nat_gateway(world: NetworkWorld) -> None:
    allocation = world.address()["AllocationId"]
    first = nat_gateway(world, AllocationId=allocation, ClientToken="one")
    assert nat_gateway(world, AllocationId=allocation, ClientToken="one") == first
    code, _ = refusal(world.ec2.create_nat_gateway, SubnetId=world.subnets[1], ClientToken="one")
    assert code == "IdempotentParameterMismatch"


def test_addresses_are_allocated_found_and_released(world: NetworkWorld) -> None:
    ec2 = world.ec2
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    first = ec2.allocate_address(Domain="vpc", TagSpecifications=tags)
    second = world.address()
    assert first["PublicIp"] != second["PublicIp"]
    assert (first["Domain"], first["NetworkBorderGroup"]) == ("vpc", "us-east-1")
    filters = [{"Name": "tag:a", "Values": ["b"]}]
    (found,) = ec2.describe_addresses(Filters=filters)["Addresses"]
    assert found["AllocationId"] == first["AllocationId"]
    (found,) = ec2.describe_addresses(PublicIps=[second["PublicIp"]])["Addresses"]
    assert found["AllocationId"] == second["AllocationId"]
    allocation = [second["AllocationId"]]
    (named,) = ec2.describe_addresses_attribute(AllocationIds=allocation, Attribute="domain-name")[
        "Addresses"
    ]
    assert named == {k: second[k] for k in ("PublicIp", "AllocationId")}
    ec2.release_address(PublicIp=first["PublicIp"])
    assert refusal(ec2.release_address, PublicIp=first["PublicIp"]) == (
        "InvalidAddress.NotFound",
        f"Address '{first['PublicIp']}' not found.",
    )
    assert refusal(ec2.release_address, AllocationId="eipalloc-0") == (
        "InvalidAllocationID.NotFound",
        "The allocation ID 'eipalloc-0' does not exist",
    )
    assert refusal(ec2.release_address)[0] == "MissingParameter"
    assert refusal(ec2.allocate_address, Domain="standard")[0] == "InvalidParameterValue"


def test_an_address_is_an_interfaces_until_it_is_taken_away(world: NetworkWorld) -> None:
    ec2 = world.ec2
    interface, other = (world.interface()["NetworkInterfaceId"] for _ in range(2))
    address = world.address()
    allocation = address["AllocationId"]

    def associate(to: str, **more: Any) -> Any:
        return {"AllocationId": allocation, "NetworkInterfaceId": to, **more}

    first = ec2.associate_address(**associate(interface))["AssociationId"]
    assert ec2.associate_address(**associate(interface))["AssociationId"] == first
    filters = [{"Name": "association.allocation-id", "Values": [allocation]}]
    (view,) = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert view["Association"]["PublicIp"] == address["PublicIp"]
    assert refusal(ec2.associate_address, **associate(other)) == (
        "Resource.AlreadyAssociated",
        f"resource {allocation} is already associated with associate-id {first}",
    )
    moved = ec2.associate_address(**associate(other, AllowReassociation=True))["AssociationId"]
    (view,) = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert view["NetworkInterfaceId"] == other
    ec2.disassociate_address(AssociationId=moved)
    assert ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []
    code, _ = refusal(ec2.disassociate_address, AssociationId=moved)
    assert code == "InvalidAssociationID.NotFound"
    ec2.associate_address(**associate(other))
    ec2.delete_network_interface(NetworkInterfaceId=other)
    (view,) = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert "AssociationId" not in view


def test_a_nat_gateway_keeps_its_address(world: NetworkWorld) -> None:
    (address,) = nat_gateway(world)["NatGatewayAddresses"]
    refused = refusal(world.ec2.disassociate_address, AssociationId=address["AssociationId"])
    assert refused[0] == "AuthFailure"
    interface = world.interface()["NetworkInterfaceId"]
    refused = refusal(
        world.ec2.associate_address,
        AllocationId=address["AllocationId"],
        NetworkInterfaceId=interface,
        AllowReassociation=True,
    )
    assert refused[0] == "AuthFailure"
