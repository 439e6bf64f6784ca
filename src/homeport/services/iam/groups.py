"""Groups and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.iam import Group, User, name_key
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import GROUPS, USERS

from .entities import find_group, find_user
from .errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from .names import checked_name, checked_path
from .pages import in_path, page
from .views import group_view, user_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        AddUserToGroupRequestTypeDef,
        CreateGroupRequestTypeDef,
        DeleteGroupRequestTypeDef,
        GetGroupRequestTypeDef,
        ListGroupsForUserRequestTypeDef,
        ListGroupsRequestTypeDef,
        RemoveUserFromGroupRequestTypeDef,
        UpdateGroupRequestTypeDef,
    )

MAX_GROUPS_OF_A_USER = 10


def create_group(call: Call, request: CreateGroupRequestTypeDef) -> Response:
    """A group with nobody in it."""
    name = checked_name(request["GroupName"], "groupName")
    path = checked_path(request.get("Path"))
    _refuse_taken(call, name)
    group = Group(
        name=name,
        path=path,
        group_id=call.ids.iam("AGPA"),
        arn=call.arns.iam(f"group{path}{name}"),
        created_at=call.now,
    )
    call.tx.put(GROUPS, group)
    return {"Group": group_view(group)}


def get_group(call: Call, request: GetGroupRequestTypeDef) -> Response:
    """The group and its users."""
    group = find_group(call, request["GroupName"])
    users = page(
        "Users",
        _members(call, group),
        lambda u: name_key(u.name),
        lambda u: user_view(u, whole=False),
        request,
    )
    return {"Group": group_view(group), **users}


def list_groups(call: Call, request: ListGroupsRequestTypeDef) -> Response:
    """Groups by path, in the order of their names."""
    groups = [group for group in call.tx.all(GROUPS) if in_path(group.path, request)]
    return page("Groups", groups, lambda g: name_key(g.name), group_view, request)


def list_groups_for_user(call: Call, request: ListGroupsForUserRequestTypeDef) -> Response:
    """The groups that a user is in."""
    groups = [find_group(call, name) for name in find_user(call, request["UserName"]).groups]
    return page("Groups", groups, lambda g: name_key(g.name), group_view, request)


def update_group(call: Call, request: UpdateGroupRequestTypeDef) -> Response:
    """Another name or path; members and policies stay."""
    group = find_group(call, request["GroupName"])
    name = checked_name(request.get("NewGroupName") or group.name, "newGroupName")
    path = checked_path(request.get("NewPath") or group.path)
    if name_key(name) != name_key(group.name):
        _refuse_taken(call, name)
    for user in _members(call, group):
        groups = tuple(name if each == group.name else each for each in user.groups)
        call.tx.put(USERS, replace(user, groups=groups))
    call.tx.delete(GROUPS, name_key(group.name))
    arn = call.arns.iam(f"group{path}{name}")
    call.tx.put(GROUPS, replace(group, name=name, path=path, arn=arn))
    return {}


def delete_group(call: Call, request: DeleteGroupRequestTypeDef) -> Response:
    """A group without users and policies."""
    group = find_group(call, request["GroupName"])
    if _members(call, group):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if group.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    if group.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    call.tx.delete(GROUPS, name_key(group.name))
    return {}


def add_user_to_group(call: Call, request: AddUserToGroupRequestTypeDef) -> Response:
    """The user has the group's permissions too; once is enough."""
    group = find_group(call, request["GroupName"])
    user = find_user(call, request["UserName"])
    if group.name in user.groups:
        return {}
    if len(user.groups) >= MAX_GROUPS_OF_A_USER:
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {MAX_GROUPS_OF_A_USER}")
    call.tx.put(USERS, replace(user, groups=(*user.groups, group.name)))
    return {}


def remove_user_from_group(call: Call, request: RemoveUserFromGroupRequestTypeDef) -> Response:
    """The user has the group's permissions no longer."""
    group = find_group(call, request["GroupName"])
    user = find_user(call, request["UserName"])
    if group.name not in user.groups:
        raise NoSuchEntity(f"User {user.name} is not in the group {group.name}.")
    groups = tuple(name for name in user.groups if name != group.name)
    call.tx.put(USERS, replace(user, groups=groups))
    return {}


def _members(call: Call, group: Group) -> list[User]:
    return [user for user in call.tx.all(USERS) if group.name in user.groups]


def _refuse_taken(call: Call, name: str) -> None:
    if call.tx.get(GROUPS, name_key(name)) is not None:
        raise EntityAlreadyExists(f"Group with name {name} already exists.")


OPERATIONS: dict[str, Handler] = {
    "CreateGroup": create_group,
    "GetGroup": get_group,
    "ListGroups": list_groups,
    "ListGroupsForUser": list_groups_for_user,
    "UpdateGroup": update_group,
    "DeleteGroup": delete_group,
    "AddUserToGroup": add_user_to_group,
    "RemoveUserFromGroup": remove_user_from_group,
}
