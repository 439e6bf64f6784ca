"""Inline policies of users, groups and roles: the same four operations for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from homeport.domain.iam import InlinePolicy
from homeport.services.call import Call, Handler, Response

from .documents import MAX_INLINE, checked_policy, encoded, size
from .errors import LimitExceeded, NoSuchEntity
from .holders import KINDS, Holder, HolderKind
from .names import checked_name
from .pages import page

Request = Mapping[str, Any]


def put_policy(kind: HolderKind, call: Call, request: Request) -> Response:
    """The policy is stored under its name, whatever was there."""
    holder = kind.find_changeable(call, request[kind.member])
    name = checked_name(request["PolicyName"], "policyName")
    policy = InlinePolicy(name, checked_policy(request["PolicyDocument"]))
    policies = (*(p for p in holder.inline_policies if p.name != name), policy)
    limit = MAX_INLINE[kind.noun]
    if sum(size(p.document) for p in policies) > limit:
        raise LimitExceeded(
            f"Maximum policy size of {limit} bytes exceeded for {kind.noun} {holder.name}"
        )
    call.tx.put(kind.table, replace(holder, inline_policies=policies))
    return {}


def get_policy(kind: HolderKind, call: Call, request: Request) -> Response:
    """The policy's document."""
    holder = kind.find(call, request[kind.member])
    policy = _find(kind, holder, request["PolicyName"])
    return {
        kind.member: holder.name,
        "PolicyName": policy.name,
        "PolicyDocument": encoded(policy.document),
    }


def list_policies(kind: HolderKind, call: Call, request: Request) -> Response:
    """The names of the inline policies."""
    holder = kind.find(call, request[kind.member])
    names = [policy.name for policy in holder.inline_policies]
    return page("PolicyNames", names, str, str, request)


def delete_policy(kind: HolderKind, call: Call, request: Request) -> Response:
    """The policy is gone."""
    holder = kind.find_changeable(call, request[kind.member])
    policy = _find(kind, holder, request["PolicyName"])
    policies = tuple(p for p in holder.inline_policies if p is not policy)
    call.tx.put(kind.table, replace(holder, inline_policies=policies))
    return {}


def _find(kind: HolderKind, holder: Holder, name: str) -> InlinePolicy:
    for policy in holder.inline_policies:
        if policy.name == name:
            return policy
    raise NoSuchEntity(f"The {kind.noun} policy with name {name} cannot be found.")


def _of(kind: HolderKind, operation: Callable[[HolderKind, Call, Request], Response]) -> Handler:
    return lambda call, request: operation(kind, call, request)


OPERATIONS: dict[str, Handler] = {
    name: _of(kind, operation)
    for kind in KINDS
    for name, operation in (
        (f"Put{kind.title}Policy", put_policy),
        (f"Get{kind.title}Policy", get_policy),
        (f"List{kind.title}Policies", list_policies),
        (f"Delete{kind.title}Policy", delete_policy),
    )
}
