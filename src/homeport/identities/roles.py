"""Roles by name or ARN, and whom they trust."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from homeport.decide.policy import Caller, Policy, Question, Trust, evaluate_trust, parse_trust
from homeport.decide.policy_conditions import Context
from homeport.domain.iam import Role, name_key
from homeport.store import Transaction
from homeport.store.schema import ROLES

ASSUME_ROLE = "sts:AssumeRole"


def role_by_name(tx: Transaction, name: str) -> Role | None:
    """The role, whatever the case of its name."""
    return tx.get(ROLES, name_key(name))


def role_by_arn(tx: Transaction, arn: str) -> Role | None:
    """The role with exactly this ARN."""
    found = tx.find(ROLES, "arn", arn)
    return found[0] if found else None


def trusts(role: Role, service: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether the service (``ecs-tasks.amazonaws.com``) may assume the role.

    ``context``: condition keys of the request, such as ``aws:SourceArn`` and
    ``aws:SourceAccount``.
    """
    caller = Caller(account_id=role.arn.split(":")[4], service=service)
    keys = {key.lower(): (value,) for key, value in (context or {}).items()}
    return trust(role, caller, keys) is Trust.ALLOW


def trust(role: Role, caller: Caller, context: Context) -> Trust:
    """What the role's trust policy says of a caller."""
    question = Question(ASSUME_ROLE, role.arn, context)
    return evaluate_trust(_trust_policy(role.trust_policy), caller, question)


@functools.lru_cache(maxsize=1024)
def _trust_policy(document: str) -> Policy:
    return parse_trust(document)
