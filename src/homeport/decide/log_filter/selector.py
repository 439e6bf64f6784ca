"""Selectors of JSON messages: ``{ ($.user.id = 1) && ($.roles[0] = "admin*") }``.

Operators ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``IS TRUE|FALSE|NULL``, ``NOT EXISTS`` and
``EXISTS``, joined with ``&&`` and ``||`` (``&&`` binds tighter) and parentheses. A message that
is not a JSON object or array matches nothing; a property that is not there satisfies only
``NOT EXISTS``. ``[*]`` is any element.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import lark
import msgspec

from .matching import Matcher, PatternError, number, ordered, regex, wildcard

MAX_DEPTH = 50

Test = Callable[[Any], bool]  # of a decoded JSON document

_GRAMMAR = r"""
start: "{" or_ "}"
?or_: and_ ("||" and_)*
?and_: simple ("&&" simple)*
?simple: "(" or_ ")"
       | selector OPERATOR value -> comparison
       | selector "IS"i CONSTANT -> constant
       | selector "NOT"i "EXISTS"i -> absent
       | selector "EXISTS"i -> present
selector: "$" step*
step: "." NAME -> name
    | "."? "[" QUOTED "]" -> quoted_name
    | "[" INDEX "]" -> index
    | "[" "*" "]" -> any
value: QUOTED | REGEX | WORD

OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">"
CONSTANT: /TRUE|FALSE|NULL/i
NAME: /[A-Za-z0-9_@-]+/
INDEX: /[0-9]{1,9}/
QUOTED: /"(?:[^"\\]|\\.)*"/ | /'(?:[^'\\]|\\.)*'/
REGEX: /%[^%]+%/
WORD: /[^\s"'%(){}&|=<>!]+/

%import common.WS
%ignore WS
"""


def compile_selector(text: str) -> Matcher:
    """Raises PatternError."""
    if text.count("(") > MAX_DEPTH:
        raise PatternError(f"there can be at most {MAX_DEPTH} parentheses")
    try:
        test = _Compiler().transform(_parser().parse(text))
    except lark.exceptions.VisitError as error:
        raise PatternError(str(error.orig_exc)) from None
    except lark.exceptions.UnexpectedInput as error:
        where = getattr(error, "pos_in_stream", None)
        raise PatternError(f"it is not understood at character {where}") from None

    def matches(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):
            return False
        try:
            document = msgspec.json.decode(message)
        except (msgspec.DecodeError, RecursionError):
            return False
        return bool(test(document))

    return matches


@functools.cache
def _parser() -> lark.Lark:
    return lark.Lark(_GRAMMAR, parser="lalr")


class _Compiler(lark.Transformer[Any, Any]):
    """Tree → test."""

    def start(self, items: list[Test]) -> Test:
        return items[0]

    def or_(self, items: list[Test]) -> Test:
        return lambda document: any(test(document) for test in items)

    def and_(self, items: list[Test]) -> Test:
        return lambda document: all(test(document) for test in items)

    def comparison(self, items: list[Any]) -> Test:
        found, operator, wanted = items
        holds = _comparison(str(operator), str(wanted))
        return lambda document: any(holds(value) for value in found(document))

    def constant(self, items: list[Any]) -> Test:
        found, word = items
        wanted = {"TRUE": True, "FALSE": False, "NULL": None}[str(word).upper()]
        return lambda document: any(value is wanted for value in found(document))

    def absent(self, items: list[Any]) -> Test:
        return lambda document: not any(True for _ in items[0](document))

    def present(self, items: list[Any]) -> Test:
        return lambda document: any(True for _ in items[0](document))

    def selector(self, steps: list[object]) -> Callable[[Any], Iterator[Any]]:
        return lambda document: _found(document, steps, 0)

    def name(self, items: list[Any]) -> object:
        return str(items[0])

    def quoted_name(self, items: list[Any]) -> object:
        return str(items[0])[1:-1]

    def index(self, items: list[Any]) -> object:
        return int(items[0])

    def any(self, items: list[Any]) -> object:
        return None

    def value(self, items: list[Any]) -> str:
        return str(items[0])


def _found(value: Any, steps: list[object], at: int) -> Iterator[Any]:
    """What a selector selects: nothing, one value, or with ``[*]`` several."""
    if at == len(steps):
        yield value
        return
    match steps[at]:
        case str(name):
            if isinstance(value, dict) and name in value:
                yield from _found(value[name], steps, at + 1)
        case int(index):
            if isinstance(value, list) and index < len(value):
                yield from _found(value[index], steps, at + 1)
        case _:
            for element in value if isinstance(value, list) else ():
                yield from _found(element, steps, at + 1)


def _comparison(operator: str, wanted: str) -> Callable[[Any], bool]:
    limit = number(wanted)
    if limit is not None:
        return lambda value: _number_holds(value, operator, limit)
    if operator not in ("=", "!="):
        raise PatternError(f"'{wanted[:64]}' is no number")
    equal = _text_matcher(wanted)
    if operator == "=":
        return lambda value: equal(_text(value))
    return lambda value: not equal(_text(value))


def _text_matcher(wanted: str) -> Matcher:
    if wanted.startswith("%"):
        return regex(wanted[1:-1])
    if wanted[0] in "\"'":
        wanted = wanted[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return wildcard(wanted)


def _number_holds(value: Any, operator: str, limit: float) -> bool:
    if isinstance(value, str):
        value = number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return operator == "!="
    return ordered(operator, value, limit)


def _text(value: Any) -> str:
    """As a pattern would spell it."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
