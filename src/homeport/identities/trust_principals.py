"""Whether the principals that a trust policy names can exist."""

from __future__ import annotations

import re

from homeport.decide.policy import Policy
from homeport.domain.iam import name_key
from homeport.store import Transaction
from homeport.store.schema import ROLES, USERS

_ACCOUNT = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?")
_ENTITY = re.compile(r"arn:aws:(?:iam|sts)::([0-9]{12}):(user|role|assumed-role)/(.+)")
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


def unknown_principal(tx: Transaction, policy: Policy, account_id: str) -> tuple[str, str] | None:
    """The first principal that can't be: ``("AWS", "arn:…")``, as IAM's text names it."""
    for statement in policy.statements:
        for kind, name in statement.principals:
            if kind == "AWS" and not _is_account(name) and not _exists(tx, name, account_id):
                return kind, name
            if kind == "Service" and not _SERVICE.fullmatch(name):
                return "SERVICE", name
    return None


def _is_account(name: str) -> bool:
    return name == "*" or _ACCOUNT.fullmatch(name) is not None


def _exists(tx: Transaction, arn: str, account_id: str) -> bool:
    found = _ENTITY.fullmatch(arn)
    if found is None:
        return False
    account, kind, rest = found.groups()
    if account != account_id:
        return True  # another account's: nothing is known of it here
    if kind == "assumed-role":
        role_name, _, session = rest.partition("/")
        return bool(session) and tx.get(ROLES, name_key(role_name)) is not None
    key = name_key(rest.rsplit("/", 1)[-1])
    record = tx.get(USERS, key) if kind == "user" else tx.get(ROLES, key)
    return record is not None and record.arn == arn
