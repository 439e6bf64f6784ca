"""Tags of users, roles, managed policies and instance profiles: three operations for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from homeport.domain.cluster import Tag
from homeport.domain.iam import InstanceProfile, ManagedPolicy, Role, User
from homeport.services.call import Call, Handler, Response
from homeport.store import Table
from homeport.store.schema import INSTANCE_PROFILES, POLICIES, ROLES, USERS

from .entities import (
    find_changeable_role,
    find_instance_profile,
    find_own_policy,
    find_policy,
    find_role,
    find_user,
)
from .names import with_tags, without_tags
from .pages import page

Request = Mapping[str, Any]
Tagged = User | Role | ManagedPolicy | InstanceProfile


@dataclass(frozen=True, slots=True)
class TaggedKind:
    """One kind of record with tags: its word in operations' names, the member that names it."""

    title: str
    member: str
    table: Table[Any]  # a table of this kind's records: the four have no common type
    find: Callable[[Call, str], Tagged]
    find_changeable: Callable[[Call, str], Tagged]


KINDS = (
    TaggedKind("User", "UserName", USERS, find_user, find_user),
    TaggedKind("Role", "RoleName", ROLES, find_role, find_changeable_role),
    TaggedKind("Policy", "PolicyArn", POLICIES, find_policy, find_own_policy),
    TaggedKind(
        "InstanceProfile",
        "InstanceProfileName",
        INSTANCE_PROFILES,
        find_instance_profile,
        find_instance_profile,
    ),
)


def tag(kind: TaggedKind, call: Call, request: Request) -> Response:
    """Tags set, others kept."""
    record = kind.find_changeable(call, request[kind.member])
    tags = with_tags(record.tags, request["Tags"])
    call.tx.put(kind.table, replace(record, tags=tags))
    return {}


def untag(kind: TaggedKind, call: Call, request: Request) -> Response:
    """Tags gone; one that is not there is fine."""
    record = kind.find_changeable(call, request[kind.member])
    tags = without_tags(record.tags, request["TagKeys"])
    call.tx.put(kind.table, replace(record, tags=tags))
    return {}


def list_tags(kind: TaggedKind, call: Call, request: Request) -> Response:
    """The tags, in the order of their keys."""
    record = kind.find(call, request[kind.member])
    return page("Tags", record.tags, lambda t: t.key, _view, request)


def _view(tag: Tag) -> Response:
    return {"Key": tag.key, "Value": tag.value}


def _of(kind: TaggedKind, operation: Callable[[TaggedKind, Call, Request], Response]) -> Handler:
    return lambda call, request: operation(kind, call, request)


OPERATIONS: dict[str, Handler] = {
    name: _of(kind, operation)
    for kind in KINDS
    for name, operation in (
        (f"Tag{kind.title}", tag),
        (f"Untag{kind.title}", untag),
        (f"List{kind.title}Tags", list_tags),
    )
}
