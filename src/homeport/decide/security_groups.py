"""What security groups let pass: the union of what their rules allow.

Rules are as ``domain.vpc.SecurityGroup`` keeps them: EC2's IpPermissions, one source each.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from homeport.domain.vpc import SecurityGroup

Rule = Mapping[str, object]
Direction = Literal["ingress", "egress"]


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side: where it may be (an address or a range each) and its groups."""

    ranges: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def admits(
    groups: Iterable[SecurityGroup], direction: Direction, protocol: str, port: int, peer: Peer
) -> bool:
    """Whether some rule lets traffic with the peer pass. A group in a rule stands for the
    addresses of its members, so the peer matches by membership."""
    places = [ipaddress.ip_network(place, strict=False) for place in peer.ranges]
    for rule in _rules(groups, direction, protocol, port):
        if any(pair.get("GroupId") in peer.groups for pair in _items(rule, "UserIdGroupPairs")):
            return True
        for allowed in _ranges(rule):
            if any(place.version == 4 and allowed.overlaps(place) for place in places):
                return True
    return False


def lets_out(groups: Iterable[SecurityGroup], protocol: str, port: int, *, outside: str) -> bool:
    """Whether some rule lets traffic go to addresses that are not in the range ``outside``."""
    inside = ipaddress.IPv4Network(outside)
    return any(
        not allowed.subnet_of(inside)
        for rule in _rules(groups, "egress", protocol, port)
        for allowed in _ranges(rule)
    )


def _rules(
    groups: Iterable[SecurityGroup], direction: Direction, protocol: str, port: int
) -> Iterator[Rule]:
    for group in groups:
        for rule in group.egress if direction == "egress" else group.ingress:
            if _covers(rule, protocol, port):
                yield rule


def _covers(rule: Rule, protocol: str, port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if rule["IpProtocol"] != protocol or not isinstance(first, int) or not isinstance(last, int):
        return False
    return first <= port <= last


def _items(rule: Rule, member: str) -> list[Mapping[str, Any]]:
    items = rule.get(member)
    return items if isinstance(items, list) else []


def _ranges(rule: Rule) -> Iterator[ipaddress.IPv4Network]:
    for item in _items(rule, "IpRanges"):
        yield ipaddress.IPv4Network(item["CidrIp"])
