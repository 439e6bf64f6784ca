"""What policies would say, asked beforehand. Source: "SimulatePrincipalPolicy", IAM reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from homeport.decide.policy import Question
from homeport.decide.policy_conditions import Context
from homeport.domain.iam import Group, Role, User
from homeport.identities.permissions import Layers, Permissions, compiled, documents, sources
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import GROUPS, ROLES, USERS

from .documents import checked_policy
from .errors import InvalidInput, NoSuchEntity
from .pages import page

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        ContextEntryTypeDef,
        SimulateCustomPolicyRequestTypeDef,
        SimulatePrincipalPolicyRequestTypeDef,
    )


def simulate_principal_policy(
    call: Call, request: SimulatePrincipalPolicyRequestTypeDef
) -> Response:
    """By the policies that a user, group or role has, with some more."""
    holder = _holder(call, request["PolicySourceArn"])
    if isinstance(holder, Group):
        layers: Layers = (("identity-based policy", tuple(documents(call.tx, holder))),)
    else:
        layers = sources(call.tx, holder)
    return _answer(_with(layers, request.get("PolicyInputList") or ()), request)


def simulate_custom_policy(call: Call, request: SimulateCustomPolicyRequestTypeDef) -> Response:
    """By the documents sent."""
    layers = (("identity-based policy", ()),)
    return _answer(_with(layers, request["PolicyInputList"]), request)


def _with(layers: Layers, more: Sequence[str]) -> Layers:
    (name, own), *others = layers
    return ((name, (*own, *map(checked_policy, more))), *others)


def _answer(
    layers: Layers,
    request: SimulatePrincipalPolicyRequestTypeDef | SimulateCustomPolicyRequestTypeDef,
) -> Response:
    if request.get("ResourcePolicy"):
        raise InvalidInput("Homeport does not simulate resource policies.")
    boundaries = request.get("PermissionsBoundaryPolicyInputList")
    if boundaries:
        layers = (*layers, ("permissions boundary", tuple(map(checked_policy, boundaries))))
    permissions = compiled(layers)
    context = _context(request.get("ContextEntries") or ())
    questions = [
        Question(action, resource, context)
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns") or ["*"]
    ]
    results = list(_results(permissions, questions))
    return page("EvaluationResults", results, lambda r: r[0], lambda r: r[1], request)


def _results(
    permissions: Permissions, questions: Sequence[Question]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    for number, question in enumerate(questions):
        refusal = permissions.refusal(question)
        decision = "allowed"
        if refusal is not None:
            decision = "explicitDeny" if refusal.explicit else "implicitDeny"
        yield (
            f"{number:06d}",
            {
                "EvalActionName": question.action,
                "EvalResourceName": question.resource,
                "EvalDecision": decision,
                "MatchedStatements": [],
                "MissingContextValues": [],
            },
        )


def _context(entries: Sequence[ContextEntryTypeDef]) -> Context:
    return {
        entry.get("ContextKeyName", "").lower(): tuple(entry.get("ContextKeyValues", ()))
        for entry in entries
    }


def _holder(call: Call, arn: str) -> User | Group | Role:
    holders: list[User | Group | Role] = [
        *call.tx.all(USERS),
        *call.tx.all(GROUPS),
        *call.tx.all(ROLES),
    ]
    for holder in holders:
        if holder.arn == arn:
            return holder
    raise NoSuchEntity(f"The principal {arn} cannot be found.")


OPERATIONS: dict[str, Handler] = {
    "SimulatePrincipalPolicy": simulate_principal_policy,
    "SimulateCustomPolicy": simulate_custom_policy,
}
