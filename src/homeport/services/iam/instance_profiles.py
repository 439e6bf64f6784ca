"""Instance profiles: what carries a role to a host. Kept and described; nothing here uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.iam import InstanceProfile, name_key
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import INSTANCE_PROFILES

from .entities import find_changeable_role, find_instance_profile, find_role
from .errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from .names import checked_name, checked_path, new_tags
from .pages import in_path, page
from .views import profile_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        AddRoleToInstanceProfileRequestTypeDef,
        CreateInstanceProfileRequestTypeDef,
        DeleteInstanceProfileRequestTypeDef,
        GetInstanceProfileRequestTypeDef,
        ListInstanceProfilesForRoleRequestTypeDef,
        ListInstanceProfilesRequestTypeDef,
        RemoveRoleFromInstanceProfileRequestTypeDef,
    )


def create_instance_profile(call: Call, request: CreateInstanceProfileRequestTypeDef) -> Response:
    """A profile without a role."""
    name = checked_name(request["InstanceProfileName"], "instanceProfileName")
    path = checked_path(request.get("Path"))
    if call.tx.get(INSTANCE_PROFILES, name_key(name)) is not None:
        raise EntityAlreadyExists(f"Instance Profile {name} already exists.")
    profile = InstanceProfile(
        name=name,
        path=path,
        profile_id=call.ids.iam("AIPA"),
        arn=call.arns.iam(f"instance-profile{path}{name}"),
        created_at=call.now,
        tags=new_tags(request.get("Tags")),
    )
    call.tx.put(INSTANCE_PROFILES, profile)
    return {"InstanceProfile": profile_view(call.tx, profile)}


def get_instance_profile(call: Call, request: GetInstanceProfileRequestTypeDef) -> Response:
    """The profile and its role."""
    profile = find_instance_profile(call, request["InstanceProfileName"])
    return {"InstanceProfile": profile_view(call.tx, profile)}


def list_instance_profiles(call: Call, request: ListInstanceProfilesRequestTypeDef) -> Response:
    """Profiles by path, in the order of their names."""
    profiles = call.tx.all(INSTANCE_PROFILES)
    return _page(call, [p for p in profiles if in_path(p.path, request)], request)


def list_instance_profiles_for_role(
    call: Call, request: ListInstanceProfilesForRoleRequestTypeDef
) -> Response:
    """The profiles that a role is in."""
    role = find_role(call, request["RoleName"])
    profiles = call.tx.all(INSTANCE_PROFILES)
    return _page(call, [p for p in profiles if p.role_name == role.name], request)


def add_role_to_instance_profile(
    call: Call, request: AddRoleToInstanceProfileRequestTypeDef
) -> Response:
    """The one role of the profile."""
    profile = find_instance_profile(call, request["InstanceProfileName"])
    role = find_changeable_role(call, request["RoleName"])
    if profile.role_name is not None:
        raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    call.tx.put(INSTANCE_PROFILES, replace(profile, role_name=role.name))
    return {}


def remove_role_from_instance_profile(
    call: Call, request: RemoveRoleFromInstanceProfileRequestTypeDef
) -> Response:
    """No role any more."""
    profile = find_instance_profile(call, request["InstanceProfileName"])
    role = find_role(call, request["RoleName"])
    if profile.role_name != role.name:
        raise NoSuchEntity(f"The role with name {role.name} cannot be found.")
    call.tx.put(INSTANCE_PROFILES, replace(profile, role_name=None))
    return {}


def delete_instance_profile(call: Call, request: DeleteInstanceProfileRequestTypeDef) -> Response:
    """A profile without a role."""
    profile = find_instance_profile(call, request["InstanceProfileName"])
    if profile.role_name is not None:
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    call.tx.delete(INSTANCE_PROFILES, name_key(profile.name))
    return {}


def _page(
    call: Call,
    profiles: list[InstanceProfile],
    request: ListInstanceProfilesRequestTypeDef | ListInstanceProfilesForRoleRequestTypeDef,
) -> Response:
    return page(
        "InstanceProfiles",
        profiles,
        lambda p: name_key(p.name),
        lambda p: profile_view(call.tx, p, whole=False),
        request,
    )


OPERATIONS: dict[str, Handler] = {
    "CreateInstanceProfile": create_instance_profile,
    "GetInstanceProfile": get_instance_profile,
    "ListInstanceProfiles": list_instance_profiles,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
    "AddRoleToInstanceProfile": add_role_to_instance_profile,
    "RemoveRoleFromInstanceProfile": remove_role_from_instance_profile,
    "DeleteInstanceProfile": delete_instance_profile,
}
