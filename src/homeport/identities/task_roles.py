"""The roles of tasks, which ECS assumes for them. Source: "Task IAM role", ECS developer guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from homeport.domain.iam import Role
from homeport.store import Transaction

from .roles import role_by_arn, role_by_name, trusts

TASKS_SERVICE = "ecs-tasks.amazonaws.com"
MEMBERS = ("taskRoleArn", "executionRoleArn")


def assumable_role(tx: Transaction, identifier: str, cluster_arn: str) -> Role | None:
    """The role with this ARN (or name), if it is there and trusts tasks of this cluster."""
    by_arn = identifier.startswith("arn:")
    role = role_by_arn(tx, identifier) if by_arn else role_by_name(tx, identifier)
    if role is None:
        return None
    context = {"aws:SourceArn": cluster_arn, "aws:SourceAccount": cluster_arn.split(":")[4]}
    return role if trusts(role, TASKS_SERVICE, context) else None


def unassumable(
    tx: Transaction,
    definition: Mapping[str, object],
    overrides: Mapping[str, object],
    cluster_arn: str,
) -> str | None:
    """Why tasks of this definition can't start: a role of theirs that is not to be had."""
    for role in _roles(definition, overrides):
        if assumable_role(tx, role, cluster_arn) is None:
            return (
                f"ECS was unable to assume the role '{role}' that was provided for this task. "
                "Please verify that the role being passed has the proper trust relationship and "
                "permissions and that your IAM user has permissions to pass this role."
            )
    return None


def _roles(definition: Mapping[str, object], overrides: Mapping[str, object]) -> Iterator[str]:
    for member in MEMBERS:
        role = overrides.get(member) or definition.get(member)
        if role:
            yield str(role)
