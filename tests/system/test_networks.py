"""A network made and taken down with the unmodified AWS CLI, as VPC tutorials do it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from hosts import network, sh
from tasks import Running, container, register, run

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


@contextmanager
def outside() -> Iterator[str]:
    """The address of a web server beyond every VPC: a namespace on a bridge of its own."""
    with network() as on:
        name, veth = f"{on.name}o", f"{on.name}vo"
        server = None
        try:
            sh("ip", "netns", "add", name)
            sh(*f"ip link add {veth} type veth peer name eth0 netns {name}".split())
            sh("ip", "link", "set", veth, "master", on.name, "up")
            sh("ip", "-n", name, "address", "add", f"{on.prefix}.77/24", "dev", "eth0")
            sh("ip", "-n", name, "link", "set", "eth0", "up")
            sh("ip", "-n", name, "route", "add", "default", "via", on.address)
            server = subprocess.Popen(
                ["ip", "netns", "exec", name, sys.executable, "-m", "http.server", "80"],
                cwd="/run/netns",  # nothing to list but names
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            yield f"{on.prefix}.77"
        finally:
            if server is not None:
                server.kill()
                server.wait(20)
            sh("ip", "link", "del", veth, check=False)
            sh("ip", "netns", "del", name, check=False)


def gets_out(task: Running, address: str) -> bool:
    """One real connection from inside the task, one second long at most."""
    command = f"timeout 1 wget -q -O /dev/null http://{address}/ && echo out || true"
    return "out" in docker("exec", task.containers()["main"]["Id"], "sh", "-c", command)


@pytest.mark.timeout(300)
def test_a_subnet_is_left_as_its_route_table_says_and_stays_while_a_task_is_in_it(
    control_plane: ControlPlane,
) -> None:
    plane, ec2 = control_plane, control_plane.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    private, public = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24")["Subnet"]["SubnetId"]
        for n in (1, 2)
    )
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    everywhere = {"DestinationCidrBlock": "0.0.0.0/0"}
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, GatewayId=gateway, **everywhere)
    ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=allocation)["NatGateway"]
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    (main,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]

    with outside() as address:
        task = run(
            plane,
            register(plane, container(), networkMode="awsvpc"),
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [private], "securityGroups": [group]}
            },
        )
        described = task.reaches("RUNNING", 60)
        (interface,) = described["containers"][0]["networkInterfaces"]
        assert interface["privateIpv4Address"].startswith("10.77.1.")
        (view,) = ec2.describe_subnets(SubnetIds=[private])["Subnets"]
        assert view["AvailableIpAddressCount"] == 250
        assert not gets_out(task, address)

        to_nat = {"RouteTableId": main["RouteTableId"], "NatGatewayId": nat["NatGatewayId"]}
        ec2.create_route(**to_nat, **everywhere)
        eventually("the task gets out through the NAT gateway", lambda: gets_out(task, address), 30)
        ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        eventually("the way out is closed", lambda: not gets_out(task, address), 30)

        for kind, arguments in (
            ("subnet", {"SubnetId": private}),
            ("security_group", {"GroupId": group}),
        ):
            with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
                getattr(ec2, f"delete_{kind}")(**arguments)
        task.stop()
        task.reaches("STOPPED")
    ec2.delete_security_group(GroupId=group)
    for subnet in (private, public):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
