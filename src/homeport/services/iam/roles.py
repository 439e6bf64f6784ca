"""Roles: create, get, list, change, delete; who may assume them; their permissions boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.iam import DEFAULT_SESSION_SECONDS, Role, name_key
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import INSTANCE_PROFILES, ROLES

from .documents import checked_trust_policy
from .entities import SERVICE_LINKED_PATH, find_changeable_role, find_role
from .errors import DeleteConflict, EntityAlreadyExists, InvalidInput, NoSuchEntity
from .names import checked_name, checked_path, new_tags
from .pages import in_path, page
from .users import checked_boundary
from .views import role_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateRoleRequestTypeDef,
        DeleteRolePermissionsBoundaryRequestTypeDef,
        DeleteRoleRequestTypeDef,
        GetRoleRequestTypeDef,
        ListRolesRequestTypeDef,
        PutRolePermissionsBoundaryRequestTypeDef,
        UpdateAssumeRolePolicyRequestTypeDef,
        UpdateRoleDescriptionRequestTypeDef,
        UpdateRoleRequestTypeDef,
    )


def create_role(call: Call, request: CreateRoleRequestTypeDef) -> Response:
    """A role with its trust policy and no permissions."""
    name = checked_name(request["RoleName"], "roleName")
    path = checked_path(request.get("Path"))
    if path.startswith(SERVICE_LINKED_PATH):
        raise InvalidInput(f"Roles at {SERVICE_LINKED_PATH} are made by CreateServiceLinkedRole.")
    if call.tx.get(ROLES, name_key(name)) is not None:
        raise EntityAlreadyExists(f"Role with name {name} already exists.")
    role = Role(
        name=name,
        path=path,
        role_id=call.ids.iam("AROA"),
        arn=call.arns.iam(f"role{path}{name}"),
        created_at=call.now,
        trust_policy=checked_trust_policy(call, request["AssumeRolePolicyDocument"]),
        description=request.get("Description", ""),
        max_session_seconds=request.get("MaxSessionDuration", DEFAULT_SESSION_SECONDS),
        permissions_boundary=checked_boundary(call, request.get("PermissionsBoundary")),
        tags=new_tags(request.get("Tags")),
    )
    call.tx.put(ROLES, role)
    return {"Role": role_view(role)}


def get_role(call: Call, request: GetRoleRequestTypeDef) -> Response:
    """The role."""
    return {"Role": role_view(find_role(call, request["RoleName"]))}


def list_roles(call: Call, request: ListRolesRequestTypeDef) -> Response:
    """Roles by path, in the order of their names."""
    roles = [role for role in call.tx.all(ROLES) if in_path(role.path, request)]
    return page(
        "Roles", roles, lambda r: name_key(r.name), lambda r: role_view(r, whole=False), request
    )


def update_role(call: Call, request: UpdateRoleRequestTypeDef) -> Response:
    """Another description or longest session."""
    role = find_changeable_role(call, request["RoleName"])
    changed = replace(
        role,
        description=request.get("Description", role.description),
        max_session_seconds=request.get("MaxSessionDuration", role.max_session_seconds),
    )
    call.tx.put(ROLES, changed)
    return {}


def update_role_description(call: Call, request: UpdateRoleDescriptionRequestTypeDef) -> Response:
    """Another description."""
    role = find_changeable_role(call, request["RoleName"])
    role = call.tx.put(ROLES, replace(role, description=request["Description"]))
    return {"Role": role_view(role)}


def update_assume_role_policy(
    call: Call, request: UpdateAssumeRolePolicyRequestTypeDef
) -> Response:
    """Who may assume the role from now on; sessions that there are go on."""
    role = find_changeable_role(call, request["RoleName"])
    document = checked_trust_policy(call, request["PolicyDocument"])
    call.tx.put(ROLES, replace(role, trust_policy=document))
    return {}


def delete_role(call: Call, request: DeleteRoleRequestTypeDef) -> Response:
    """A role without policies that is in no instance profile; its sessions end."""
    role = find_changeable_role(call, request["RoleName"])
    profiles = call.tx.all(INSTANCE_PROFILES)
    if any(profile.role_name == role.name for profile in profiles):
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    if role.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if role.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    call.tx.delete(ROLES, name_key(role.name))
    return {}


def put_role_permissions_boundary(
    call: Call, request: PutRolePermissionsBoundaryRequestTypeDef
) -> Response:
    """A managed policy that bounds what the role may do."""
    role = find_changeable_role(call, request["RoleName"])
    boundary = checked_boundary(call, request["PermissionsBoundary"])
    call.tx.put(ROLES, replace(role, permissions_boundary=boundary))
    return {}


def delete_role_permissions_boundary(
    call: Call, request: DeleteRolePermissionsBoundaryRequestTypeDef
) -> Response:
    """No bounds any more."""
    role = find_changeable_role(call, request["RoleName"])
    if role.permissions_boundary is None:
        raise NoSuchEntity(f"The role with name {role.name} has no permissions boundary.")
    call.tx.put(ROLES, replace(role, permissions_boundary=None))
    return {}


OPERATIONS: dict[str, Handler] = {
    "CreateRole": create_role,
    "GetRole": get_role,
    "ListRoles": list_roles,
    "UpdateRole": update_role,
    "UpdateRoleDescription": update_role_description,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "DeleteRole": delete_role,
    "PutRolePermissionsBoundary": put_role_permissions_boundary,
    "DeleteRolePermissionsBoundary": delete_role_permissions_boundary,
}
