"""Managed policies attached to users, groups and roles: the same three operations for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from homeport.domain.iam import ManagedPolicy
from homeport.identities.permissions import managed_policy
from homeport.services.call import Call, Handler, Response

from .entities import find_policy
from .errors import LimitExceeded, NoSuchEntity
from .holders import KINDS, HolderKind
from .names import checked_policy_arn
from .pages import in_path, page

Request = Mapping[str, Any]


def attach_policy(kind: HolderKind, call: Call, request: Request) -> Response:
    """The policy applies from the next request on; once is enough."""
    holder = kind.find_changeable(call, request[kind.member])
    arn = checked_policy_arn(request["PolicyArn"])
    if managed_policy(call.tx, arn) is None:
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    if arn in holder.attached_policies:
        return {}
    if len(holder.attached_policies) >= kind.max_attached:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind.title}: {kind.max_attached}")
    attached = (*holder.attached_policies, arn)
    call.tx.put(kind.table, replace(holder, attached_policies=attached))
    return {}


def detach_policy(kind: HolderKind, call: Call, request: Request) -> Response:
    """The policy applies no longer."""
    holder = kind.find_changeable(call, request[kind.member])
    arn = checked_policy_arn(request["PolicyArn"])
    if arn not in holder.attached_policies:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    attached = tuple(each for each in holder.attached_policies if each != arn)
    call.tx.put(kind.table, replace(holder, attached_policies=attached))
    return {}


def list_attached_policies(kind: HolderKind, call: Call, request: Request) -> Response:
    """Names and ARNs, in the order of their names."""
    holder = kind.find(call, request[kind.member])
    policies = [find_policy(call, arn) for arn in holder.attached_policies]
    policies = [policy for policy in policies if in_path(policy.path, request)]
    return page("AttachedPolicies", policies, lambda p: f"{p.name}|{p.arn}", _view, request)


def _view(policy: ManagedPolicy) -> Response:
    return {"PolicyName": policy.name, "PolicyArn": policy.arn}


def _of(kind: HolderKind, operation: Callable[[HolderKind, Call, Request], Response]) -> Handler:
    return lambda call, request: operation(kind, call, request)


OPERATIONS: dict[str, Handler] = {
    name: _of(kind, operation)
    for kind in KINDS
    for name, operation in (
        (f"Attach{kind.title}Policy", attach_policy),
        (f"Detach{kind.title}Policy", detach_policy),
        (f"ListAttached{kind.title}Policies", list_attached_policies),
    )
}
