"""A network made and taken down with the unmodified AWS CLI, as VPC tutorials do it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane

pytestmark = pytest.mark.docker


def refusal(plane: ControlPlane, *arguments: str) -> str:
    """What the CLI prints when it is refused."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name("aws")), *arguments],
        env=plane.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode != 0, f"aws {' '.join(arguments)} was accepted"
    return result.stderr.strip()


@pytest.mark.timeout(300)
def test_a_public_subnet_by_the_aws_cli_outlives_a_kill_and_goes_in_order(
    control_plane: ControlPlane,
) -> None:
    def ec2(*arguments: str) -> Any:
        return control_plane.aws("ec2", *arguments)

    vpc = ec2(
        "create-vpc", "--cidr-block", "10.20.0.0/16",
        "--tag-specifications", "ResourceType=vpc,Tags=[{Key=Name,Value=tutorial}]",
    )["Vpc"]["VpcId"]  # fmt: skip
    ec2("wait", "vpc-available", "--vpc-ids", vpc)
    ec2("modify-vpc-attribute", "--vpc-id", vpc, "--enable-dns-hostnames")
    subnet = ec2(
        "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.20.1.0/24",
        "--availability-zone", "us-east-1b",
    )["Subnet"]["SubnetId"]  # fmt: skip
    ec2("modify-subnet-attribute", "--subnet-id", subnet, "--map-public-ip-on-launch")
    gateway = ec2("create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
    ec2("attach-internet-gateway", "--vpc-id", vpc, "--internet-gateway-id", gateway)
    table = ec2("create-route-table", "--vpc-id", vpc)["RouteTable"]["RouteTableId"]
    ec2(
        "create-route", "--route-table-id", table,
        "--destination-cidr-block", "0.0.0.0/0", "--gateway-id", gateway,
    )  # fmt: skip
    association = ec2("associate-route-table", "--subnet-id", subnet, "--route-table-id", table)
    group = ec2(
        "create-security-group", "--group-name", "web", "--description", "web", "--vpc-id", vpc
    )["GroupId"]
    ec2(
        "authorize-security-group-ingress", "--group-id", group,
        "--protocol", "tcp", "--port", "80", "--cidr", "0.0.0.0/0",
    )  # fmt: skip

    control_plane.kill()
    control_plane.start()

    (view,) = ec2("describe-route-tables", "--route-table-ids", table)["RouteTables"]
    assert [r.get("GatewayId") for r in view["Routes"]] == ["local", gateway]
    assert view["Associations"][0]["SubnetId"] == subnet
    (view,) = ec2("describe-subnets", "--filters", f"Name=vpc-id,Values={vpc}")["Subnets"]
    assert (view["AvailableIpAddressCount"], view["MapPublicIpOnLaunch"]) == (251, True)
    assert ec2("describe-vpcs", "--filters", "Name=tag:Name,Values=tutorial")["Vpcs"]

    assert refusal(control_plane, "ec2", "delete-vpc", "--vpc-id", vpc).endswith(
        "An error occurred (DependencyViolation) when calling the DeleteVpc operation: "
        f"The vpc '{vpc}' has dependencies and cannot be deleted."
    )
    ec2("delete-security-group", "--group-id", group)
    ec2("disassociate-route-table", "--association-id", association["AssociationId"])
    ec2("delete-route-table", "--route-table-id", table)
    ec2("detach-internet-gateway", "--internet-gateway-id", gateway, "--vpc-id", vpc)
    ec2("delete-internet-gateway", "--internet-gateway-id", gateway)
    ec2("delete-subnet", "--subnet-id", subnet)
    ec2("delete-vpc", "--vpc-id", vpc)
    assert "InvalidVpcID.NotFound" in refusal(
        control_plane, "ec2", "describe-vpcs", "--vpc-ids", vpc
    )
