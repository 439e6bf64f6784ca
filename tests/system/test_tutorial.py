"""The path of every ECS tutorial, typed with the unmodified AWS CLI."""

from __future__ import annotations

import json
import urllib.request

import pytest

from control_plane import ControlPlane, eventually, free_port
from web_service import web_container

pytestmark = pytest.mark.docker


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode().strip())


@pytest.mark.timeout(600)
def test_the_tutorial_path_with_the_aws_cli(control_plane: ControlPlane) -> None:
    aws = control_plane.aws
    cluster = control_plane.cluster
    created = aws("ecs", "create-cluster", "--cluster-name", cluster)
    assert created["cluster"]["status"] == "ACTIVE"

    for version in ("v1", "v2"):
        aws(
            "ecs",
            "register-task-definition",
            "--family",
            "web",
            "--container-definitions",
            json.dumps([web_container(version)]),
        )
    vpc = aws("ec2", "describe-vpcs", "--filters", "Name=isDefault,Values=true")["Vpcs"][0]
    subnets = aws("ec2", "describe-subnets", "--filters", f"Name=vpc-id,Values={vpc['VpcId']}")
    subnet_ids = [s["SubnetId"] for s in subnets["Subnets"][:2]]
    balancer = aws("elbv2", "create-load-balancer", "--name", "web", "--subnets", *subnet_ids)
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group_arn = aws(
        "elbv2", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "80",
        "--vpc-id", vpc["VpcId"], "--health-check-interval-seconds", "5",
        "--health-check-timeout-seconds", "2",
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    aws(
        "elbv2", "modify-target-group-attributes", "--target-group-arn", group_arn,
        "--attributes", "Key=deregistration_delay.timeout_seconds,Value=2",
    )  # fmt: skip
    port = free_port()
    aws(
        "elbv2", "create-listener", "--load-balancer-arn", balancer_arn, "--protocol", "HTTP",
        "--port", str(port),
        "--default-actions", f"Type=forward,TargetGroupArn={group_arn}",
    )  # fmt: skip
    aws("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", balancer_arn)
    aws(
        "ecs", "create-service", "--cluster", cluster, "--service-name", "web",
        "--task-definition", "web:1", "--desired-count", "2", "--load-balancers",
        f"targetGroupArn={group_arn},containerName=web,containerPort=80",
    )  # fmt: skip
    aws("ecs", "wait", "services-stable", "--cluster", cluster, "--services", "web")
    dns_name = balancer["LoadBalancers"][0]["DNSName"]
    assert dns_name.endswith(".localhost")
    assert eventually("v1 answers", lambda: _answer(port), 30) == "v1"

    aws(
        "ecs", "update-service", "--cluster", cluster, "--service", "web",
        "--task-definition", "web:2",
    )  # fmt: skip
    aws("ecs", "wait", "services-stable", "--cluster", cluster, "--services", "web")
    assert fetch(f"http://127.0.0.1:{port}/") == "v2"
    described = aws("ecs", "describe-services", "--cluster", cluster, "--services", "web")
    service = described["services"][0]
    assert service["runningCount"] == 2
    assert service["taskDefinition"].endswith("web:2")
    assert len(service["deployments"]) == 1

    aws("ecs", "delete-service", "--cluster", cluster, "--service", "web", "--force")
    aws("ecs", "wait", "services-inactive", "--cluster", cluster, "--services", "web")
    aws("elbv2", "delete-load-balancer", "--load-balancer-arn", balancer_arn)
    aws("elbv2", "wait", "load-balancers-deleted", "--load-balancer-arns", balancer_arn)
    aws("elbv2", "delete-target-group", "--target-group-arn", group_arn)
    for revision in ("web:1", "web:2"):
        aws("ecs", "deregister-task-definition", "--task-definition", revision)
    eventually("every container is stopped", lambda: not control_plane.containers(), 30)
    instance = aws("ecs", "list-container-instances", "--cluster", cluster)
    aws(
        "ecs", "deregister-container-instance", "--cluster", cluster,
        "--container-instance", instance["containerInstanceArns"][0],
    )  # fmt: skip
    assert aws("ecs", "delete-cluster", "--cluster", cluster)["cluster"]["status"] == "INACTIVE"


def _answer(port: int) -> str | None:
    try:
        return fetch(f"http://127.0.0.1:{port}/")
    except OSError:
        return None
