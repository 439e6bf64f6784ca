"""Security groups as an nftables table: pure text.

Every packet of a flow is judged by the address and port that the flow began with (``ct
original``), in both directions, so a revoked rule cuts what is established as well. Each
interface of this host (its name on the host and its address) jumps to the chain of its set of
groups; a chain returns what a rule allows and drops the rest. Evaluated where packets are
forwarded, where they leave the host itself, and where they reach it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .interface import host_side
from .view import Group, Interface, Permission, Surroundings

METADATA = "169.254.170.2"
_NUMBERED = {"6": "tcp", "17": "udp", "1": "icmp"}
_HOOKS = ("forward", "input", "output")


@dataclass(frozen=True, slots=True)
class Judge:
    """What the rules are made from. ``own``: the interfaces of this host; ``platform``:
    addresses of the control plane, which every task may reach, as AWS's APIs."""

    own: Sequence[Interface]
    everyone: Sequence[Interface]
    groups: Mapping[str, Group]
    surroundings: Surroundings
    platform: tuple[str, ...] = ()


def ruleset(table: str, judge: Judge) -> str:
    """A transaction that replaces the table; without interfaces of this host it only removes it."""
    lines = [f"table inet {table}", f"delete table inet {table}"]
    if judge.own:
        lines += [f"table inet {table} {{", *_table(judge), "}"]
    return "\n".join(lines) + "\n"


def _table(judge: Judge) -> Iterable[str]:
    ways_out = [i for i in judge.own if judge.surroundings.way_out(i)]
    yield from _verdicts("egress", "out", judge.own)
    yield from _verdicts("ingress", "in", judge.own)
    yield from _addresses("kept_in", [i for i in judge.own if i not in ways_out])
    for groups in sorted({i.groups for i in judge.own}):
        yield from _chain(_name("in", groups), groups, judge, ingress=True)
        yield from _chain(_name("out", groups), groups, judge, ingress=False)
    yield from _check(judge)
    for hook in _HOOKS:
        yield f"chain {hook} {{"
        yield f"type filter hook {hook} priority filter; policy accept;"
        yield "jump check"
        yield "}"
    yield "chain postrouting {"
    yield "type nat hook postrouting priority srcnat; policy accept;"
    addresses = _set(a for i in judge.own for a in i.addresses)
    yield f"ip saddr {addresses} ip daddr != {_set(_vpc_blocks(judge))} masquerade"
    yield "}"


def _check(judge: Judge) -> Iterable[str]:
    vpc = _set(_vpc_blocks(judge))
    beyond = f"ip daddr != {_set([*judge.platform, METADATA])}"
    yield "chain check {"
    yield f"ct original ip daddr {METADATA} accept"
    yield "ct state related accept"
    kept_in = f"ct direction original iifname . ip saddr @kept_in ip daddr != {vpc} {beyond}"
    yield f"{kept_in} fib daddr type != local drop"
    for end in ("iifname", "oifname"):
        yield f"{end} . ct original ip saddr vmap @egress"
        yield f"{end} . ct original ip daddr vmap @ingress"
    yield "}"


def _verdicts(name: str, direction: str, own: Sequence[Interface]) -> Iterable[str]:
    elements = ", ".join(
        f"{end} : jump {_name(direction, interface.groups)}"
        for interface in own
        for end in _ends(interface)
    )
    yield f"map {name} {{"
    yield "type ifname . ipv4_addr : verdict"
    yield f"elements = {{ {elements} }}"
    yield "}"


def _addresses(name: str, members: Sequence[Interface]) -> Iterable[str]:
    elements = ", ".join(sorted({end for i in members for end in _ends(i)}))
    yield f"set {name} {{"
    yield "type ifname . ipv4_addr"
    if elements:
        yield f"elements = {{ {elements} }}"
    yield "}"


def _ends(interface: Interface) -> list[str]:
    """The host's end of the interface with each address: an address alone may be another's, of a
    control plane that has the same block."""
    return [f'"{host_side(interface.interface_id)}" . {a}' for a in interface.addresses]


def _chain(name: str, group_ids: Sequence[str], judge: Judge, *, ingress: bool) -> Iterable[str]:
    yield f"chain {name} {{"
    yield "meta l4proto icmp ct direction reply return"
    rules: dict[str, None] = {}
    for group_id in group_ids:
        group = judge.groups.get(group_id)
        for permission in (group.ingress if ingress else group.egress) if group else ():
            if rule := _rule(permission, judge, ingress=ingress):
                rules[rule] = None
    yield from rules
    yield "drop"
    yield "}"


def _rule(permission: Permission, judge: Judge, *, ingress: bool) -> str:
    """Empty if nothing can match it."""
    peers = _peers(permission, judge)
    if not peers:
        return ""
    field = "saddr" if ingress else "daddr"
    peer = "" if "0.0.0.0/0" in peers else f"ct original ip {field} {_set(peers)}"
    parts = (_protocol(permission), peer, "return")
    return " ".join(part for part in parts if part)


def _protocol(permission: Permission) -> str:
    protocol = _NUMBERED.get(permission.protocol, permission.protocol)
    first, last = permission.from_port, permission.to_port
    if protocol == "-1":
        return ""
    if protocol in ("tcp", "udp") and (first, last) in ((-1, -1), (0, 65535)):
        return f"meta l4proto {protocol}"
    if protocol in ("tcp", "udp"):
        ports = str(first) if first == last else f"{first}-{last}"
        return f"meta l4proto {protocol}" + f" ct original proto-dst {ports}"
    if protocol == "icmp":
        type_ = "" if first < 0 else f" icmp type {first}"
        code = "" if first < 0 or last < 0 else f" icmp code {last}"
        return f"meta l4proto icmp{type_}{code}"
    return f"meta l4proto {protocol}"


def _peers(permission: Permission, judge: Judge) -> list[str]:
    """Blocks, and addresses of the members of groups.

    A load balancer's traffic comes from the machine it runs on, not from its subnet: a block
    that covers its subnet covers it as well.
    """
    peers = set(permission.blocks)
    blocks = [ipaddress.IPv4Network(b) for b in permission.blocks]
    for interface in judge.everyone:
        member = bool(set(interface.groups) & set(permission.groups))
        if not member and interface.of_load_balancer:
            subnet = judge.surroundings.subnets.get(interface.subnet_id)
            member = bool(subnet) and _covered(str(subnet), blocks)
        if member:
            peers.update(interface.addresses)
    return _merged(peers)


def _covered(subnet: str, blocks: Iterable[ipaddress.IPv4Network]) -> bool:
    network = ipaddress.IPv4Network(subnet)
    return any(network.subnet_of(block) for block in blocks)


def _merged(blocks: Iterable[str]) -> list[str]:
    """Without overlaps, which nftables refuses in a set."""
    networks = ipaddress.collapse_addresses(ipaddress.IPv4Network(b) for b in blocks)
    return [str(n) for n in networks]


def _vpc_blocks(judge: Judge) -> list[str]:
    vpcs = {i.vpc_id for i in judge.own}
    blocks = [b for vpc in vpcs for b in judge.surroundings.vpcs.get(vpc, ())]
    return _merged(blocks) or ["127.0.0.0/8"]


def _set(members: Iterable[str]) -> str:
    return "{ " + ", ".join(sorted(members)) + " }"


def _name(direction: str, groups: Sequence[str]) -> str:
    return f"{direction}_{hashlib.sha256(','.join(groups).encode()).hexdigest()[:12]}"
