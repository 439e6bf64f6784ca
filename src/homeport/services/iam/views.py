"""Records → what the API shows."""

from __future__ import annotations

from homeport.domain.cluster import Tag
from homeport.domain.iam import Group, InstanceProfile, ManagedPolicy, Role, User
from homeport.services.call import Response
from homeport.store import Transaction
from homeport.store.schema import GROUPS, ROLES, USERS

from .documents import encoded


def user_view(user: User, *, whole: bool = True) -> Response:
    """A user; lists show neither tags nor the boundary."""
    view: dict[str, object] = {
        "UserName": user.name,
        "Path": user.path,
        "UserId": user.user_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }
    if whole:
        view |= _boundary(user.permissions_boundary) | _tags(user.tags)
    return view


def group_view(group: Group) -> Response:
    """A group."""
    return {
        "GroupName": group.name,
        "Path": group.path,
        "GroupId": group.group_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def role_view(role: Role, *, whole: bool = True) -> Response:
    """A role; lists show neither tags nor the boundary."""
    view: dict[str, object] = {
        "RoleName": role.name,
        "Path": role.path,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.trust_policy),
        "MaxSessionDuration": role.max_session_seconds,
    }
    if role.description:
        view["Description"] = role.description
    if whole:
        view |= _boundary(role.permissions_boundary) | _tags(role.tags)
    return view


def policy_view(tx: Transaction, policy: ManagedPolicy, *, whole: bool = True) -> Response:
    """A managed policy; lists show neither tags nor the description."""
    view: dict[str, object] = {
        "PolicyName": policy.name,
        "PolicyId": policy.policy_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": len(attached_to(tx, policy.arn)),
        "PermissionsBoundaryUsageCount": len(bounded_by(tx, policy.arn)),
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if whole:
        view |= _tags(policy.tags)
        if policy.description:
            view["Description"] = policy.description
    return view


def profile_view(tx: Transaction, profile: InstanceProfile, *, whole: bool = True) -> Response:
    """An instance profile with its role."""
    role = tx.get(ROLES, profile.role_name.lower()) if profile.role_name else None
    view: dict[str, object] = {
        "InstanceProfileName": profile.name,
        "Path": profile.path,
        "InstanceProfileId": profile.profile_id,
        "Arn": profile.arn,
        "CreateDate": profile.created_at,
        "Roles": [role_view(role, whole=False)] if role else [],
    }
    return view | _tags(profile.tags) if whole else view


def attached_to(tx: Transaction, arn: str) -> list[User | Group | Role]:
    """Whom a managed policy is attached to."""
    holders: list[User | Group | Role] = [*tx.all(USERS), *tx.all(GROUPS), *tx.all(ROLES)]
    return [holder for holder in holders if arn in holder.attached_policies]


def bounded_by(tx: Transaction, arn: str) -> list[User | Role]:
    """Whose permissions boundary a managed policy is."""
    holders: list[User | Role] = [*tx.all(USERS), *tx.all(ROLES)]
    return [holder for holder in holders if holder.permissions_boundary == arn]


def tags_view(tags: tuple[Tag, ...]) -> list[Response]:
    """Tags in the order of their keys."""
    return [{"Key": tag.key, "Value": tag.value} for tag in sorted(tags, key=lambda t: t.key)]


def _tags(tags: tuple[Tag, ...]) -> dict[str, object]:
    return {"Tags": tags_view(tags)} if tags else {}


def _boundary(arn: str | None) -> dict[str, object]:
    if arn is None:
        return {}
    return {
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": arn,
        }
    }
