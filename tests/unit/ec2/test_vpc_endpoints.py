"""VPC endpoints through boto3: made, changed, refused, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.decide.reach import By, NoWay, Origin, Way, way_to_service
from homeport.scheduling.networks import network_of

ECR, S3 = "com.amazonaws.us-east-1.ecr.api", "com.amazonaws.us-east-1.s3"


@dataclass
class World:
    api: Api
    ec2: Any
    vpc: str
    subnets: list[str]
    table: str
    group: str

    def endpoint(self, service: str, **arguments: Any) -> Any:
        return self.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=service, **arguments)

    def interface(self, **arguments: Any) -> Any:
        given = {"VpcEndpointType": "Interface", "SubnetIds": self.subnets[:1], **arguments}
        return self.endpoint(ECR, **given)["VpcEndpoint"]

    def refused(self, service: str, **arguments: Any) -> tuple[str, str]:
        return refusal(
            self.ec2.create_vpc_endpoint, VpcId=self.vpc, ServiceName=service, **arguments
        )

    def way(self, service: str) -> Way | NoWay:
        with self.api.store.transaction() as tx:
            network = network_of(tx, self.vpc)
        assert network is not None
        return way_to_service(
            network, Origin(self.subnets[0], security_groups=(self.group,)), service
        )


@pytest.fixture
def world() -> Iterator[World]:
    api = Api()
    ec2 = api.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate(("us-east-1a", "us-east-1b", "us-east-1b"))
    ]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    yield World(api, ec2, vpc, subnets, table["RouteTableId"], group["GroupId"])
    api.close()


def test_an_isolated_subnet_reaches_ecr_once_it_has_the_endpoint(world: World) -> None:
    assert isinstance(world.way(ECR), NoWay)
    endpoint = world.interface()
    assert endpoint["State"] == "available"
    assert endpoint["PrivateDnsEnabled"] is True
    assert [g["GroupName"] for g in endpoint["Groups"]] == ["default"]
    way = world.way(ECR)
    assert isinstance(way, Way)
    assert way.by is By.INTERFACE_ENDPOINT
    world.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    assert isinstance(world.way(ECR), NoWay)


def test_a_gateway_endpoint_is_a_route_of_its_tables(world: World) -> None:
    endpoint = world.endpoint(S3, RouteTableIds=[world.table])["VpcEndpoint"]
    assert endpoint["VpcEndpointType"] == "Gateway"
    way = world.way(S3)
    assert isinstance(way, Way)
    assert way.by is By.GATEWAY_ENDPOINT
    (table,) = world.ec2.describe_route_tables(RouteTableIds=[world.table])["RouteTables"]
    route = table["Routes"][1]
    assert (route["GatewayId"], route["State"]) == (endpoint["VpcEndpointId"], "active")
    filters = [{"Name": "prefix-list-name", "Values": [S3]}]
    (prefixes,) = world.ec2.describe_prefix_lists(Filters=filters)["PrefixLists"]
    assert prefixes["PrefixListId"] == route["DestinationPrefixListId"]
    (managed,) = world.ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    assert managed["PrefixListId"] == route["DestinationPrefixListId"]
    code, message = world.refused(S3, RouteTableIds=[world.table])
    assert (code, world.table in message) == ("RouteAlreadyExists", True)


def test_a_deleted_table_is_forgotten_by_its_endpoints(world: World) -> None:
    table = world.ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    endpoint = world.endpoint(S3, RouteTableIds=[table])["VpcEndpoint"]["VpcEndpointId"]
    world.ec2.delete_route_table(RouteTableId=table)
    (view,) = world.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert view["RouteTableIds"] == []


@pytest.mark.parametrize(
    ("service", "arguments", "code", "word"),
    [
        ("com.amazonaws.us-east-1.none", {}, "InvalidServiceName", "us-east-1.none"),
        ("com.amazonaws.eu-west-1.s3", {}, "InvalidServiceName", "eu-west-1"),
        (
            ECR,
            {},
            "InvalidParameter",
            "Endpoint type (Gateway) does not match available service types ([Interface]).",
        ),
        (S3, {"SubnetIds": ["subnet-0"]}, "InvalidParameter", "Subnet IDs"),
        (S3, {"PrivateDnsEnabled": True}, "InvalidParameter", "Private DNS"),
        (S3, {"RouteTableIds": ["rtb-0"]}, "InvalidRouteTableID.NotFound", "rtb-0"),
        (S3, {"PolicyDocument": "{"}, "InvalidPolicyDocument", "policyDocument"),
        (
            ECR,
            {"VpcEndpointType": "Interface", "RouteTableIds": ["rtb-0"]},
            "InvalidParameter",
            "Route table",
        ),
        (
            ECR,
            {"VpcEndpointType": "Interface", "SubnetIds": ["subnet-0"]},
            "InvalidSubnetID.NotFound",
            "subnet-0",
        ),
        (
            ECR,
            {"VpcEndpointType": "Interface", "SecurityGroupIds": ["sg-0"]},
            "InvalidGroup.NotFound",
            "sg-0",
        ),
        (
            ECR,
            {"VpcEndpointType": "Interface", "IpAddressType": "dualstack"},
            "InvalidParameter",
            "ipAddressType",
        ),
    ],
)
def test_a_wrong_endpoint_is_refused(
    world: World, service: str, arguments: dict[str, Any], code: str, word: str
) -> None:
    refused, message = world.refused(service, **arguments)
    assert (refused, word in message) == (code, True), message
    assert world.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_private_dns_needs_dns_and_is_taken_once(world: World) -> None:
    world.interface()
    code, message = world.refused(ECR, VpcEndpointType="Interface")
    assert code == "InvalidParameter"
    assert "conflicting DNS domain for api.ecr.us-east-1.amazonaws.com" in message
    world.interface(PrivateDnsEnabled=False)
    world.ec2.modify_vpc_attribute(VpcId=world.vpc, EnableDnsHostnames={"Value": False})
    code, message = world.refused("com.amazonaws.us-east-1.logs", VpcEndpointType="Interface")
    assert code == "InvalidParameter"
    assert "requires both enableDnsSupport and enableDnsHostnames" in message


def test_an_interface_endpoint_has_one_subnet_in_a_zone(world: World) -> None:
    code, message = world.refused(ECR, VpcEndpointType="Interface", SubnetIds=world.subnets)
    assert (code, world.subnets[2] in message) == ("DuplicateSubnetsInSameZone", True)


def test_an_endpoint_is_changed_member_by_member(world: World) -> None:
    ec2 = world.ec2
    endpoint = world.interface()["VpcEndpointId"]
    group = ec2.create_security_group(GroupName="ecr", Description="ecr", VpcId=world.vpc)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        AddSubnetIds=[world.subnets[1]],
        AddSecurityGroupIds=[group["GroupId"]],
        RemoveSecurityGroupIds=[world.group],
        PrivateDnsEnabled=False,
        PolicyDocument='{"Statement": []}',
    )
    (view,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert view["SubnetIds"] == world.subnets[:2]
    assert [g["GroupName"] for g in view["Groups"]] == ["ecr"]
    assert (view["PrivateDnsEnabled"], view["PolicyDocument"]) == (False, '{"Statement": []}')
    refused = refusal(ec2.delete_security_group, GroupId=group["GroupId"])
    assert refused[0] == "DependencyViolation"
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    (view,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert '"Effect": "Allow"' in view["PolicyDocument"]
    code, _ = refusal(
        ec2.modify_vpc_endpoint, VpcEndpointId=endpoint, AddRouteTableIds=[world.table]
    )
    assert code == "InvalidParameter"


def test_the_same_client_token_makes_one_endpoint(world: World) -> None:
    first = world.interface(ClientToken="one")
    assert world.interface(ClientToken="one") == first
    code, _ = world.refused(S3, ClientToken="one")
    assert code == "IdempotentParameterMismatch"


def test_deleting_names_what_was_not_there(world: World) -> None:
    endpoint = world.interface()["VpcEndpointId"]
    answer = world.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint, "vpce-0"])
    (failed,) = answer["Unsuccessful"]
    assert (failed["ResourceId"], failed["Error"]["Code"]) == (
        "vpce-0",
        "InvalidVpcEndpoint.NotFound",
    )
    assert refusal(world.ec2.describe_vpc_endpoints, VpcEndpointIds=[endpoint]) == (
        "InvalidVpcEndpointId.NotFound",
        f"The Vpc Endpoint Id '{endpoint}' does not exist",
    )


def test_the_services_that_tasks_need_have_endpoints(world: World) -> None:
    answer = world.ec2.describe_vpc_endpoint_services()
    needed = ("ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager", "ssm", "ssmmessages", "ecs")
    assert {f"com.amazonaws.us-east-1.{name}" for name in needed} <= set(answer["ServiceNames"])
    (details,) = world.ec2.describe_vpc_endpoint_services(ServiceNames=[ECR])["ServiceDetails"]
    assert details["PrivateDnsName"] == "api.ecr.us-east-1.amazonaws.com"
    assert details["ServiceType"] == [{"ServiceType": "Interface"}]
    both = world.ec2.describe_vpc_endpoint_services(ServiceNames=[S3])
    assert len(both["ServiceDetails"]) == 2
    assert both["ServiceNames"] == [S3]
    refused = refusal(world.ec2.describe_vpc_endpoint_services, ServiceNames=["none"])
    assert refused == ("InvalidServiceName", "The Vpc Endpoint Service 'none' does not exist")
