"""A service whose tasks have addresses of their own, behind a load balancer."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from load import Load
from web_service import SERVE_WHOLE, WebService, create_web_service, register

pytestmark = pytest.mark.docker

GROUPS = ("own-address-lb", "own-address-web")


@pytest.fixture(scope="module")
def service(shared_control_plane: ControlPlane) -> WebService:
    """Two tasks that let in their load balancer's security group and nobody else."""
    ec2 = shared_control_plane.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    balancers, tasks = (
        ec2.create_security_group(GroupName=n, Description=n, VpcId=subnets[0]["VpcId"])["GroupId"]
        for n in GROUPS
    )
    from_balancers = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "UserIdGroupPairs": [{"GroupId": balancers}],
    }
    from_everywhere = {
        "IpProtocol": "tcp",
        "FromPort": 0,
        "ToPort": 65535,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    }
    ec2.authorize_security_group_ingress(GroupId=balancers, IpPermissions=[from_everywhere])
    ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[from_balancers])
    network = {
        "awsvpcConfiguration": {
            "subnets": [subnet["SubnetId"] for subnet in subnets],
            "securityGroups": [tasks],
        }
    }
    return create_web_service(
        shared_control_plane,
        name="own-address",
        command=SERVE_WHOLE,
        network=network,
        security_groups=[balancers],
    )


def addresses(service: WebService) -> dict[str, str]:
    """The tasks' own addresses, as DescribeTasks says, by task."""
    found = {}
    for task in service.tasks():
        (attachment,) = task["attachments"]
        details = {d["name"]: d["value"] for d in attachment["details"]}
        found[task["taskArn"]] = details["privateIPv4Address"]
    return found


def interfaces(service: WebService) -> list[dict[str, Any]]:
    """The network interfaces of tasks, as EC2 says."""
    ec2 = service.control_plane.client("ec2")
    of_tasks = [{"Name": "description", "Values": ["arn:aws:ecs:*"]}]
    found: list[dict[str, Any]] = ec2.describe_network_interfaces(Filters=of_tasks)[
        "NetworkInterfaces"
    ]
    return found


def roll(service: WebService, version: str) -> str:
    definition = register(
        service.control_plane, version, service.name, SERVE_WHOLE, network_mode="awsvpc"
    )
    service.control_plane.client("ecs").update_service(
        cluster=service.control_plane.cluster, service=service.name, taskDefinition=definition
    )
    return definition


def test_every_task_is_a_target_by_its_own_address(service: WebService) -> None:
    own = addresses(service)
    assert len(set(own.values())) == 2
    targets = service.healthy_targets()
    assert {(t["Target"]["Id"], t["Target"]["Port"]) for t in targets} == {
        (address, 80) for address in own.values()
    }
    assert {i["PrivateIpAddress"] for i in interfaces(service)} == set(own.values())
    for task in service.tasks():
        assert task["attachments"][0]["status"] == "ATTACHED"
        assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    hosts = {i["Attachment"]["InstanceId"] for i in interfaces(service)}
    assert len(hosts) == 1


def test_what_tasks_use_can_not_be_deleted(service: WebService) -> None:
    ec2 = service.control_plane.client("ec2")
    interface = interfaces(service)[0]
    group, subnet = interface["Groups"][0]["GroupId"], interface["SubnetId"]
    for call, arguments in (
        (ec2.delete_security_group, {"GroupId": group}),
        (ec2.delete_subnet, {"SubnetId": subnet}),
    ):
        with pytest.raises(ec2.exceptions.ClientError) as refused:
            call(**arguments)
        assert refused.value.response["Error"]["Code"] == "DependencyViolation"


def test_a_rolling_update_under_load_fails_no_request(service: WebService) -> None:
    before = addresses(service)
    with Load(service.url, rate=300) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 200)
        roll(service, "v2")
        service.wait_completed()
        enough = load.bodies["v2"] + 500
        eventually("the new tasks answer", lambda: load.bodies["v2"] > enough)
    assert load.failures == []
    after = addresses(service)
    assert not set(after.values()) & set(before.values())

    def only_new_ones() -> bool:
        return {i["PrivateIpAddress"] for i in interfaces(service)} == set(after.values())

    eventually("the old tasks' interfaces are deleted", only_new_ones)


def test_a_killed_container_is_replaced_and_no_request_fails(service: WebService) -> None:
    """Its address is gone before the load balancer knows: nobody else may answer there."""
    plane, before = service.control_plane, addresses(service)
    with Load(service.url, rate=300) as load:
        eventually("traffic flows", lambda: load.sent > 100)
        web = next(c for c in plane.containers() if "pause" not in c["Name"])
        docker("kill", web["Id"])

        def replaced() -> bool:
            own = addresses(service)
            return len(own) == 2 and own != before and len(service.healthy_targets()) == 2

        eventually("the task is replaced and receives traffic", replaced)
    assert load.failures == []


def test_addresses_are_kept_over_a_kill_of_the_control_plane(service: WebService) -> None:
    plane = service.control_plane
    with Load(service.url, rate=100) as load:
        eventually("traffic flows", lambda: load.sent > 50)
        definition = roll(service, "v3")
        eventually("the update is under way", lambda: len(interfaces(service)) > 2)
        plane.kill()
        plane.start()
        service.wait_completed()
        assert service.describe()["taskDefinition"].endswith(f"/{definition}")
        eventually("the new tasks answer", lambda: load.bodies["v3"] > 50)
    assert load.failures == []

    def same() -> bool:
        own = set(addresses(service).values())
        return len(own) == 2 and own == {i["PrivateIpAddress"] for i in interfaces(service)}

    eventually("an interface for each task and no other", same)


def test_a_deleted_service_leaves_no_interface(service: WebService) -> None:
    plane = service.control_plane
    ec2, ecs = plane.client("ec2"), plane.client("ecs")
    group = interfaces(service)[0]["Groups"][0]["GroupId"]
    ecs.delete_service(cluster=plane.cluster, service=service.name, force=True)
    eventually("the interfaces are deleted", lambda: not interfaces(service), 60)
    ec2.delete_security_group(GroupId=group)
    stopped = service.tasks("STOPPED")
    assert stopped
    assert {t["attachments"][0]["status"] for t in stopped} == {"DELETED"}
