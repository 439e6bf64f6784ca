"""The services that a VPC endpoint can lead to: those that tasks and their builders name. Pure.

Source: "AWS services that integrate with AWS PrivateLink", AWS PrivateLink guide.
"""

from __future__ import annotations

from collections.abc import Sequence

from homeport.domain.vpc_endpoint import GATEWAY, INTERFACE

GATEWAY_SERVICES = ("s3", "dynamodb")

_NAMES = {
    "appmesh-envoy-management": "appmesh-envoy-management",
    "data-servicediscovery": "data-servicediscovery",
    "ecr.api": "api.ecr",
    "ecr.dkr": "*.dkr.ecr",
    "ecs-agent": "ecs-a",
    "ecs-telemetry": "ecs-t",
    "execute-api": "*.execute-api",
    "git-codecommit": "git-codecommit",
    "s3": "*.s3",
}
_SAME_NAME = """
    application-autoscaling autoscaling cloudformation codebuild codecommit codedeploy codepipeline
    dynamodb ec2 ec2messages ecs elasticfilesystem elasticloadbalancing events kms lambda logs
    monitoring secretsmanager servicediscovery sns sqs ssm ssmmessages states sts xray
"""
PRIVATE_NAMES: dict[str, str] = dict(
    sorted({**_NAMES, **{name: name for name in _SAME_NAME.split()}}.items())
)
"""The end of a service name → its public host name without ``.REGION.amazonaws.com``."""


def service_name(region: str, suffix: str) -> str:
    """``com.amazonaws.us-east-1.ecr.api``."""
    return f"com.amazonaws.{region}.{suffix}"


def private_dns_name(region: str, name: str) -> str:
    """The public host name that an interface endpoint with private DNS takes over."""
    return f"{PRIVATE_NAMES[_suffix(region, name)]}.{region}.amazonaws.com"


def kinds(region: str, name: str) -> Sequence[str]:
    """The types of endpoint that a service has; none: it is no such service."""
    suffix = _suffix(region, name)
    if suffix not in PRIVATE_NAMES:
        return ()
    return (GATEWAY, INTERFACE) if suffix in GATEWAY_SERVICES else (INTERFACE,)


def _suffix(region: str, name: str) -> str:
    prefix = service_name(region, "")
    return name.removeprefix(prefix) if name.startswith(prefix) else ""
