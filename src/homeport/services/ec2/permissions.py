"""Rules of security groups: EC2's IpPermissions, one source each, in one normal form. Pure.

Source: AuthorizeSecurityGroupIngress and IpPermission, EC2 API reference.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from homeport.domain.vpc import SecurityGroup

from .errors import (
    GroupNotFound,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    PrefixListNotFound,
    RulesPerSecurityGroupLimitExceeded,
)

Rule = dict[str, object]
"""IpProtocol, FromPort and ToPort where the protocol has ports, and exactly one source member
with one item: IpRanges, Ipv6Ranges or UserIdGroupPairs."""

MAX_RULES = 60
MAX_PROTOCOL = 255
MAX_PORT = 65535
MAX_ICMP = 255
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
SHORTHAND = ("IpProtocol", "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupName")
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]{0,255}")


class Sources:
    """The groups of one VPC that a rule may name."""

    def __init__(self, account_id: str, groups: Iterable[SecurityGroup]) -> None:
        self.account_id = account_id
        self._ids = {group.name: group.group_id for group in groups}

    def group_id(self, pair: Mapping[str, Any]) -> str:
        """Of a UserIdGroupPair, by id or name. Raises GroupNotFound."""
        given = str(pair.get("GroupId") or "")
        name = str(pair.get("GroupName") or "")
        if not given and not name:
            raise MissingParameter("Source group ID missing.")
        found = given if given in self._ids.values() else self._ids.get(name) if not given else None
        if found is None or pair.get("UserId") not in (None, self.account_id):
            raise GroupNotFound(given or name)
        return found


def parse_rules(request: Mapping[str, Any], sources: Sources, *, egress: bool) -> list[Rule]:
    """The rules of an Authorize or Revoke request; of ingress the shorthand members too.

    Raises InvalidParameterValue, MissingParameter, GroupNotFound, PrefixListNotFound.
    """
    permissions = list(request.get("IpPermissions") or ())
    short = [name for name in SHORTHAND if request.get(name) is not None]
    if permissions and short:
        member = short[0][0].lower() + short[0][1:]
        raise InvalidParameterCombination(
            f"The parameter 'ipPermissions' may not be used in combination with '{member}'"
        )
    if not permissions:
        permissions = [] if egress else list(_shorthand(request))
    if not permissions:
        raise MissingParameter("The request must contain the parameter ipPermissions")
    rules = [rule for permission in permissions for rule in _split(permission, sources)]
    if len({identity(rule) for rule in rules}) < len(rules):
        raise InvalidParameterValue("The same permission must not appear multiple times")
    return rules


def _shorthand(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if group := request.get("SourceSecurityGroupName"):
        pairs = {"UserIdGroupPairs": [{"GroupName": group}]}
        yield {"IpProtocol": "tcp", "FromPort": 0, "ToPort": MAX_PORT, **pairs}
        yield {"IpProtocol": "udp", "FromPort": 0, "ToPort": MAX_PORT, **pairs}
        yield {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, **pairs}
    elif request.get("IpProtocol"):
        permission = {k: request[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in request}
        if request.get("CidrIp"):
            permission["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
        yield permission


def _split(permission: Mapping[str, Any], sources: Sources) -> list[Rule]:
    protocol = _protocol(str(permission.get("IpProtocol") or ""))
    base: Rule = {"IpProtocol": protocol, **_ports(protocol, permission)}
    for prefix_list in permission.get("PrefixListIds") or ():
        raise PrefixListNotFound(str(prefix_list.get("PrefixListId") or ""))
    rules = [{**base, member: [source]} for member, source in _sources(permission, sources)]
    if not rules:
        raise MissingParameter("The request must contain a source or destination: ipPermissions")
    return rules


def _sources(permission: Mapping[str, Any], sources: Sources) -> Iterator[tuple[str, Rule]]:
    for item in permission.get("IpRanges") or ():
        yield "IpRanges", {"CidrIp": _cidr(item.get("CidrIp"), 4), **_description(item)}
    for item in permission.get("Ipv6Ranges") or ():
        yield "Ipv6Ranges", {"CidrIpv6": _cidr(item.get("CidrIpv6"), 6), **_description(item)}
    for item in permission.get("UserIdGroupPairs") or ():
        pair: Rule = {"GroupId": sources.group_id(item), "UserId": sources.account_id}
        yield "UserIdGroupPairs", {**pair, **_description(item)}


def _protocol(given: str) -> str:
    if not given:
        raise MissingParameter("The request must contain the parameter ipProtocol")
    protocol = PROTOCOLS.get(given, given.lower())
    known = protocol in (*PROTOCOLS.values(), "-1")
    number = protocol.isascii() and protocol.isdecimal() and len(protocol) <= 3
    if not known and not (number and int(protocol) <= MAX_PROTOCOL):
        raise InvalidParameterValue(
            f"Invalid value '{given[:32]}' for IP protocol. Unknown protocol."
        )
    return protocol


def _ports(protocol: str, permission: Mapping[str, Any]) -> Rule:
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise InvalidParameterValue(
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
            )
        if not 0 <= first <= last <= MAX_PORT:
            raise InvalidParameterValue(f"Invalid TCP/UDP port range ({first}, {last})")
        return {"FromPort": first, "ToPort": last}
    if protocol == "icmpv6" and first is None and last is None:
        return {"FromPort": -1, "ToPort": -1}
    if protocol in ("icmp", "icmpv6"):
        if first is None or last is None:
            raise InvalidParameterValue(
                "Invalid value 'Must specify both type and code with ICMP.' for portRange."
            )
        in_range = -1 <= first <= MAX_ICMP and -1 <= last <= MAX_ICMP
        if not in_range or (first == -1 and last != -1):
            raise InvalidParameterValue(f"Invalid ICMP type or code ({first}, {last})")
        return {"FromPort": first, "ToPort": last}
    return {}  # "traffic is allowed on all ports, regardless of any ports that you specify"


def _cidr(text: object, version: int) -> str:
    """In canonical form: the host's bits are 0. A bare address is not a range."""
    try:
        network = ipaddress.ip_network(str(text), strict=False) if "/" in str(text) else None
    except ValueError:
        network = None
    if network is None or network.version != version:
        raise InvalidParameterValue(f"CIDR block {str(text)[:64]} is malformed")
    return str(network)


def _description(item: Mapping[str, Any]) -> Rule:
    text = item.get("Description")
    if text is None:
        return {}
    if not _DESCRIPTION.fullmatch(text):
        raise InvalidParameterValue(
            "Invalid rule description. Valid descriptions are strings less than 256 characters "
            "from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )
    return {"Description": text}


def described(rule: Mapping[str, Any], text: str | None) -> Rule:
    """The rule with this description, or without one. Raises InvalidParameterValue."""
    about = _description({"Description": text})
    return {
        member: [{k: v for k, v in items[0].items() if k != "Description"} | about]
        if isinstance(items, list)
        else items
        for member, items in rule.items()
    }


def check_number(rules: Sequence[Rule]) -> None:
    """At most 60 for IPv4 and 60 for IPv6; a rule that names a group counts for both."""
    for other in ("IpRanges", "Ipv6Ranges"):
        if sum(other not in rule for rule in rules) > MAX_RULES:
            raise RulesPerSecurityGroupLimitExceeded


def source(rule: Mapping[str, object]) -> Mapping[str, Any]:
    """The one item of the rule's one source member."""
    items: Sequence[Mapping[str, Any]] = next(v for v in rule.values() if isinstance(v, list))
    return items[0]


def peer(rule: Mapping[str, object]) -> str:
    """The range or group that a rule is about."""
    item = source(rule)
    return str(item.get("CidrIp") or item.get("CidrIpv6") or item["GroupId"])


def words(rule: Mapping[str, object]) -> str:
    """A rule as EC2 words it in errors: ``peer: 0.0.0.0/0, TCP, from port: 22, to port: 22``…"""
    protocol, first, last = rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")
    if protocol in ("tcp", "udp"):
        what = f"{str(protocol).upper()}, from port: {first}, to port: {last}"
    elif protocol in ("icmp", "icmpv6"):
        type_, code = ("ALL" if number == -1 else number for number in (first, last))
        what = f"{str(protocol).upper()}, type: {type_}, code: {code}"
    else:
        what = "ALL" if protocol == "-1" else f"protocol: {protocol}"
    return f"peer: {peer(rule)}, {what}, ALLOW"


def identity(rule: Mapping[str, object]) -> bytes:
    """What makes two rules the same: all but the description."""
    bare = {
        k: [{a: b for a, b in item.items() if a != "Description"} for item in v]
        if isinstance(v, list)
        else v
        for k, v in rule.items()
    }
    return msgspec.json.encode(bare, order="deterministic")


def digest(group_id: str, egress: bool, rule: Mapping[str, object]) -> str:
    """What ``SecurityGroup.rule_ids`` knows a rule by; it has the form of an id."""
    text = f"{group_id}|{egress}|".encode() + identity(rule)
    return f"sgr-0{hashlib.sha256(text).hexdigest()[:16]}"


def rule_id(group: SecurityGroup, egress: bool, rule: Mapping[str, object]) -> str:
    """A rule's id; it keeps it when it is modified."""
    known_by = digest(group.group_id, egress, rule)
    return group.rule_ids.get(known_by, known_by)


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
