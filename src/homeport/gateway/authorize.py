"""The authorization step: root may do all, an agent only what agents do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from homeport.services.call import Principal
from homeport.wire.errors import ApiError

# Of the managed policy AmazonEC2ContainerServiceforEC2Role, what an agent needs here, and what it
# must know of the VPC to route and guard the network interfaces of tasks.
AGENT_ACTIONS = frozenset(
    {
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ecs:CreateCluster",
        "ecs:DeregisterContainerInstance",
        "ecs:DiscoverPollEndpoint",
        "ecs:ListTagsForResource",
        "ecs:Poll",
        "ecs:RegisterContainerInstance",
        "ecs:StartTelemetrySession",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
        "ecs:UpdateContainerInstancesState",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
        "sts:GetCallerIdentity",
    }
)


class Authorizer(Protocol):
    """One step in the request chain."""

    def check(
        self, principal: Principal, service: str, operation: str, document: Mapping[str, Any]
    ) -> None:
        """Raise the service's access-denied error unless the principal may do this."""


class PrincipalKindAuthorizer:
    """Decides by the kind of principal alone."""

    def check(
        self, principal: Principal, service: str, operation: str, document: Mapping[str, Any]
    ) -> None:
        """Root: everything. Agent: its own operations."""
        action = f"{service}:{operation}"
        if principal.kind == "root" or action in AGENT_ACTIONS:
            return
        raise ApiError(
            denied_code(service),
            f"User: {principal.arn} is not authorized to perform: {action} on resource: * "
            f"because no identity-based policy allows the {action} action",
            403 if denied_code(service) != "AccessDeniedException" else 400,
        )


def denied_code(service: str) -> str:
    """How a service names a refusal."""
    return {
        "ec2": "UnauthorizedOperation",
        "elasticloadbalancing": "AccessDenied",
        "sts": "AccessDenied",
        "iam": "AccessDenied",
        "s3": "AccessDenied",
    }.get(service, "AccessDeniedException")
