"""Names → records, or IAM's NoSuchEntity."""

from __future__ import annotations

from homeport.domain.iam import Group, InstanceProfile, ManagedPolicy, Role, User, name_key
from homeport.identities.permissions import managed_policy
from homeport.services.call import Call
from homeport.store.schema import GROUPS, INSTANCE_PROFILES, POLICIES, ROLES, USERS

from .errors import AccessDenied, NoSuchEntity, UnmodifiableEntity, ValidationError

SERVICE_LINKED_PATH = "/aws-service-role/"


def find_user(call: Call, name: str) -> User:
    """The user with this name."""
    user = call.tx.get(USERS, name_key(name))
    if user is None:
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    return user


def own_user_name(call: Call, name: str | None) -> str:
    """The name given, else that of the user who calls."""
    if name:
        return name
    if call.principal.kind == "user":
        return call.principal.name
    raise ValidationError("Must specify userName when calling with non-User credentials")


def find_group(call: Call, name: str) -> Group:
    """The group with this name."""
    group = call.tx.get(GROUPS, name_key(name))
    if group is None:
        raise NoSuchEntity(f"The group with name {name} cannot be found.")
    return group


def find_role(call: Call, name: str) -> Role:
    """The role with this name."""
    role = call.tx.get(ROLES, name_key(name))
    if role is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    return role


def find_changeable_role(call: Call, name: str) -> Role:
    """The role, unless it is a service's own."""
    role = find_role(call, name)
    if role.path.startswith(SERVICE_LINKED_PATH):
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is "
            "only modifiable by AWS"
        )
    return role


def find_policy(call: Call, arn: str) -> ManagedPolicy:
    """The managed policy with this ARN, the customer's or AWS's."""
    policy = managed_policy(call.tx, arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return policy


def find_own_policy(call: Call, arn: str) -> ManagedPolicy:
    """The customer's managed policy with this ARN; AWS's can't be changed."""
    policy = call.tx.get(POLICIES, arn)
    if policy is not None:
        return policy
    find_policy(call, arn)
    raise AccessDenied(f"Policy {arn} belongs to AWS and can't be changed.")


def find_instance_profile(call: Call, name: str) -> InstanceProfile:
    """The instance profile with this name."""
    profile = call.tx.get(INSTANCE_PROFILES, name_key(name))
    if profile is None:
        raise NoSuchEntity(f"Instance Profile {name} cannot be found.")
    return profile
