"""Tasks with an interface of their own: addresses, shared localhost, security groups in force."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

PAUSE = "~internal~ecs~pause"
WEB = "mkdir -p /tmp/w; echo hello > /tmp/w/index.html; httpd -f -p 80 -h /tmp/w"


def subnets(plane: ControlPlane) -> list[str]:
    return [s["SubnetId"] for s in plane.client("ec2").describe_subnets()["Subnets"]]


def security_group(plane: ControlPlane) -> str:
    """A group of the default VPC without ingress rules."""
    ec2 = plane.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    name = f"g-{uuid.uuid4().hex[:8]}"
    group: str = ec2.create_security_group(GroupName=name, Description="test", VpcId=vpc)["GroupId"]
    return group


def allow(plane: ControlPlane, group: str, **source: Any) -> list[dict[str, Any]]:
    permissions = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **source}]
    plane.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return permissions


def network(plane: ControlPlane, *groups: str) -> dict[str, Any]:
    configuration = {"subnets": subnets(plane)[:1], "securityGroups": list(groups)}
    return {"awsvpcConfiguration": configuration}


def run_web(plane: ControlPlane, group: str, *more: dict[str, Any]) -> Running:
    definition = register(
        plane,
        container("web", WEB, portMappings=[{"containerPort": 80}]),
        *more,
        networkMode="awsvpc",
    )
    return run(plane, definition, networkConfiguration=network(plane, group))


def run_client(plane: ControlPlane, group: str) -> Running:
    definition = register(plane, container("client"), networkMode="awsvpc")
    return run(plane, definition, networkConfiguration=network(plane, group))


def address(task: Running) -> str:
    found: str = task.describe()["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    return found


def inside(task: Running, command: str, name: str) -> str:
    return docker("exec", task.containers()[name]["Id"], "sh", "-c", command)


def reaches(client: Running, target: str) -> bool:
    """One real connection from inside a task, 1 s long at most."""
    command = f"timeout 1 wget -q -O - http://{target}/ || true"
    return "hello" in inside(client, command, "client")


def test_a_task_has_an_interface_and_its_containers_share_localhost(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    task = run_web(plane, security_group(plane), container("side", essential=False))
    described = task.reaches("RUNNING")
    attachment = described["attachments"][0]
    assert attachment["status"] == "ATTACHED"
    details = {d["name"]: d["value"] for d in attachment["details"]}
    assert details["privateIPv4Address"] == address(task)
    assert "hello" in inside(task, "wget -q -O - http://127.0.0.1/", "side")
    shown = inside(task, "cat /proc/net/route; hostname", "side")
    assert details["privateDnsName"] in shown
    metadata = json.loads(inside(task, "wget -q -O - $ECS_CONTAINER_METADATA_URI_V4", "side"))
    assert metadata["Networks"][0]["IPv4Addresses"] == [details["privateIPv4Address"]]
    assert metadata["Networks"][0]["MACAddress"] == details["macAddress"]
    task.stop()
    task.reaches("STOPPED")
    interfaces = plane.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    assert details["networkInterfaceId"] not in {i["NetworkInterfaceId"] for i in interfaces}
    # Nothing answers there any more, and nobody's packets leave for elsewhere.
    left = [line for line in routes().splitlines() if details["privateIPv4Address"] in line]
    assert [line.split()[0] for line in left] == ["unreachable"]


def routes() -> str:
    return subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout


def test_security_groups_are_in_force_and_follow_changes_within_a_second(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    guarded, friends, strangers = (security_group(plane) for _ in range(3))
    permissions = allow(plane, guarded, UserIdGroupPairs=[{"GroupId": friends}])
    web, friend, stranger = (
        run_web(plane, guarded),
        run_client(plane, friends),
        run_client(plane, strangers),
    )
    for task in (web, friend, stranger):
        task.reaches("RUNNING")
    eventually("the friend is let in", lambda: reaches(friend, address(web)), 10)
    assert not reaches(stranger, address(web))
    plane.client("ec2").revoke_security_group_ingress(GroupId=guarded, IpPermissions=permissions)
    eventually("the friend is shut out", lambda: not reaches(friend, address(web)), 10)
    allow(plane, guarded, IpRanges=[{"CidrIp": f"{address(stranger)}/32"}])
    eventually("the stranger is let in", lambda: reaches(stranger, address(web)), 10)
    assert not reaches(friend, address(web))
    for task in (web, friend, stranger):
        task.stop()


def test_a_task_ends_with_what_holds_its_namespaces(shared_control_plane: ControlPlane) -> None:
    """As an essential container's end: what starts later could not join them."""
    plane = shared_control_plane
    by_event = run_web(plane, security_group(plane))
    by_look = run_web(plane, security_group(plane))
    for task in (by_event, by_look):
        task.reaches("RUNNING")
    docker("kill", by_event.containers()[PAUSE]["Id"])
    stopped = by_event.reaches("STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert {c["lastStatus"] for c in stopped["containers"]} == {"STOPPED"}
    plane.stop()  # its agent does not see this end
    docker("kill", by_look.containers()[PAUSE]["Id"])
    plane.start()
    assert by_look.reaches("STOPPED")["stopCode"] == "EssentialContainerExited"
