"""FARGATE tasks run on hosts that nobody sees, within one limit, or say why they can't start."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from images import busybox_image
from roles import task_role
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

MIB = 1024 * 1024
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
# Holds 300 MiB once /tmp/go is there.
EAT = """
while ! test -e /tmp/go; do sleep 0.1; done
{ head -c 300m /dev/zero; touch /tmp/full; while echo; do sleep 0.2; done; } |
tail -c 300m >/dev/null
"""


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


def fargate(plane: ControlPlane, *containers: dict[str, Any], **members: Any) -> str:
    """A definition for the smallest task, unless told otherwise."""
    return register(
        plane,
        *containers,
        **{
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": ".25 vCPU",
            "memory": "0.5 GB",
            **members,
        },
    )


def network(plane: ControlPlane, *subnets: str, public: bool = True) -> dict[str, Any]:
    """Those subnets, else one of the default VPC."""
    described = plane.client("ec2").describe_subnets()["Subnets"]
    default = [s["SubnetId"] for s in described if s["DefaultForAz"]]
    return {
        "awsvpcConfiguration": {
            "subnets": list(subnets or default[:1]),
            "assignPublicIp": "ENABLED" if public else "DISABLED",
        }
    }


def execution_role(plane: ControlPlane) -> str:
    """What the tutorials call ``ecsTaskExecutionRole``."""
    iam = plane.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    name = f"execution-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    arn: str = role["Arn"]
    return arn


def start(plane: ControlPlane, definition: str, **members: Any) -> Running:
    values = {"launchType": "FARGATE", "networkConfiguration": network(plane), **members}
    return run(plane, definition, **values)


def inside(task: Running, name: str, command: str) -> str:
    return docker("exec", task.containers()[name]["Id"], "sh", "-c", command).strip()


def test_a_fargate_task_has_a_platform_and_no_instance(plane: ControlPlane) -> None:
    task = start(plane, fargate(plane, container("one"), container("two")))
    seen = task.reaches("RUNNING")
    assert "containerInstanceArn" not in seen
    assert (seen["launchType"], seen["platformVersion"]) == ("FARGATE", "1.4.0")
    assert (seen["cpu"], seen["memory"]) == ("256", "512")
    assert seen["ephemeralStorage"] == {"sizeInGiB": 20}
    assert inside(task, "one", "echo $AWS_EXECUTION_ENV") == "AWS_ECS_FARGATE"
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(inside(task, "one", "ulimit -n")) == min(65535, most)
    ecs = plane.client("ecs")
    (cluster,) = ecs.describe_clusters(clusters=[plane.cluster], include=["STATISTICS"])["clusters"]
    statistics = {s["name"]: s["value"] for s in cluster["statistics"]}
    assert statistics["runningFargateTasksCount"] == "1"
    assert statistics["runningEC2TasksCount"] == "0"
    (host,) = ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"]
    listed = ecs.list_tasks(cluster=plane.cluster, containerInstance=host)
    assert listed["taskArns"] == []
    task.stop()
    task.reaches("STOPPED")


def test_the_tasks_limit_holds_over_two_containers_together(plane: ControlPlane) -> None:
    """512 MiB for the task: each container may have 400 and takes 300."""
    sizes = {"memory": 400, "memoryReservation": 64}
    task = start(plane, fargate(plane, *(container(name, EAT, **sizes) for name in ("one", "two"))))
    task.reaches("RUNNING")
    inside(task, "one", "touch /tmp/go")
    eventually("one holds 300 MiB", lambda: "full" in inside(task, "one", "ls /tmp"), 60)
    assert task.describe()["lastStatus"] == "RUNNING"
    inside(task, "two", "touch /tmp/go")
    seen = task.reaches("STOPPED", 60)
    reason = "OutOfMemoryError: Container killed due to memory usage"
    killed = [c for c in seen["containers"] if c.get("reason") == reason]
    assert [c["exitCode"] for c in killed] == [137], seen["containers"]
    assert seen["stopCode"] == "EssentialContainerExited"


def test_without_room_run_task_fails_and_a_service_says_why(plane: ControlPlane) -> None:
    huge = fargate(plane, container(), cpu="32 vCPU", memory="244 GB")
    ecs = plane.client("ecs")
    request = {
        "cluster": plane.cluster,
        "taskDefinition": huge,
        "launchType": "FARGATE",
        "networkConfiguration": network(plane),
    }
    unavailable = (
        "Capacity is unavailable at this time. Please try again later or in a different "
        "availability zone"
    )
    answer = ecs.run_task(**request)
    assert not answer["tasks"]
    assert [f["reason"] for f in answer["failures"]] == [unavailable]
    ecs.create_service(serviceName="huge", desiredCount=1, **request)

    def event() -> bool:
        (service,) = ecs.describe_services(cluster=plane.cluster, services=["huge"])["services"]
        return any(f"Reason: {unavailable}." in e["message"] for e in service["events"])

    eventually("an event says why", event, 30)
    lines = why(plane, "huge")
    assert "1 tasks are missing. On each host of the platform:" in lines
    assert any("32768 CPU units are asked for" in line for line in lines), lines
    ecs.delete_service(cluster=plane.cluster, service="huge", force=True)


def why(plane: ControlPlane, name: str) -> list[str]:
    said = subprocess.run(
        [sys.executable, "-m", "homeport", "why", name, "--cluster", plane.cluster],
        env=plane.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


# -- a subnet without a way out -----------------------------------------------------------------


@pytest.fixture
def ecr_image() -> Iterator[str]:
    """An image that is named by a repository of ECR and is on this host already."""
    name = f"{REGISTRY}/test-{uuid.uuid4().hex[:8]}:1"
    docker("tag", busybox_image(), name)
    yield name
    docker("rmi", name)


@pytest.fixture
def private_subnet(plane: ControlPlane) -> tuple[str, str]:
    """VPC and subnet: no gateway, no endpoint."""
    ec2 = plane.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    return vpc, subnet


def test_a_private_subnet_needs_every_endpoint_of_ecr(
    plane: ControlPlane, ecr_image: str, private_subnet: tuple[str, str]
) -> None:
    vpc, subnet = private_subnet
    ec2 = plane.client("ec2")
    definition = fargate(
        plane,
        container() | {"image": ecr_image},
        executionRoleArn=task_role(plane),
    )

    def reason() -> str:
        task = start(plane, definition, networkConfiguration=network(plane, subnet, public=False))
        seen = task.reaches("STOPPED")
        assert seen["stopCode"] == "TaskFailedToStart"
        assert not task.containers()
        return str(seen["stoppedReason"])

    def endpoint(service: str, kind: str = "Interface", **members: Any) -> None:
        name = f"com.amazonaws.us-east-1.{service}"
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=name, VpcEndpointType=kind, **members)

    assert reason().startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot "
        "pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration."
    )
    endpoint("ecr.api", SubnetIds=[subnet], PrivateDnsEnabled=True)
    assert reason().startswith(
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to "
        f"resolve ref {ecr_image}: failed to do request: Head "
    )
    endpoint("ecr.dkr", SubnetIds=[subnet], PrivateDnsEnabled=True)
    assert reason().startswith(
        f"CannotPullContainerError: The task cannot pull {ecr_image} from the registry {ecr_image}."
        " There is a connection issue between the task and the registry."
    )
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    (table,) = [table["RouteTableId"] for table in tables["RouteTables"]]
    endpoint("s3", "Gateway", RouteTableIds=[table])
    task = start(plane, definition, networkConfiguration=network(plane, subnet, public=False))
    task.reaches("RUNNING")
    task.stop()
    task.reaches("STOPPED")


def test_a_public_subnet_needs_a_public_address(plane: ControlPlane, ecr_image: str) -> None:
    definition = fargate(
        plane,
        container() | {"image": ecr_image},
        executionRoleArn=task_role(plane),
    )
    hidden = start(plane, definition, networkConfiguration=network(plane, public=False))
    assert "the interface has no public IP address" in hidden.reaches("STOPPED")["stoppedReason"]
    task = start(plane, definition, networkConfiguration=network(plane, public=True))
    task.reaches("RUNNING")
    task.stop()
    task.reaches("STOPPED")


# -- hosts --------------------------------------------------------------------------------------


def test_a_host_of_the_platform_is_in_no_users_cluster(plane: ControlPlane, tmp_path: Path) -> None:
    ecs = plane.client("ecs")
    before = ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"]
    with open(tmp_path / "agent.log", "ab") as log:
        agent = subprocess.Popen(
            [
                *(sys.executable, "-m", "homeport", "agent", "--platform"),
                *("--endpoint", plane.endpoint, "--data", str(tmp_path / "agent")),
            ],
            env=plane.environment(),
            stdout=log,
            stderr=log,
        )
    try:

        def joined() -> list[str]:
            try:
                answer = ecs.list_container_instances(cluster="homeport-platform")
            except ecs.exceptions.ClusterNotFoundException:
                return []
            arns: list[str] = answer["containerInstanceArns"]
            return arns

        (arn,) = eventually("the host joins the platform", joined, 30)
        after = ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"]
        assert after == before
    finally:
        agent.terminate()
        agent.wait(20)
    ecs.deregister_container_instance(cluster="homeport-platform", containerInstance=arn)


def test_a_definition_as_one_writes_it_for_fargate_runs_as_it_is(plane: ControlPlane) -> None:
    """Log driver, ordering, health, a shared scratch volume, kernel parameters, a processor."""
    group = f"/ecs/{uuid.uuid4().hex[:8]}"
    plane.client("logs").create_log_group(logGroupName=group)
    logs = {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": group,
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "web",
        },
    }
    scratch = {"sourceVolume": "scratch", "containerPath": "/scratch"}
    web = container(
        "web",
        "echo up > /scratch/web; echo serving; httpd -f -p 8080 -h /tmp",
        portMappings=[{"containerPort": 8080, "name": "http", "appProtocol": "http"}],
        healthCheck={"command": ["CMD-SHELL", "test -e /scratch/web"], "interval": 5},
        mountPoints=[scratch],
        ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
        linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["MKNOD"]}},
        logConfiguration=logs,
        stopTimeout=5,
    )
    side = container(
        "side",
        "cat /scratch/web; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; sleep 600",
        essential=False,
        dependsOn=[{"containerName": "web", "condition": "HEALTHY"}],
        mountPoints=[{**scratch, "readOnly": True}],
        logConfiguration=logs,
        readonlyRootFilesystem=True,
        systemControls=[{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "70"}],
    )
    definition = fargate(
        plane,
        web,
        side,
        executionRoleArn=execution_role(plane),
        volumes=[{"name": "scratch", "host": {}}],
        ephemeralStorage={"sizeInGiB": 30},
        runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
    )
    task = start(plane, definition)
    seen = task.reaches("RUNNING", 60)
    assert seen["ephemeralStorage"] == {"sizeInGiB": 30}
    stream = f"web/side/{task.arn.rsplit('/', 1)[-1]}"

    def printed() -> list[str]:
        try:
            answer = plane.client("logs").get_log_events(logGroupName=group, logStreamName=stream)
        except plane.client("logs").exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in answer["events"]]

    eventually("its output is in CloudWatch Logs", lambda: printed() == ["up", "70"], 30)
    task.stop()
    task.reaches("STOPPED")
    plane.client("logs").delete_log_group(logGroupName=group)
    failed = start(plane, definition).reaches("STOPPED")
    assert (failed["stopCode"], failed["stoppedReason"]) == (
        "TaskFailedToStart",
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The "
        "specified log group does not exist. : exit status 1",
    )


def test_a_service_divides_its_tasks_between_fargate_and_spot(plane: ControlPlane) -> None:
    """And an update replaces them one by one, each where it belongs."""
    ecs = plane.client("ecs")
    ecs.put_cluster_capacity_providers(
        cluster=plane.cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )
    check = {"command": ["CMD-SHELL", "true"], "interval": 5}
    ecs.create_service(
        cluster=plane.cluster,
        serviceName="divided",
        taskDefinition=fargate(plane, container(healthCheck=check)),
        desiredCount=3,
        capacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 1},
        ],
        networkConfiguration=network(plane),
    )

    def running() -> list[dict[str, Any]]:
        arns = ecs.list_tasks(cluster=plane.cluster, serviceName="divided")["taskArns"]
        found = ecs.describe_tasks(cluster=plane.cluster, tasks=arns)["tasks"] if arns else []
        return [t for t in found if t["lastStatus"] == "RUNNING"]

    def completed() -> bool:
        (service,) = ecs.describe_services(cluster=plane.cluster, services=["divided"])["services"]
        states = [d["rolloutState"] for d in service["deployments"]]
        return states == ["COMPLETED"] and len(running()) == 3

    def divided() -> dict[str, int]:
        names = [t["capacityProviderName"] for t in running()]
        return {name: names.count(name) for name in ("FARGATE", "FARGATE_SPOT")}

    eventually("three tasks run", completed, 90)
    assert divided() == {"FARGATE": 2, "FARGATE_SPOT": 1}
    assert {t["launchType"] for t in running()} == {"FARGATE"}
    before = {t["taskArn"] for t in running()}
    ecs.update_service(cluster=plane.cluster, service="divided", forceNewDeployment=True)
    eventually("they are replaced", lambda: completed() and not_any(before, running()), 120)
    assert divided() == {"FARGATE": 2, "FARGATE_SPOT": 1}
    ecs.delete_service(cluster=plane.cluster, service="divided", force=True)


def not_any(before: set[str], tasks: list[dict[str, Any]]) -> bool:
    return not before & {task["taskArn"] for task in tasks}
