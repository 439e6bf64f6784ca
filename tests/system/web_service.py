"""A small web service behind a load balancer, made through the public API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from control_plane import ControlPlane, eventually, free_port
from images import busybox_image

# PID 1 ignores SIGTERM unless it says otherwise; `wait` lets the trap run at once.
SERVE = (
    "mkdir -p /www; echo $VERSION > /www/index.html; trap 'exit 0' TERM; "
    "httpd -f -p 80 -h /www & wait"
)


# The page in one write: httpd sends a file's headers before its content, and an answer that was
# begun when its container was killed can't be had from another.
SERVE_WHOLE = r"""
mkdir -p /www/cgi-bin
cat > /www/cgi-bin/index.cgi <<'END'
#!/bin/sh
printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' ${#VERSION} $VERSION
END
chmod +x /www/cgi-bin/index.cgi
trap 'exit 0' TERM
httpd -f -p 80 -h /www & wait
"""


def web_container(version: str, command: str = SERVE) -> dict[str, Any]:
    """A container definition that answers its version on port 80 (dynamic host port)."""
    return {
        "name": "web",
        "image": busybox_image(),
        "cpu": 32,
        "memory": 32,
        "essential": True,
        "command": ["sh", "-c", command],
        "environment": [{"name": "VERSION", "value": version}],
        "portMappings": [{"containerPort": 80, "hostPort": 0}],
        "stopTimeout": 5,
    }


@dataclass
class WebService:
    """The names of what was made."""

    control_plane: ControlPlane
    name: str
    url: str
    target_group_arn: str
    load_balancer_arn: str
    listener_arn: str

    def describe(self) -> dict[str, Any]:
        ecs = self.control_plane.client("ecs")
        answer = ecs.describe_services(cluster=self.control_plane.cluster, services=[self.name])
        service: dict[str, Any] = answer["services"][0]
        return service

    def tasks(self, desired_status: str = "RUNNING") -> list[dict[str, Any]]:
        ecs = self.control_plane.client("ecs")
        arns = ecs.list_tasks(
            cluster=self.control_plane.cluster,
            serviceName=self.name,
            desiredStatus=desired_status,
        )["taskArns"]
        if not arns:
            return []
        answer = ecs.describe_tasks(cluster=self.control_plane.cluster, tasks=arns)
        tasks: list[dict[str, Any]] = answer["tasks"]
        return tasks

    def healthy_targets(self) -> list[dict[str, Any]]:
        answer = self.control_plane.client("elbv2").describe_target_health(
            TargetGroupArn=self.target_group_arn
        )
        return [
            t for t in answer["TargetHealthDescriptions"] if t["TargetHealth"]["State"] == "healthy"
        ]

    def wait_completed(self, timeout_seconds: float = 90) -> None:
        """Until there is one deployment and it is COMPLETED with every task running."""

        def completed() -> bool:
            service = self.describe()
            deployments = service["deployments"]
            return (
                len(deployments) == 1
                and deployments[0]["rolloutState"] == "COMPLETED"
                and service["runningCount"] == service["desiredCount"]
            )

        try:
            eventually(f"{self.name} completes its deployment", completed, timeout_seconds)
        except AssertionError as error:
            service = self.describe()
            events = "\n".join(e["message"] for e in service["events"][:15])
            raise AssertionError(f"{error}\n{service['deployments']}\n{events}") from None


def register(
    control_plane: ControlPlane,
    version: str,
    family: str = "web",
    command: str = SERVE,
    network_mode: str = "bridge",
) -> str:
    """Register a revision; returns ``family:revision``."""
    answer = control_plane.client("ecs").register_task_definition(
        family=family,
        containerDefinitions=[web_container(version, command)],
        networkMode=network_mode,
    )["taskDefinition"]
    return f"{answer['family']}:{answer['revision']}"


def create_web_service(
    control_plane: ControlPlane,
    *,
    desired_count: int = 2,
    minimum: int = 100,
    maximum: int = 200,
    version: str = "v1",
    name: str = "web",
    command: str = SERVE,
    network: dict[str, Any] | None = None,
    security_groups: Sequence[str] = (),
    **more: Any,
) -> WebService:
    """Load balancer, target group, listener and service; returns when traffic is served.

    ``network``: of awsvpc tasks behind an ``ip`` target group; ``security_groups``: the load
    balancer's; ``more``: of CreateService.
    """
    elbv2 = control_plane.client("elbv2")
    subnets = control_plane.client("ec2").describe_subnets()["Subnets"]
    vpc_id = subnets[0]["VpcId"]
    port = free_port()
    load_balancer = elbv2.create_load_balancer(
        Name=name,
        Subnets=[s["SubnetId"] for s in subnets[:2]],
        SecurityGroups=list(security_groups),
    )["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=vpc_id,
        TargetType="ip" if network else "instance",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}],
    )
    listener = elbv2.create_listener(
        LoadBalancerArn=load_balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    control_plane.client("ecs").create_service(
        cluster=control_plane.cluster,
        serviceName=name,
        taskDefinition=register(
            control_plane,
            version,
            name,
            command=command,
            network_mode="awsvpc" if network else "bridge",
        ),
        desiredCount=desired_count,
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
        deploymentConfiguration={"minimumHealthyPercent": minimum, "maximumPercent": maximum},
        **({"networkConfiguration": network} if network else {}),
        **more,
    )
    service = WebService(
        control_plane,
        name,
        f"http://127.0.0.1:{port}/",
        group,
        load_balancer["LoadBalancerArn"],
        listener,
    )
    service.wait_completed()
    eventually(
        "every target is healthy", lambda: len(service.healthy_targets()) == desired_count, 30
    )
    return service
