"""Route tables, their routes and who uses them, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from api_client import Api, refusal

EVERYWHERE = "0.0.0.0/0"


@dataclass
class World:
    ec2: Any
    vpc: str
    subnet: str
    gateway: str
    table: str

    def view(self, table: str | None = None) -> dict[str, Any]:
        (view,) = self.ec2.describe_route_tables(RouteTableIds=[table or self.table])["RouteTables"]
        assert isinstance(view, dict)
        return view

    def main(self) -> dict[str, Any]:
        filters = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        (view,) = self.ec2.describe_route_tables(Filters=filters)["RouteTables"]
        assert isinstance(view, dict)
        return view

    def route(self, call: Any, destination: str = EVERYWHERE, **target: Any) -> Any:
        return call(RouteTableId=self.table, DestinationCidrBlock=destination, **target)


@pytest.fixture
def world() -> Iterator[World]:
    api = Api()
    ec2 = api.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    yield World(ec2, vpc, subnet, gateway, table)
    api.close()


def refused(world: World, call: Any, destination: str = EVERYWHERE, **target: Any) -> Any:
    return refusal(call, RouteTableId=world.table, DestinationCidrBlock=destination, **target)


def test_a_route_is_added_once_replaced_and_removed(world: World) -> None:
    ec2 = world.ec2
    world.route(ec2.create_route, GatewayId=world.gateway)
    world.route(ec2.create_route, GatewayId=world.gateway)
    assert world.view()["Routes"][1:] == [
        {
            "DestinationCidrBlock": EVERYWHERE,
            "GatewayId": world.gateway,
            "Origin": "CreateRoute",
            "State": "active",
        }
    ]
    world.route(ec2.replace_route, GatewayId=world.gateway)
    world.route(ec2.delete_route)
    assert len(world.view()["Routes"]) == 1
    assert refused(world, ec2.delete_route) == (
        "InvalidRoute.NotFound",
        f"no route with destination-cidr-block 0.0.0.0/0 in route table {world.table}",
    )
    assert refused(world, ec2.replace_route, GatewayId=world.gateway)[0] == "InvalidRoute.NotFound"


def test_the_local_route_stays(world: World) -> None:
    ec2 = world.ec2
    assert refused(world, ec2.delete_route, "10.0.0.0/16") == (
        "InvalidParameterValue",
        f"cannot remove local route 10.0.0.0/16 in route table {world.table}",
    )
    for destination in ("10.0.0.0/16", "10.0.7.0/24"):
        code, message = refused(world, ec2.create_route, destination, GatewayId=world.gateway)
        assert (code, "more specific than one of this VPC's" in message) == (
            "InvalidParameterValue",
            True,
        )
    assert refused(world, ec2.replace_route, "10.0.0.0/16", GatewayId=world.gateway)[0] == (
        "InvalidParameterValue"
    )
    world.route(ec2.replace_route, "10.0.0.0/16", LocalTarget=True)


@pytest.mark.parametrize(
    ("target", "code", "word"),
    [
        ({"GatewayId": "igw-0"}, "InvalidInternetGatewayID.NotFound", "igw-0"),
        ({"GatewayId": "vgw-0"}, "InvalidGatewayID.NotFound", "vgw-0"),
        ({"NatGatewayId": "nat-0"}, "InvalidNatGatewayID.NotFound", "nat-0"),
        ({"InstanceId": "i-0"}, "InvalidParameterValue", "instanceId"),
        ({"TransitGatewayId": "tgw-0"}, "InvalidParameterValue", "transitGatewayId"),
        ({"NetworkInterfaceId": "eni-0"}, "InvalidParameterValue", "networkInterfaceId"),
        ({}, "MissingParameter", "gatewayId"),
        ({"GatewayId": "igw-0", "NatGatewayId": "nat-0"}, "InvalidParameterCombination", "and"),
    ],
)
def test_a_route_leads_to_what_is_there(
    world: World, target: dict[str, str], code: str, word: str
) -> None:
    refused_code, message = refused(world, world.ec2.create_route, **target)
    assert (refused_code, word in message) == (code, True), message
    assert len(world.view()["Routes"]) == 1


@pytest.mark.parametrize(
    ("destination", "code"), [("nowhere", "InvalidParameterValue"), ("", "MissingParameter")]
)
def test_a_route_needs_a_destination(world: World, destination: str, code: str) -> None:
    assert refused(world, world.ec2.create_route, destination, GatewayId=world.gateway)[0] == code


def test_a_gateway_of_another_network_is_refused(world: World) -> None:
    other = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refused(world, world.ec2.create_route, GatewayId=other) == (
        "InvalidParameterValue",
        f"route table {world.table} and network gateway {other} belong to different networks",
    )


def test_another_target_for_the_same_destination_is_refused(world: World) -> None:
    ec2 = world.ec2
    world.route(ec2.create_route, GatewayId=world.gateway)
    ec2.detach_internet_gateway(InternetGatewayId=world.gateway, VpcId=world.vpc)
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=other, VpcId=world.vpc)
    assert world.view()["Routes"][1]["State"] == "blackhole"
    filters = [{"Name": "route.state", "Values": ["blackhole"]}]
    assert len(ec2.describe_route_tables(Filters=filters)["RouteTables"]) == 1
    assert refused(world, ec2.create_route, GatewayId=other) == (
        "RouteAlreadyExists",
        "The route identified by 0.0.0.0/0 already exists.",
    )
    world.route(ec2.replace_route, GatewayId=other)
    assert world.view()["Routes"][1]["State"] == "active"


def test_a_subnet_names_one_table(world: World) -> None:
    ec2 = world.ec2
    first = ec2.associate_route_table(RouteTableId=world.table, SubnetId=world.subnet)
    assert first["AssociationState"] == {"State": "associated"}
    again = ec2.associate_route_table(RouteTableId=world.table, SubnetId=world.subnet)
    assert again["AssociationId"] == first["AssociationId"]
    other = ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    assert refusal(ec2.associate_route_table, RouteTableId=other, SubnetId=world.subnet) == (
        "Resource.AlreadyAssociated",
        f"the specified association for route table {other} conflicts with an existing association",
    )
    moved = ec2.replace_route_table_association(
        AssociationId=first["AssociationId"], RouteTableId=other
    )
    (association,) = world.view(other)["Associations"]
    assert association == {
        "Main": False,
        "RouteTableAssociationId": moved["NewAssociationId"],
        "RouteTableId": other,
        "SubnetId": world.subnet,
        "AssociationState": {"State": "associated"},
    }
    assert world.view()["Associations"] == []
    filters = [{"Name": "association.subnet-id", "Values": [world.subnet]}]
    (found,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    assert found["RouteTableId"] == other
    ec2.delete_subnet(SubnetId=world.subnet)
    assert world.view(other)["Associations"] == []


def test_the_main_table_is_replaced_but_not_deleted(world: World) -> None:
    ec2 = world.ec2
    main = world.main()
    (association,) = main["Associations"]
    association_id = association["RouteTableAssociationId"]
    assert refusal(ec2.disassociate_route_table, AssociationId=association_id) == (
        "InvalidParameterValue",
        f"cannot disassociate the main route table association {association_id}",
    )
    code, _ = refusal(ec2.delete_route_table, RouteTableId=main["RouteTableId"])
    assert code == "DependencyViolation"
    ec2.replace_route_table_association(AssociationId=association_id, RouteTableId=world.table)
    assert world.main()["RouteTableId"] == world.table
    ec2.delete_route_table(RouteTableId=main["RouteTableId"])


def test_tables_and_subnets_of_two_networks_do_not_meet(world: World) -> None:
    ec2 = world.ec2
    other = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=other)["RouteTable"]["RouteTableId"]
    assert refusal(ec2.associate_route_table, RouteTableId=table, SubnetId=world.subnet) == (
        "InvalidParameterValue",
        f"Route table {table} and subnet {world.subnet} belong to different networks",
    )
    association = world.main()["Associations"][0]["RouteTableAssociationId"]
    code, _ = refusal(
        ec2.replace_route_table_association, AssociationId=association, RouteTableId=table
    )
    assert code == "InvalidParameterValue"
