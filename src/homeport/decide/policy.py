"""What IAM policies allow: identity policies, and the trust policy of a role.

An explicit deny wins, then an allow, else the default deny. Source: "Policy evaluation logic"
and "IAM JSON policy elements reference", IAM user guide. ``parse`` refuses what is not a policy,
so that evaluation only ever meets whole statements.
"""

from __future__ import annotations

import enum
import functools
import json
from collections.abc import Callable, Iterable, Mapping

import msgspec

from .policy_conditions import (
    Context,
    Pattern,
    UnresolvedVariable,
    compile_pattern,
    holds,
    is_operator,
    matches,
)

VERSIONS = ("2012-10-17", "2008-10-17")
_FIELDS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
    | {"Resource", "NotResource", "Condition"}
)


class MalformedPolicy(ValueError):
    """The document is not a policy; the text is IAM's."""


class Decision(enum.Enum):
    """What the policies say together."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"


class Trust(enum.Enum):
    """What a trust policy says of a caller.

    ``DELEGATED``: it names only the account, so the caller's identity policy must allow as well.
    """

    ALLOW = "allow"
    DELEGATED = "delegated"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"


class Condition(msgspec.Struct, frozen=True):
    """One operator on one key (in lower case) with the policy's values."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(msgspec.Struct, frozen=True):
    """One statement; of each pair (Action, NotAction) one is empty."""

    allow: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    variables: bool = True


class Policy(msgspec.Struct, frozen=True):
    """A parsed policy document."""

    statements: tuple[Statement, ...]


class Question(msgspec.Struct, frozen=True):
    """May this action be done on this resource? ``context``: keys in lower case."""

    action: str
    resource: str
    context: Context = {}


class Caller(msgspec.Struct, frozen=True):
    """Who wants to assume a role: its ARNs (a session's and its role's), or a service."""

    account_id: str
    arns: tuple[str, ...] = ()
    service: str | None = None


def parse(document: str) -> Policy:
    """An identity policy; raises ``MalformedPolicy``."""
    return Policy(tuple(_statement(raw, version, False) for version, raw in _raw(document)))


def parse_trust(document: str) -> Policy:
    """The trust policy of a role; raises ``MalformedPolicy``."""
    return Policy(tuple(_statement(raw, version, True) for version, raw in _raw(document)))


def evaluate(policies: Iterable[Policy], question: Question) -> Decision:
    """What the identity policies say together."""
    return PolicySet(policies).evaluate(question)


class PolicySet:
    """Policies that are asked again and again: remembers which statements are about an action."""

    # A client may ask for any number of operations that there are not; none of those gets here
    # often enough to matter, and this keeps it so.
    MAX_REMEMBERED = 2048

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._statements = tuple(s for policy in policies for s in policy.statements)
        self._about: dict[str, tuple[Statement, ...]] = {}

    def evaluate(self, question: Question) -> Decision:
        """What the policies say together."""
        decision = Decision.IMPLICIT_DENY
        for statement in self._statements_about(question.action):
            if not _applies(statement, question):
                continue
            if not statement.allow:
                return Decision.EXPLICIT_DENY
            decision = Decision.ALLOW
        return decision

    def _statements_about(self, action: str) -> tuple[Statement, ...]:
        found = self._about.get(action)
        if found is None:
            if len(self._about) >= self.MAX_REMEMBERED:
                self._about.clear()
            found = tuple(s for s in self._statements if _is_about(s, action))
            self._about[action] = found
        return found


def evaluate_trust(policy: Policy, caller: Caller, question: Question) -> Trust:
    """Whether the role may be assumed by the caller; the question's resource is not looked at."""
    answer = Trust.IMPLICIT_DENY
    for statement in policy.statements:
        named = _names(statement, caller)
        if named is Trust.IMPLICIT_DENY:
            continue
        if not _is_about(statement, question.action) or not _applies(statement, question):
            continue
        if not statement.allow:
            return Trust.EXPLICIT_DENY
        answer = Trust.ALLOW if Trust.ALLOW in (answer, named) else Trust.DELEGATED
    return answer


def _names(statement: Statement, caller: Caller) -> Trust:
    account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
    answer = Trust.IMPLICIT_DENY
    for kind, name in statement.principals:
        if kind == "*" or (kind == "Service" and name == caller.service):
            return Trust.ALLOW
        if kind == "AWS" and caller.arns:
            if name == "*" or name in caller.arns:
                return Trust.ALLOW
            if name in account:
                answer = Trust.DELEGATED
    return answer


def _is_about(statement: Statement, action: str) -> bool:
    """Whether the statement lists the action; an action has no variables."""
    name = action.lower()
    listed = statement.actions or statement.not_actions
    found = any(_matcher(each.lower())(name) for each in listed)
    return found == bool(statement.actions)


def _applies(statement: Statement, question: Question) -> bool:
    """An allow whose variable the request can't fill never applies; a deny's matches nothing."""
    try:
        return _has_resource(statement, question) and all(
            _holds(statement, each, question.context) for each in statement.conditions
        )
    except UnresolvedVariable:
        return False


def _has_resource(statement: Statement, question: Question) -> bool:
    listed = statement.resources or statement.not_resources
    if not listed:
        return True  # a trust policy has no resource
    if statement.variables and any("${" in each for each in listed):
        patterns = _patterns(statement, tuple(map(_padded, listed)), question.context)
        found = any(matches(each, question.resource) for each in patterns)
    else:
        found = any(_matcher(_padded(each))(question.resource) for each in listed)
    return found == bool(statement.resources)


def _holds(statement: Statement, condition: Condition, context: Context) -> bool:
    wanted = _patterns(statement, condition.values, context)
    return holds(condition.operator, context.get(condition.key), tuple(wanted))


def _patterns(statement: Statement, texts: tuple[str, ...], context: Context) -> list[Pattern]:
    patterns = []
    for text in texts:
        if not statement.variables or "${" not in text:
            patterns.append(_literal_pattern(text))
            continue
        try:
            patterns.append(compile_pattern(text, context, variables=True))
        except UnresolvedVariable:
            if statement.allow:
                raise
    return patterns


@functools.lru_cache(maxsize=8192)
def _literal_pattern(text: str) -> Pattern:
    return compile_pattern(text, {}, variables=False)


@functools.lru_cache(maxsize=8192)
def _matcher(text: str) -> Callable[[str], bool]:
    """Whether a value matches a text without variables; most texts are plain, or a beginning."""
    body = text.removesuffix("*")
    if "*" in body or "?" in body:
        return functools.partial(matches, _literal_pattern(text))
    if body != text:
        return lambda value: value.startswith(body)
    return lambda value: value == text


@functools.lru_cache(maxsize=8192)
def _padded(arn: str) -> str:
    """An incomplete ARN stands for all that begins so."""
    return arn + ":*" * max(0, 5 - arn.count(":")) if arn.startswith("arn:") else arn


def _raw(document: str) -> list[tuple[str, Mapping[str, object]]]:
    try:
        whole = json.loads(document)
    except (ValueError, RecursionError):
        raise MalformedPolicy("Syntax errors in policy.") from None
    if not isinstance(whole, dict) or not set(whole) <= {"Version", "Id", "Statement"}:
        raise MalformedPolicy("Syntax errors in policy.")
    version = whole.get("Version", "2008-10-17")
    statements = whole.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if version not in VERSIONS or not isinstance(statements, list) or not statements:
        raise MalformedPolicy("Syntax errors in policy.")
    if not all(isinstance(each, dict) for each in statements):
        raise MalformedPolicy("Syntax errors in policy.")
    return [(version, each) for each in statements]


def _statement(raw: Mapping[str, object], version: str, trust: bool) -> Statement:
    effect = raw.get("Effect")
    if not set(raw) <= _FIELDS or effect not in ("Allow", "Deny"):
        raise MalformedPolicy("Syntax errors in policy.")
    prohibited = {"Resource", "NotResource"} if trust else {"Principal", "NotPrincipal"}
    for field in sorted(prohibited & set(raw)):
        raise MalformedPolicy(f"Has prohibited field {field}")
    if ("Action" in raw) == ("NotAction" in raw):
        raise MalformedPolicy("Policy statement must contain actions.")
    if not trust and ("Resource" in raw) == ("NotResource" in raw):
        raise MalformedPolicy("Policy statement must contain resources.")
    return Statement(
        allow=effect == "Allow",
        actions=_actions(raw, "Action"),
        not_actions=_actions(raw, "NotAction"),
        resources=_texts(raw["Resource"]) if "Resource" in raw else (),
        not_resources=_texts(raw["NotResource"]) if "NotResource" in raw else (),
        principals=_principals(raw.get("Principal")) if trust else (),
        conditions=_conditions(raw.get("Condition", {})),
        variables=version == "2012-10-17",
    )


def _actions(raw: Mapping[str, object], field: str) -> tuple[str, ...]:
    actions = _texts(raw[field]) if field in raw else ()
    if not all(each == "*" or ":" in each for each in actions):
        raise MalformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb")
    return actions


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str) and each for each in values):
        raise MalformedPolicy("Syntax errors in policy.")
    return tuple(values)


def _principals(value: object) -> tuple[tuple[str, str], ...]:
    if value == "*":
        return (("*", "*"),)
    if not isinstance(value, dict) or not value:
        raise MalformedPolicy("Missing required field Principal")
    if not set(value) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise MalformedPolicy("Syntax errors in policy.")
    return tuple((kind, name) for kind, names in value.items() for name in _texts(names))


def _conditions(value: object) -> tuple[Condition, ...]:
    if not isinstance(value, dict):
        raise MalformedPolicy("Syntax errors in policy.")
    conditions: list[Condition] = []
    for operator, keys in value.items():
        if not is_operator(operator) or not isinstance(keys, dict):
            raise MalformedPolicy("Syntax errors in policy.")
        conditions.extend(
            Condition(operator, key.lower(), _condition_values(wanted))
            for key, wanted in keys.items()
        )
    return tuple(conditions)


def _condition_values(value: object) -> tuple[str, ...]:
    """JSON booleans and numbers count as their text; an empty text is a value here."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str | bool | int | float) for each in values):
        raise MalformedPolicy("Syntax errors in policy.")
    return tuple(each if isinstance(each, str) else json.dumps(each) for each in values)
