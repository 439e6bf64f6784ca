"""A VPC with two subnets and an internet gateway, made through boto3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api_client import Api


@dataclass
class NetworkWorld:
    api: Api
    ec2: Any
    vpc: str
    subnets: list[str]
    gateway: str
    table: str
    group: str

    def free(self, number: int = 0) -> int:
        """How many addresses a subnet has left."""
        (view,) = self.ec2.describe_subnets(SubnetIds=[self.subnets[number]])["Subnets"]
        assert isinstance(view["AvailableIpAddressCount"], int)
        return view["AvailableIpAddressCount"]

    def interface(self, **arguments: Any) -> Any:
        """A user's own interface in the first subnet."""
        given = {"SubnetId": self.subnets[0], **arguments}
        return self.ec2.create_network_interface(**given)["NetworkInterface"]

    def address(self) -> Any:
        return self.ec2.allocate_address(Domain="vpc")


def network_world() -> NetworkWorld:
    api = Api()
    ec2 = api.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/28")["Subnet"]["SubnetId"]
        for n in range(2)
    ]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return NetworkWorld(api, ec2, vpc, subnets, gateway, table["RouteTableId"], group["GroupId"])
