"""What is reached from a subnet, case by case as the VPC guide has them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from homeport.decide.reach import (
    By,
    Exit,
    Network,
    NoWay,
    Origin,
    Way,
    endpoints_of,
    exit_of,
    way_to_internet,
    way_to_service,
)
from homeport.domain.routing import EVERYWHERE, NatGateway, Route, RouteTable, RouteTableAssociation
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.domain.vpc_endpoint import GATEWAY, INTERFACE, VpcEndpoint

VPC = Vpc("vpc-1", "10.0.0.0/16", dns_hostnames=True)
LOCAL = Route("10.0.0.0/16", "local")
ECR, S3 = "com.amazonaws.us-east-1.ecr.api", "com.amazonaws.us-east-1.s3"
MAIN = RouteTable("rtb-main", "vpc-1", (LOCAL,), (RouteTableAssociation("rtbassoc-0"),))
GROUP = SecurityGroup(
    "sg-task",
    "vpc-1",
    "task",
    "d",
    egress=({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},),
)
OPEN = SecurityGroup(
    "sg-open",
    "vpc-1",
    "open",
    "d",
    ingress=(
        {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
        },
    ),
)


def table(name: str, target: str, *subnets: str) -> RouteTable:
    associations = tuple(RouteTableAssociation(f"rtbassoc-{s}", s) for s in subnets)
    return RouteTable(name, "vpc-1", (LOCAL, Route(EVERYWHERE, target)), associations)


def network(*tables: RouteTable, **more: Any) -> Network:
    subnets = [
        Subnet(f"subnet-{n}", "vpc-1", f"10.0.{i}.0/24", "us-east-1a", "use1-az1")
        for i, n in enumerate(("a", "b"))
    ]
    return Network(
        **{
            "vpc": VPC,
            "subnets": {s.subnet_id: s for s in subnets},
            "route_tables": (MAIN, *tables),
            "addresses": {"eni-ecr": "10.0.1.10"},
            "internet_gateways": frozenset({"igw-1"}),
            "security_groups": {g.group_id: g for g in (GROUP, OPEN)},
            **more,
        }
    )


def nat(**changes: Any) -> dict[str, NatGateway]:
    gateway = NatGateway("nat-1", "vpc-1", "subnet-b", 0.0)
    return {"nat-1": msgspec.structs.replace(gateway, **changes)}


def interface_endpoint(**changes: Any) -> VpcEndpoint:
    endpoint = VpcEndpoint(
        "vpce-ecr",
        INTERFACE,
        ECR,
        "vpc-1",
        0.0,
        subnet_ids=("subnet-b",),
        security_groups=("sg-open",),
        network_interface_ids=("eni-ecr",),
        private_dns=True,
    )
    return msgspec.structs.replace(endpoint, **changes)


def gateway_endpoint(*tables: str) -> VpcEndpoint:
    return VpcEndpoint("vpce-s3", GATEWAY, S3, "vpc-1", 0.0, route_table_ids=tables)


TASK = Origin("subnet-a", "10.0.0.10", security_groups=("sg-task",))


def test_a_subnet_is_public_when_its_table_leads_to_the_gateway_of_the_vpc() -> None:
    assert exit_of(network(table("rtb-1", "igw-1", "subnet-a")), "subnet-a") is Exit.PUBLIC
    assert exit_of(network(table("rtb-1", "igw-1", "subnet-a")), "subnet-b") is Exit.ISOLATED
    assert exit_of(network(table("rtb-1", "igw-gone", "subnet-a")), "subnet-a") is Exit.ISOLATED


def test_a_subnet_that_names_no_table_uses_the_main_one() -> None:
    main = msgspec.structs.replace(MAIN, routes=(LOCAL, Route(EVERYWHERE, "igw-1")))
    assert exit_of(network(route_tables=(main,)), "subnet-a") is Exit.PUBLIC
    assert exit_of(network(route_tables=()), "subnet-a") is Exit.ISOLATED


@pytest.mark.parametrize(
    ("gateways", "nat_exit", "expected"),
    [
        (nat(), "igw-1", Exit.NAT),
        (nat(connectivity="private"), "igw-1", Exit.ISOLATED),
        (nat(), "nowhere", Exit.ISOLATED),
        ({}, "igw-1", Exit.ISOLATED),
    ],
    ids=["public", "private NAT", "NAT in a subnet without a way out", "deleted"],
)
def test_a_nat_gateway_is_a_way_out_when_it_has_one_itself(
    gateways: dict[str, NatGateway], nat_exit: str, expected: Exit
) -> None:
    tables = (table("rtb-1", "nat-1", "subnet-a"), table("rtb-2", nat_exit, "subnet-b"))
    assert exit_of(network(*tables, nat_gateways=gateways), "subnet-a") is expected


def test_a_public_subnet_is_left_with_a_public_address_only() -> None:
    public = network(table("rtb-1", "igw-1", "subnet-a"))
    no_way = way_to_internet(public, TASK)
    assert isinstance(no_way, NoWay)
    assert "no public IP" in no_way.reason
    with_address = Origin("subnet-a", "10.0.0.10", True, ("sg-task",))
    assert way_to_internet(public, with_address) == Way(By.INTERNET_GATEWAY)


def test_an_isolated_subnet_reaches_services_through_endpoints() -> None:
    isolated = network(endpoints=(interface_endpoint(), gateway_endpoint("rtb-main")))
    assert endpoints_of(isolated, "subnet-a").keys() == {ECR, S3}
    assert way_to_service(isolated, TASK, ECR) == Way(By.INTERFACE_ENDPOINT, interface_endpoint())
    assert way_to_service(isolated, TASK, S3) == Way(
        By.GATEWAY_ENDPOINT, gateway_endpoint("rtb-main")
    )
    assert isinstance(way_to_service(isolated, TASK, "com.amazonaws.us-east-1.logs"), NoWay)
    assert isinstance(way_to_internet(isolated, TASK), NoWay)


def test_a_gateway_endpoint_serves_the_subnets_of_its_tables() -> None:
    other = network(
        table("rtb-1", "igw-gone", "subnet-a"), endpoints=(gateway_endpoint("rtb-main"),)
    )
    assert endpoints_of(other, "subnet-a") == {}
    assert endpoints_of(other, "subnet-b").keys() == {S3}


@pytest.mark.parametrize(
    ("vpc", "private_dns"),
    [
        (VPC, False),
        (msgspec.structs.replace(VPC, dns_hostnames=False), True),
    ],
)
def test_without_private_dns_the_public_name_leads_out_of_the_vpc(
    vpc: Vpc, private_dns: bool
) -> None:
    endpoint = interface_endpoint(private_dns=private_dns)
    assert isinstance(way_to_service(network(vpc=vpc, endpoints=(endpoint,)), TASK, ECR), NoWay)


def test_without_dns_nothing_is_reached_by_name() -> None:
    blind = msgspec.structs.replace(VPC, dns_support=False)
    no_way = way_to_service(network(vpc=blind, endpoints=(interface_endpoint(),)), TASK, ECR)
    assert isinstance(no_way, NoWay)
    assert "DNS" in no_way.reason


def test_an_endpoint_with_private_dns_is_used_even_where_there_is_another_way() -> None:
    closed = msgspec.structs.replace(OPEN, ingress=())
    public = network(
        table("rtb-1", "igw-1", "subnet-a"),
        endpoints=(interface_endpoint(),),
        security_groups={g.group_id: g for g in (GROUP, closed)},
    )
    origin = Origin("subnet-a", "10.0.0.10", True, ("sg-task",))
    no_way = way_to_service(public, origin, ECR)
    assert isinstance(no_way, NoWay)
    assert no_way.reason == "no security group of vpce-ecr lets port 443 in"


def test_an_endpoint_without_a_subnet_is_reached_by_nobody() -> None:
    nowhere = interface_endpoint(subnet_ids=(), network_interface_ids=())
    no_way = way_to_service(network(endpoints=(nowhere,)), TASK, ECR)
    assert no_way == NoWay("vpce-ecr is in no subnet")


def rule(source: dict[str, object], port: int = 443) -> dict[str, object]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}


@pytest.mark.parametrize(
    ("egress", "reached"),
    [
        (rule({"IpRanges": [{"CidrIp": "10.0.1.0/24"}]}), True),
        (rule({"IpRanges": [{"CidrIp": "10.0.1.10/32"}]}), True),
        (rule({"IpRanges": [{"CidrIp": "10.0.1.11/32"}]}), False),
        (rule({"IpRanges": [{"CidrIp": "10.0.0.0/24"}]}), False),
        (rule({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, port=80), False),
        (rule({"UserIdGroupPairs": [{"GroupId": "sg-open"}]}), True),
        (rule({"UserIdGroupPairs": [{"GroupId": "sg-other"}]}), False),
        (rule({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}), False),
    ],
)
def test_the_groups_of_the_interface_must_let_it_out_to_the_endpoint(
    egress: dict[str, object], reached: bool
) -> None:
    group = msgspec.structs.replace(GROUP, egress=(egress,))
    isolated = network(
        endpoints=(interface_endpoint(),), security_groups={"sg-task": group, "sg-open": OPEN}
    )
    assert isinstance(way_to_service(isolated, TASK, ECR), Way) is reached


@pytest.mark.parametrize(
    ("cidr", "reached"), [("0.0.0.0/0", True), ("10.0.0.0/16", False), ("10.0.3.0/24", False)]
)
def test_the_groups_must_let_it_out_of_the_vpc(cidr: str, reached: bool) -> None:
    group = msgspec.structs.replace(GROUP, egress=(rule({"IpRanges": [{"CidrIp": cidr}]}),))
    behind_nat = network(
        table("rtb-1", "nat-1", "subnet-a"),
        table("rtb-2", "igw-1", "subnet-b"),
        nat_gateways=nat(),
        security_groups={"sg-task": group},
    )
    expected = (
        Way(By.NAT_GATEWAY)
        if reached
        else NoWay("no security group of the interface lets port 443 out of the VPC")
    )
    assert way_to_internet(behind_nat, TASK) == expected
