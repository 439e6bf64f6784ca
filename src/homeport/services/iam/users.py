"""Users: create, get, list, rename, delete; their permissions boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.iam import User, name_key
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ACCESS_KEYS, USERS

from .entities import find_policy, find_user, own_user_name
from .errors import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from .names import checked_name, checked_path, checked_policy_arn, new_tags
from .pages import in_path, page
from .views import user_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateUserRequestTypeDef,
        DeleteUserPermissionsBoundaryRequestTypeDef,
        DeleteUserRequestTypeDef,
        GetUserRequestTypeDef,
        ListUsersRequestTypeDef,
        PutUserPermissionsBoundaryRequestTypeDef,
        UpdateUserRequestTypeDef,
    )


def create_user(call: Call, request: CreateUserRequestTypeDef) -> Response:
    """A user without keys and permissions."""
    name = checked_name(request["UserName"], "userName")
    path = checked_path(request.get("Path"))
    _refuse_taken(call, name)
    user = User(
        name=name,
        path=path,
        user_id=call.ids.iam("AIDA"),
        arn=call.arns.iam(f"user{path}{name}"),
        created_at=call.now,
        permissions_boundary=checked_boundary(call, request.get("PermissionsBoundary")),
        tags=new_tags(request.get("Tags")),
    )
    call.tx.put(USERS, user)
    return {"User": user_view(user)}


def get_user(call: Call, request: GetUserRequestTypeDef) -> Response:
    """The user named, or the one who calls; root is shown as an entity without a name."""
    name = request.get("UserName")
    if not name and call.principal.kind == "root":
        account = call.principal.account_id
        return {"User": {"UserId": account, "Arn": call.principal.arn, "CreateDate": 0.0}}
    return {"User": user_view(find_user(call, own_user_name(call, name)))}


def list_users(call: Call, request: ListUsersRequestTypeDef) -> Response:
    """Users by path, in the order of their names."""
    users = [user for user in call.tx.all(USERS) if in_path(user.path, request)]
    return page(
        "Users", users, lambda u: name_key(u.name), lambda u: user_view(u, whole=False), request
    )


def update_user(call: Call, request: UpdateUserRequestTypeDef) -> Response:
    """Another name or path; keys, policies and memberships stay with the user."""
    user = find_user(call, request["UserName"])
    name = checked_name(request.get("NewUserName") or user.name, "newUserName")
    path = checked_path(request.get("NewPath") or user.path)
    if name_key(name) != name_key(user.name):
        _refuse_taken(call, name)
        call.tx.delete(USERS, name_key(user.name))
    arn = call.arns.iam(f"user{path}{name}")
    call.tx.put(USERS, replace(user, name=name, path=path, arn=arn))
    return {}


def delete_user(call: Call, request: DeleteUserRequestTypeDef) -> Response:
    """A user that has nothing any more."""
    user = find_user(call, request["UserName"])
    if user.groups:
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if user.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    if user.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if call.tx.find(ACCESS_KEYS, "user", user.user_id):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    call.tx.delete(USERS, name_key(user.name))
    return {}


def put_user_permissions_boundary(
    call: Call, request: PutUserPermissionsBoundaryRequestTypeDef
) -> Response:
    """A managed policy that bounds what the user may do."""
    user = find_user(call, request["UserName"])
    boundary = checked_boundary(call, request["PermissionsBoundary"])
    call.tx.put(USERS, replace(user, permissions_boundary=boundary))
    return {}


def delete_user_permissions_boundary(
    call: Call, request: DeleteUserPermissionsBoundaryRequestTypeDef
) -> Response:
    """No bounds any more."""
    user = find_user(call, request["UserName"])
    if user.permissions_boundary is None:
        raise NoSuchEntity(f"The user with name {user.name} has no permissions boundary.")
    call.tx.put(USERS, replace(user, permissions_boundary=None))
    return {}


def checked_boundary(call: Call, arn: str | None) -> str | None:
    """The ARN of an existing managed policy."""
    return find_policy(call, checked_policy_arn(arn)).arn if arn else None


def _refuse_taken(call: Call, name: str) -> None:
    if call.tx.get(USERS, name_key(name)) is not None:
        raise EntityAlreadyExists(f"User with name {name} already exists.")


OPERATIONS: dict[str, Handler] = {
    "CreateUser": create_user,
    "GetUser": get_user,
    "ListUsers": list_users,
    "UpdateUser": update_user,
    "DeleteUser": delete_user,
    "PutUserPermissionsBoundary": put_user_permissions_boundary,
    "DeleteUserPermissionsBoundary": delete_user_permissions_boundary,
}
