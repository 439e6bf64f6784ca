"""Rule conditions as Envoy route matches (pure).

Source: "Listener rules for your Application Load Balancer", condition types. ``*`` is any run
of characters, ``?`` exactly one. Envoy matches regular expressions against the whole value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from homeport.domain.load_balancing import Condition

Json = dict[str, object]

SOURCE_ADDRESS_KEY = "homeport.source_address"


class Unsupported(Exception):
    """A rule says something that is not translated; the text says what."""


def route_match(conditions: Sequence[Condition], *also: Json) -> Json:
    """The match of a rule: all ``conditions`` and all further header matchers must hold."""
    match: Json = {"prefix": "/"}
    headers: list[Json] = []
    for condition in conditions:
        if condition.field == "path-pattern":
            match = path_match(condition.values)
        elif condition.field != "source-ip":
            headers.append(_header_match(condition))
    headers.extend(also)
    if headers:
        match["headers"] = headers
    sources = [_source_match(c.values) for c in conditions if c.field == "source-ip"]
    if sources:
        match["filter_state"] = sources
    return match


def path_match(patterns: Sequence[str]) -> Json:
    """Case-sensitive match of the path without its query; any one pattern."""
    if len(patterns) == 1 and "?" not in patterns[0]:
        stem = patterns[0].removesuffix("*")
        if "*" not in stem:
            return {"prefix" if stem != patterns[0] else "path": stem}
    return {"safe_regex": {"regex": _any_of(wildcards(p) for p in patterns)}}


def wildcards(pattern: str, any_character: str = ".") -> str:
    """An ELBv2 pattern as a regular expression (RE2)."""
    special = {"*": f"{any_character}*", "?": any_character}
    return "".join(special.get(c) or re.escape(c) for c in pattern)


def uses_source_ip(conditions: Iterable[Condition]) -> bool:
    """Whether the listener must make the peer's address known to its routes."""
    return any(condition.field == "source-ip" for condition in conditions)


def header_regex(name: str, regex: str) -> Json:
    """A header matcher."""
    return {"name": name, "string_match": {"safe_regex": {"regex": regex}}}


def _header_match(condition: Condition) -> Json:
    match condition.field:
        case "host-header":
            # The port of a Host header takes no part in the match.
            host = _any_of(wildcards(v) for v in condition.values)
            return header_regex(":authority", f"(?i){host}(?::[0-9]+)?")
        case "http-header":
            value = _any_of(wildcards(v) for v in condition.values)
            return header_regex(condition.http_header_name.lower(), f"(?is){value}")
        case "http-request-method":
            return header_regex(":method", _any_of(re.escape(v) for v in condition.values))
        case "query-string":
            pair = _any_of(_query_pair(key, value) for key, value in condition.query_pairs)
            return header_regex(":path", rf"(?i)[^?]*\?(?:.*&)?{pair}(?:&.*)?")
        case _:
            raise Unsupported(f"condition field '{condition.field}' is not served")


def _query_pair(key: str, value: str) -> str:
    name = wildcards(key, "[^&=]") + "=" if key else "(?:[^&=]*=)?"
    return name + wildcards(value, "[^&]")


def _source_match(cidrs: Sequence[str]) -> Json:
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    ranges = [
        {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}
        for network in networks
    ]
    return {"key": SOURCE_ADDRESS_KEY, "address_match": {"ranges": ranges}}


def _any_of(alternatives: Iterable[str]) -> str:
    return f"(?:{'|'.join(alternatives)})"
