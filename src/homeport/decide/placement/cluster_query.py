"""The cluster query language of ``memberOf`` constraints and ListContainerInstances' filter.

Source: "Create expressions to define container instances for Amazon ECS tasks", developer
guide. Where AWS is silent Homeport decides: ``not`` binds tighter than ``and``, ``and`` than
``or``; keywords in any case; an absent attribute fails ``==``, ``in``, ``=~`` and the orderings
and satisfies ``!=``, ``!in``, ``!~``; ``=~`` must match the whole value; ``task:group`` holds if
some task on the instance has such a group, and ``task:group !=`` if none has.

Patterns are RE2's, which match in linear time: no look-around and no back-references. With a
backtracking engine one pattern such as ``(a+)+b`` would hold up the whole control plane.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol, cast

import lark
import msgspec
import re2  # type: ignore[import-untyped]

from .candidate import CandidateInstance

MAX_EXPRESSION = 2000
MAX_PATTERN = 256
MAX_DEPTH = 100

_GRAMMAR = r"""
?start: or_
?or_: and_ (("||" | _OR) and_)*
?and_: not_ (("&&" | _AND) not_)*
?not_: ("!" | _NOT) not_ -> negation
     | "(" or_ ")"
     | simple
simple: SUBJECT OPERATOR literal -> comparison
      | SUBJECT LIST_OPERATOR "[" literal ("," literal)* "]" -> membership
      | SUBJECT EXISTS -> existence
literal: WORD | QUOTED

SUBJECT.3: /attribute:[A-Za-z0-9._\/\\-]+/ | /agentConnected/i | /agentVersion/i
         | /ec2InstanceId/i | /registeredAt/i | /runningTasksCount/i | /task:group/i
EXISTS.5: /!exists\b/i | /not_exists\b/i | /exists\b/i
LIST_OPERATOR.4: /!in\b/i | /not_in\b/i | /in\b/i
OPERATOR.4: "==" | "!=" | ">=" | "<=" | ">" | "<" | "=~" | "!~"
          | /not_equals\b/i | /equals\b/i | /greater_than_equal\b/i | /greater_than\b/i
          | /less_than_equal\b/i | /less_than\b/i | /not_matches\b/i | /matches\b/i
_OR.2: /or\b/i
_AND.2: /and\b/i
_NOT.2: /not\b/i
QUOTED: /"[^"]*"/ | /'[^']*'/
WORD: /[^\s()\[\],&|"'!=<>~]+/

%import common.WS
%ignore WS
"""

_OPERATOR_NAMES = {
    "equals": "==",
    "not_equals": "!=",
    "greater_than": ">",
    "greater_than_equal": ">=",
    "less_than": "<",
    "less_than_equal": "<=",
    "matches": "=~",
    "not_matches": "!~",
    "not_in": "!in",
    "not_exists": "!exists",
}
_NUMBER = re.compile(r"[0-9]{1,15}")
_VERSION = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15}){0,9}")
_ORDERED = frozenset({"agentversion", "registeredat", "runningtaskscount"})
_UNORDERED = frozenset({"agentconnected", "ec2instanceid"})


class QueryError(ValueError):
    """The expression does not parse or asks for what its subject does not have."""


class Pattern(Protocol):
    """A compiled regular expression."""

    def fullmatch(self, text: str) -> object | None:
        """A match of the whole text, or None."""


class Comparison(msgspec.Struct, frozen=True):
    """``subject operator values`` (one value except for in / !in; none for exists)."""

    subject: str
    operator: str
    values: tuple[str, ...]


class Junction(msgspec.Struct, frozen=True):
    """``and``, ``or`` or ``not`` of other expressions."""

    kind: str
    parts: tuple[Comparison | Junction, ...]


Expression = Comparison | Junction


@functools.cache
def _parser() -> lark.Lark:
    return lark.Lark(_GRAMMAR, parser="lalr", lexer="contextual")


@functools.lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """The expression; raises QueryError with what is wrong and where."""
    if len(text) > MAX_EXPRESSION:
        raise QueryError(f"the expression is longer than {MAX_EXPRESSION} characters")
    try:
        tree = _parser().parse(text)
    except lark.exceptions.UnexpectedInput as error:
        raise QueryError(_where(error, text)) from None
    return _build(tree, MAX_DEPTH)


def _where(error: lark.exceptions.UnexpectedInput, text: str) -> str:
    token = getattr(error, "token", None)
    position = error.pos_in_stream
    if position is None or (token is not None and token.type == "$END"):
        return f"unexpected end after character {len(text)}"
    return f"unexpected input at character {position + 1}"


def _build(tree: lark.Tree[lark.Token], depth: int) -> Expression:
    if not depth:
        raise QueryError(f"the expression is nested more than {MAX_DEPTH} levels deep")
    children = tree.children
    match tree.data:
        case "comparison" | "membership" | "existence":
            return _comparison(tree)
        case "negation":
            return Junction("not", (_build(_subtree(children[0]), depth - 1),))
        case "and_" | "or_":
            parts = tuple(_build(_subtree(c), depth - 1) for c in children)
            return Junction(str(tree.data).rstrip("_"), parts)
    raise QueryError(f"unexpected {tree.data}")


def _subtree(node: lark.Token | lark.Tree[lark.Token]) -> lark.Tree[lark.Token]:
    assert isinstance(node, lark.Tree)
    return node


def _comparison(tree: lark.Tree[lark.Token]) -> Comparison:
    subject, operator, *literals = tree.children
    name = str(operator).lower()
    values = tuple(_literal(_subtree(child)) for child in literals)
    comparison = Comparison(_subject(str(subject)), _OPERATOR_NAMES.get(name, name), values)
    _check(comparison)
    return comparison


def _subject(text: str) -> str:
    return text if text.startswith("attribute:") else text.lower()


def _literal(tree: lark.Tree[lark.Token]) -> str:
    text = str(tree.children[0])
    return text[1:-1] if text[0] in "\"'" else text


def _check(comparison: Comparison) -> None:
    subject, operator = comparison.subject, comparison.operator
    if operator in ("exists", "!exists") and not subject.startswith("attribute:"):
        raise QueryError(f"{subject} does not support {operator}")
    if operator in (">", ">=", "<", "<=") and subject in (*_UNORDERED, "task:group"):
        raise QueryError(f"{subject} does not support {operator}")
    if operator in ("in", "!in", "=~", "!~") and subject in _ORDERED:
        raise QueryError(f"{subject} does not support {operator}")
    if operator in ("=~", "!~"):
        _pattern(comparison.values[0])
    if subject in _ORDERED:
        for value in comparison.values:
            _ordered(subject, value)


@functools.lru_cache(maxsize=512)
def _pattern(text: str) -> Pattern:
    if len(text) > MAX_PATTERN:
        raise QueryError(f"the pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False  # it would write to stderr
    try:
        return cast(Pattern, re2.compile(text, options))
    except (re2.error, UnicodeEncodeError):
        raise QueryError(f"{text[:40]!r} is not a regular expression (RE2 syntax)") from None


def matches(expression: Expression, instance: CandidateInstance) -> bool:
    """Whether the instance satisfies the expression."""
    if isinstance(expression, Comparison):
        return _holds(expression, instance)
    results = (matches(part, instance) for part in expression.parts)
    match expression.kind:
        case "and":
            return all(results)
        case "or":
            return any(results)
        case _:
            return not next(results)


def _holds(comparison: Comparison, instance: CandidateInstance) -> bool:
    subject, operator = comparison.subject, comparison.operator
    if subject == "task:group":
        positive = _positive(operator)
        groups = [g for g, count in instance.group_counts.items() if count]
        some = any(_compare_text(positive, group, comparison.values) for group in groups)
        return some if positive == operator else not some
    if subject in _ORDERED:
        return _compare_ordered(subject, operator, _value(subject, instance), comparison.values[0])
    if subject.startswith("attribute:"):
        name = subject.removeprefix("attribute:")
        if operator in ("exists", "!exists"):
            return (name in instance.attributes) == (operator == "exists")
        value = instance.attributes.get(name)
        if value is None:
            return operator in ("!=", "!in", "!~")
        return _compare_text(operator, value, comparison.values)
    return _compare_text(operator, _value(subject, instance), comparison.values)


def _positive(operator: str) -> str:
    return {"!=": "==", "!in": "in", "!~": "=~"}.get(operator, operator)


def _value(subject: str, instance: CandidateInstance) -> str:
    match subject:
        case "agentconnected":
            return "true" if instance.agent_connected else "false"
        case "agentversion":
            return instance.agent_version
        case "ec2instanceid":
            return instance.ec2_instance_id
        case "registeredat":
            return datetime.fromtimestamp(instance.registered_at, UTC).isoformat()
        case _:
            return str(instance.running_tasks_count)


def _compare_text(operator: str, value: str, wanted: tuple[str, ...]) -> bool:
    match operator:
        case "==":
            return value == wanted[0]
        case "!=":
            return value != wanted[0]
        case "in":
            return value in wanted
        case "!in":
            return value not in wanted
        case "=~":
            return _pattern(wanted[0]).fullmatch(value) is not None
        case "!~":
            return _pattern(wanted[0]).fullmatch(value) is None
        case _:
            return _order(operator, (value,), (wanted[0],))


def _compare_ordered(subject: str, operator: str, value: str, wanted: str) -> bool:
    try:
        actual = _ordered(subject, value)
    except QueryError:  # an instance that reports no version
        return operator == "!="
    return _order(operator, actual, _ordered(subject, wanted))


def _ordered(subject: str, text: str) -> tuple[float, ...]:
    """A value as something that can be ordered."""
    try:
        match subject:
            case "agentversion":
                return _dotted(text)
            case "registeredat":
                moment = datetime.fromisoformat(text)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return (moment.timestamp(),)
            case _:
                return (float(_matching(_NUMBER, text)),)
    except (ValueError, OverflowError):
        raise QueryError(f"{text[:40]!r} is no value of {subject}") from None


def _dotted(text: str) -> tuple[float, ...]:
    numbers = [int(part) for part in _matching(_VERSION, text).split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(map(float, numbers))


def _matching(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


def _order(operator: str, left: Iterable[object], right: Iterable[object]) -> bool:
    a, b = tuple(left), tuple(right)
    match operator:
        case "==":
            return a == b
        case "!=":
            return a != b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "<":
            return a < b
        case _:
            return a <= b
