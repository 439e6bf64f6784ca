"""A network built and taken down by boto3, in order and out of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ec2(api: Api) -> Any:
    return api.client("ec2")


def make_vpc(ec2: Any, cidr: str = "10.0.0.0/16") -> str:
    vpc: str = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    return vpc


def in_vpc(vpc: str) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc]}]


def main_table(ec2: Any, vpc: str) -> dict[str, Any]:
    filters = [*in_vpc(vpc), {"Name": "association.main", "Values": ["true"]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    assert isinstance(table, dict)
    return table


def test_a_network_is_built_and_taken_down_in_order(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    everywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    assert ec2.create_route(**everywhere, GatewayId=gateway)["Return"] is True
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]

    def stays(call: Any, kind: str, name: str, **arguments: str) -> None:
        assert refusal(call, **arguments) == (
            "DependencyViolation",
            f"The {kind} '{name}' has dependencies and cannot be deleted.",
        )

    stays(ec2.delete_vpc, "vpc", vpc, VpcId=vpc)
    stays(ec2.delete_internet_gateway, "internetGateway", gateway, InternetGatewayId=gateway)
    stays(ec2.delete_route_table, "routeTable", table, RouteTableId=table)
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    stays(ec2.delete_vpc, "vpc", vpc, VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet)
    stays(ec2.delete_vpc, "vpc", vpc, VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    assert refusal(ec2.describe_vpcs, VpcIds=[vpc])[0] == "InvalidVpcID.NotFound"
    for described in ("route_tables", "security_groups", "subnets"):
        answer = getattr(ec2, f"describe_{described}")(Filters=in_vpc(vpc))
        assert not any(v for k, v in answer.items() if k != "ResponseMetadata"), described


def test_a_vpc_is_made_with_its_table_its_group_and_its_acl(ec2: Any) -> None:
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "mine"}]}]
    vpc = ec2.create_vpc(CidrBlock="100.68.0.18/18", TagSpecifications=tags)["Vpc"]
    assert (vpc["CidrBlock"], vpc["State"], vpc["IsDefault"]) == (
        "100.68.0.0/18",
        "available",
        False,
    )
    assert vpc["Tags"] == [{"Key": "Name", "Value": "mine"}]
    assert ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"] == [vpc]
    table = main_table(ec2, vpc["VpcId"])
    assert table["Routes"] == [
        {
            "DestinationCidrBlock": "100.68.0.0/18",
            "GatewayId": "local",
            "Origin": "CreateRouteTable",
            "State": "active",
        }
    ]
    (group,) = ec2.describe_security_groups(Filters=in_vpc(vpc["VpcId"]))["SecurityGroups"]
    assert group["GroupName"] == "default"
    (acl,) = ec2.describe_network_acls(Filters=in_vpc(vpc["VpcId"]))["NetworkAcls"]
    assert (acl["IsDefault"], len(acl["Entries"]), acl["Associations"]) == (True, 4, [])
    assert ec2.describe_dhcp_options(DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"]
    assert refusal(ec2.delete_security_group, GroupId=group["GroupId"])[0] == "CannotDelete"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ({"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range", "10.0.0.0/8"),
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range", "10.0.0.0/29"),
        ({"CidrBlock": "127.0.0.0/16"}, "InvalidVpc.Range", "127.0.0.0/16"),
        ({"CidrBlock": "169.254.0.0/16"}, "InvalidVpc.Range", "169.254.0.0/16"),
        ({"CidrBlock": "198.19.0.0/16"}, "InvalidVpc.Range", "198.19.0.0/16"),
        ({"CidrBlock": "230.0.0.0/16"}, "InvalidVpc.Range", "230.0.0.0/16"),
        ({"CidrBlock": "10.0.0.0"}, "InvalidParameterValue", "cidrBlock"),
        ({"CidrBlock": "ten/16"}, "InvalidParameterValue", "ten/16"),
        ({}, "MissingParameter", "cidrBlock"),
        ({"CidrBlock": "10.0.0.0/16", "AmazonProvidedIpv6CidrBlock": True}, "", "ipv6"),
        ({"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "dedicated"}, "", "instanceTenancy"),
    ],
)
def test_a_wrong_vpc_is_refused(ec2: Any, arguments: dict[str, Any], code: str, word: str) -> None:
    refused, message = refusal(ec2.create_vpc, **arguments)
    assert refused == (code or "InvalidParameterValue")
    assert word.lower() in message.lower()
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_dns_flags_are_changed_one_at_a_time(ec2: Any) -> None:
    vpc = make_vpc(ec2)

    def flags() -> tuple[bool, bool]:
        support = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
        names = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
        return support["EnableDnsSupport"]["Value"], names["EnableDnsHostnames"]["Value"]

    assert flags() == (True, False)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    assert flags() == (False, True)
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    refused = refusal(ec2.modify_vpc_attribute, VpcId=vpc, **both)
    assert refused[0] == "InvalidParameterCombination"
    assert refusal(ec2.modify_vpc_attribute, VpcId=vpc)[0] == "MissingParameter"


def test_the_default_vpc_can_be_deleted_and_made_again(ec2: Any) -> None:
    assert refusal(ec2.create_default_vpc)[0] == "DefaultVpcAlreadyExists"
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    made = ec2.create_default_subnet(AvailabilityZone="us-east-1b")["Subnet"]
    assert (made["CidrBlock"], made["DefaultForAz"]) == ("172.31.0.0/20", True)
    code, message = refusal(ec2.create_default_subnet, AvailabilityZoneId="use1-az2")
    assert (code, made["SubnetId"] in message) == (
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
        True,
    )
    ec2.delete_subnet(SubnetId=made["SubnetId"])
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
    refused = refusal(ec2.create_default_subnet, AvailabilityZone="us-east-1a")
    assert refused[0] == "DefaultVpcDoesNotExist"
    refused = refusal(ec2.create_security_group, GroupName="web", Description="no VPC given")
    assert refused[0] == "VPCIdNotSpecified"
    assert ec2.create_default_vpc()["Vpc"]["IsDefault"] is True
    assert len(ec2.describe_subnets()["Subnets"]) == 3


def test_a_subnet_has_a_zone_and_a_range_of_its_own(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock="10.0.1.7/24",
        AvailabilityZoneId="use1-az2",
        TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "tier", "Value": "web"}]}],
    )["Subnet"]
    assert {k: subnet[k] for k in ("CidrBlock", "AvailabilityZone", "DefaultForAz")} == {
        "CidrBlock": "10.0.1.0/24",
        "AvailabilityZone": "us-east-1b",
        "DefaultForAz": False,
    }
    assert (subnet["AvailableIpAddressCount"], subnet["MapPublicIpOnLaunch"]) == (251, False)
    found = ec2.describe_subnets(Filters=[{"Name": "tag:tier", "Values": ["web"]}])["Subnets"]
    assert found == [subnet]
    smallest = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/28")["Subnet"]
    assert (smallest["AvailableIpAddressCount"], smallest["AvailabilityZone"]) == (11, "us-east-1a")


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (
            {"CidrBlock": "10.1.0.0/24"},
            ("InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid."),
        ),
        (
            {"CidrBlock": "10.0.0.0/15"},
            ("InvalidSubnet.Range", "The CIDR '10.0.0.0/15' is invalid."),
        ),
        (
            {"CidrBlock": "10.0.9.0/29"},
            ("InvalidSubnet.Range", "The CIDR '10.0.9.0/29' is invalid."),
        ),
        (
            {"CidrBlock": "10.0.1.128/25"},
            ("InvalidSubnet.Conflict", "The CIDR '10.0.1.128/25' conflicts with another subnet"),
        ),
        (
            {"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z"},
            (
                "InvalidParameterValue",
                "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can "
                "currently only be created in the following availability zones: us-east-1a, "
                "us-east-1b, us-east-1c.",
            ),
        ),
    ],
)
def test_a_wrong_subnet_is_refused(
    ec2: Any, arguments: dict[str, Any], refused: tuple[str, str]
) -> None:
    vpc = make_vpc(ec2)
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    assert refusal(ec2.create_subnet, VpcId=vpc, **arguments) == refused
    assert len(ec2.describe_subnets(Filters=in_vpc(vpc))["Subnets"]) == 1


def test_two_vpcs_may_have_the_same_range(ec2: Any) -> None:
    for vpc in (make_vpc(ec2), make_vpc(ec2)):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    assert refusal(ec2.create_subnet, VpcId="vpc-0", CidrBlock="10.0.1.0/24") == (
        "InvalidVpcID.NotFound",
        "The vpc ID 'vpc-0' does not exist",
    )


def test_a_subnet_maps_public_addresses_when_told_to(ec2: Any) -> None:
    subnet = ec2.create_subnet(VpcId=make_vpc(ec2), CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    (view,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert view["MapPublicIpOnLaunch"] is True
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    code, message = refusal(
        ec2.modify_subnet_attribute, SubnetId=subnet, EnableDns64={"Value": True}
    )
    assert (code, "enableDns64" in message) == ("InvalidParameterValue", True)


def test_a_subnet_with_a_load_balancer_or_an_endpoint_stays(api: Api, ec2: Any) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    first, second, third = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    api.client("elbv2").create_load_balancer(Name="web", Subnets=[first, second])
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.ecr.api",
        SubnetIds=[third],
    )
    for subnet in (first, second, third):
        assert refusal(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"


def test_a_load_balancer_that_faces_the_internet_needs_the_gateway(api: Api, ec2: Any) -> None:
    elbv2 = api.client("elbv2")
    vpc = make_vpc(ec2)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    assert refusal(elbv2.create_load_balancer, Name="web", Subnets=subnets) == (
        "InvalidSubnet",
        f"VPC {vpc} has no internet gateway",
    )
    elbv2.create_load_balancer(Name="inside", Subnets=subnets, Scheme="internal")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    attached = {"InternetGatewayId": gateway, "VpcId": vpc}
    ec2.attach_internet_gateway(**attached)
    ec2.detach_internet_gateway(**attached)
    ec2.attach_internet_gateway(**attached)
    elbv2.create_load_balancer(Name="web", Subnets=subnets)
    assert refusal(ec2.detach_internet_gateway, **attached)[0] == "DependencyViolation"


def test_a_dry_run_deletes_nothing(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    assert refusal(ec2.delete_vpc, VpcId=vpc, DryRun=True)[0] == "DryRunOperation"
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]


def test_an_internet_gateway_has_one_vpc_and_a_vpc_one_gateway(ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2)
    first, second = [
        ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2)
    ]
    ec2.attach_internet_gateway(InternetGatewayId=first, VpcId=vpc)
    assert refusal(ec2.attach_internet_gateway, InternetGatewayId=first, VpcId=other) == (
        "Resource.AlreadyAssociated",
        f"resource {first} is already attached to network {vpc}",
    )
    assert refusal(ec2.attach_internet_gateway, InternetGatewayId=second, VpcId=vpc) == (
        "InvalidParameterValue",
        f"Network {vpc} already has an internet gateway attached",
    )
    assert refusal(ec2.detach_internet_gateway, InternetGatewayId=second, VpcId=vpc) == (
        "Gateway.NotAttached",
        f"resource {second} is not attached to network {vpc}",
    )
    filters = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    (view,) = ec2.describe_internet_gateways(Filters=filters)["InternetGateways"]
    assert view["Attachments"] == [{"State": "available", "VpcId": vpc}]
    assert refusal(ec2.delete_internet_gateway, InternetGatewayId="igw-0") == (
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID 'igw-0' does not exist",
    )


@pytest.mark.parametrize(
    ("operation", "arguments", "refused"),
    [
        ("delete_subnet", {"SubnetId": "subnet-0"}, "InvalidSubnetID.NotFound"),
        ("delete_vpc", {"VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
        ("delete_route_table", {"RouteTableId": "rtb-0"}, "InvalidRouteTableID.NotFound"),
        ("describe_network_acls", {"NetworkAclIds": ["acl-0"]}, "InvalidNetworkAclID.NotFound"),
        ("describe_dhcp_options", {"DhcpOptionsIds": ["dopt-1"]}, "InvalidDhcpOptionID.NotFound"),
        ("describe_prefix_lists", {"PrefixListIds": ["pl-0"]}, "InvalidPrefixListID.NotFound"),
        ("describe_vpn_gateways", {"VpnGatewayIds": ["vgw-0"]}, "InvalidVpnGatewayID.NotFound"),
        (
            "describe_vpc_peering_connections",
            {"VpcPeeringConnectionIds": ["pcx-0"]},
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
        ("disassociate_route_table", {"AssociationId": "x"}, "InvalidAssociationID.NotFound"),
    ],
)
def test_what_is_not_there_is_named(
    ec2: Any, operation: str, arguments: dict[str, Any], refused: str
) -> None:
    code, message = refusal(getattr(ec2, operation), **arguments)
    assert code == refused
    assert "does not exist" in message


def test_gateways_tables_and_endpoints_are_tagged(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_tags(Resources=[gateway, table], Tags=[{"Key": "stage", "Value": "test"}])
    tags = ec2.describe_tags(Filters=[{"Name": "key", "Values": ["stage"]}])["Tags"]
    assert {t["ResourceType"] for t in tags} == {"internet-gateway", "route-table"}
    assert main_table(ec2, vpc)["Tags"] == [{"Key": "stage", "Value": "test"}]
