"""Terms: all of them, none of the excluded, or any of the optional ones.

As documented, optional terms count only where there are no others. A term is found anywhere in
the message, in its own case.
"""

from __future__ import annotations

import re

from .matching import Matcher, PatternError, regex

_TERM = re.compile(
    r"""(?P<sign>[-?]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<bare>[^\s"]+))(?=\s|$)"""
)


def compile_terms(text: str) -> Matcher:
    """Of an empty pattern: every message. Raises PatternError."""
    signed: dict[str, list[Matcher]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        term = _TERM.match(text, at)
        if term is None:
            raise PatternError(f"'{text[at : at + 64]}' at character {at} is no term")
        signed[term["sign"]].append(_matcher(term))
        at = term.end()
    return _combined(signed[""], signed["-"], signed["?"])


def _matcher(term: re.Match[str]) -> Matcher:
    if term["regex"] is not None:
        return regex(term["regex"])
    quoted, bare = term["quoted"], term["bare"]
    wanted = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return lambda message: wanted in message


def _combined(wanted: list[Matcher], excluded: list[Matcher], optional: list[Matcher]) -> Matcher:
    if optional and not wanted and not excluded:
        return lambda message: any(term(message) for term in optional)
    if len(wanted) == 1 and not excluded:
        return wanted[0]

    def matches(message: str) -> bool:
        return all(term(message) for term in wanted) and not any(term(message) for term in excluded)

    return matches
