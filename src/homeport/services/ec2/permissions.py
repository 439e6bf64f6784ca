"""Rules of security groups: EC2's IpPermissions, one source each, in one normal form. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .errors import InvalidParameterValue, MissingParameter

Rule = dict[str, object]
"""IpProtocol, FromPort and ToPort where the protocol has ports, and exactly one source member
with one item: IpRanges, Ipv6Ranges, PrefixListIds or UserIdGroupPairs."""

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_SOURCES = {
    "IpRanges": ("CidrIp", 4),
    "Ipv6Ranges": ("CidrIpv6", 6),
    "UserIdGroupPairs": ("GroupId", 0),
}


def parse_rules(request: Mapping[str, Any], account_id: str, groups: set[str]) -> list[Rule]:
    """The rules of an Authorize or Revoke request; shorthand members are one permission."""
    permissions = list(request.get("IpPermissions") or ()) or [_shorthand(request)]
    rules = [rule for p in permissions for rule in _split(p, account_id, groups)]
    if not rules:
        raise MissingParameter("A source must be specified: IpPermissions")
    return rules


def _shorthand(request: Mapping[str, Any]) -> dict[str, Any]:
    if not request.get("IpProtocol"):
        raise MissingParameter("The request must contain the parameter ipProtocol or ipPermissions")
    permission = {k: request[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in request}
    if request.get("CidrIp"):
        permission["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
    return permission


def _split(permission: Mapping[str, Any], account_id: str, groups: set[str]) -> Iterable[Rule]:
    protocol = PROTOCOLS.get(
        str(permission.get("IpProtocol")), str(permission.get("IpProtocol") or "")
    )
    base: Rule = {"IpProtocol": protocol, **_ports(protocol, permission)}
    for member, (name, version) in _SOURCES.items():
        for item in permission.get(member) or ():
            source = {k: v for k, v in item.items() if v is not None}
            value = str(source.get(name) or "")
            if version:
                source[name] = _cidr(value, version)
            elif value not in groups:
                raise InvalidParameterValue(f"Invalid group id: '{value[:64]}' (UserIdGroupPairs)")
            else:
                source["UserId"] = source.get("UserId") or account_id
            yield {**base, member: [source]}


def _ports(protocol: str, permission: Mapping[str, Any]) -> Rule:
    if protocol == "-1":
        return {}
    if protocol not in ("tcp", "udp", "icmp", "icmpv6") and not protocol.isdecimal():
        raise InvalidParameterValue(
            f"Invalid value '{protocol[:32]}' for IP protocol. Unknown protocol."
        )
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise InvalidParameterValue(
                f"Invalid value 'Must specify both from and to ports with "
                f"TCP/UDP.' for portRange: {protocol}"
            )
        if not 0 <= first <= last <= 65535:
            raise InvalidParameterValue(f"Invalid TCP/UDP port range ({first}, {last})")
    return {
        name: value for name, value in (("FromPort", first), ("ToPort", last)) if value is not None
    }


def _cidr(text: str, version: int) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise InvalidParameterValue(f"CIDR block {text[:64]} is malformed")
    return str(network)


def identity(rule: Mapping[str, object]) -> bytes:
    """What makes two rules the same: all but the description."""
    bare = {
        k: [{a: b for a, b in item.items() if a != "Description"} for item in v]
        if isinstance(v, list)
        else v
        for k, v in rule.items()
    }
    return msgspec.json.encode(bare, order="deterministic")


def rule_id(group_id: str, egress: bool, rule: Mapping[str, object]) -> str:
    """A stable ``sgr-`` identifier, derived from what the rule says."""
    text = f"{group_id}|{egress}|".encode() + identity(rule)
    return f"sgr-0{hashlib.sha256(text).hexdigest()[:16]}"


def merged(rules: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rules as DescribeSecurityGroups returns them: one permission per protocol and ports."""
    permissions: dict[tuple[object, ...], dict[str, Any]] = {}
    for rule in rules:
        key = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        permission = permissions.setdefault(
            key,
            {
                **{k: v for k, v in rule.items() if not isinstance(v, list)},
                "IpRanges": [],
                "Ipv6Ranges": [],
                "PrefixListIds": [],
                "UserIdGroupPairs": [],
            },
        )
        for member, items in rule.items():
            if isinstance(items, list):
                permission[member] = [*permission[member], *items]
    return list(permissions.values())
