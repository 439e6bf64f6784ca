"""What a user or a role session may do: its identity policies, narrowed twice at most.

The order is IAM's ("Policy evaluation logic"): a deny in any layer, then an allow in every layer:
identity policies, the permissions boundary, the session policies.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from homeport.decide.policy import Decision, Policy, PolicySet, Question, parse
from homeport.domain.iam import Group, ManagedPolicy, Role, User, name_key
from homeport.store import Transaction
from homeport.store.schema import GROUPS, POLICIES

from .aws_managed import aws_managed_policies

Holder: TypeAlias = User | Group | Role


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: which layer, and whether by an explicit deny."""

    layer: str
    explicit: bool

    def reason(self, action: str) -> str:
        """How AWS ends its text. Source: "Troubleshoot access denied error messages"."""
        if self.explicit:
            article = "an" if self.layer[0] in "aeiou" else "a"
            return f"with an explicit deny in {article} {self.layer}"
        return f"because no {self.layer} allows the {action} action"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Compiled policies in layers; the first are the identity policies."""

    layers: tuple[tuple[str, PolicySet], ...]

    def refusal(self, question: Question) -> Refusal | None:
        """None: it is allowed."""
        decisions = [(layer, policies.evaluate(question)) for layer, policies in self.layers]
        for layer, decision in decisions:
            if decision is Decision.EXPLICIT_DENY:
                return Refusal(layer, explicit=True)
        for layer, decision in decisions:
            if decision is Decision.IMPLICIT_DENY:
                return Refusal(layer, explicit=False)
        return None

    def bounds(self) -> Permissions:
        """What narrows, without what gives: the boundary and the session policies."""
        return Permissions(self.layers[1:])


Layers: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""Layers with their documents."""


def sources(
    tx: Transaction,
    holder: User | Role,
    session_policies: Sequence[str] = (),
    session_policy_arns: Sequence[str] = (),
) -> Layers:
    """The documents that decide for a user, or for a session of a role (or of a user)."""
    layers = [("identity-based policy", tuple(documents(tx, holder)))]
    if holder.permissions_boundary is not None:
        boundary = managed_policy(tx, holder.permissions_boundary)
        # A boundary whose policy is gone bounds to nothing.
        layers.append(("permissions boundary", (boundary.document,) if boundary else ()))
    if session_policies or session_policy_arns:
        managed = _documents_of(tx, session_policy_arns)
        layers.append(("session policy", (*session_policies, *managed)))
    return tuple(layers)


@functools.lru_cache(maxsize=1024)
def compiled(layers: Layers) -> Permissions:
    """The permissions of these documents."""
    return Permissions(
        tuple((layer, PolicySet(map(_policy, documents))) for layer, documents in layers)
    )


def permissions_of(
    tx: Transaction,
    holder: User | Role,
    session_policies: Sequence[str] = (),
    session_policy_arns: Sequence[str] = (),
) -> Permissions:
    """What a user, or a session of a role, may do."""
    return compiled(sources(tx, holder, session_policies, session_policy_arns))


def documents(tx: Transaction, holder: Holder) -> Iterator[str]:
    """Every identity policy that applies: own and, for a user, its groups'."""
    yield from _own_documents(tx, holder)
    if isinstance(holder, User):
        for name in holder.groups:
            group = tx.get(GROUPS, name_key(name))
            if group is not None:
                yield from _own_documents(tx, group)


def managed_policy(tx: Transaction, arn: str) -> ManagedPolicy | None:
    """A managed policy, the customer's or AWS's."""
    return tx.get(POLICIES, arn) or aws_managed_policies().get(arn)


def _own_documents(tx: Transaction, holder: Holder) -> Iterator[str]:
    for inline in holder.inline_policies:
        yield inline.document
    yield from _documents_of(tx, holder.attached_policies)


def _documents_of(tx: Transaction, arns: Iterable[str]) -> Iterator[str]:
    for arn in arns:
        policy = managed_policy(tx, arn)
        if policy is not None:
            yield policy.document


@functools.lru_cache(maxsize=4096)
def _policy(document: str) -> Policy:
    return parse(document)
