"""What the EC2 API says about the network, as far as a host needs it. Parsing is pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

ELB = "amazon-elb"


class NotUnderstood(Exception):
    """An answer that is not the XML that EC2 sends."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that is attached somewhere. ``instance_id`` empty: to no host."""

    interface_id: str
    vpc_id: str
    subnet_id: str
    addresses: tuple[str, ...]
    groups: tuple[str, ...]
    instance_id: str
    public: bool
    of_load_balancer: bool


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One protocol and port range from or to addresses and groups.

    ``protocol`` is ``-1`` for all, or as in EC2 (``tcp``, ``udp``, ``icmp``, a number); ports are
    ICMP's type and code for ``icmp``, -1 for any.
    """

    protocol: str
    from_port: int
    to_port: int
    blocks: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A security group's rules."""

    group_id: str
    ingress: tuple[Permission, ...]
    egress: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class RouteTable:
    """``internet``: how the default route leaves the VPC: ``igw``, ``nat`` or empty."""

    vpc_id: str
    main: bool
    subnets: tuple[str, ...]
    internet: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What changes seldom: hosts by instance id, address blocks by VPC and by subnet."""

    hosts: dict[str, str]
    vpcs: dict[str, tuple[str, ...]]
    subnets: dict[str, str]
    route_tables: tuple[RouteTable, ...]

    def way_out(self, interface: Interface) -> bool:
        """Whether an interface reaches the internet: through a NAT gateway, or an internet
        gateway if it has a public address."""
        tables = [t for t in self.route_tables if t.vpc_id == interface.vpc_id]
        own = [t for t in tables if interface.subnet_id in t.subnets]
        table = next(iter(own or [t for t in tables if t.main]), None)
        if table is None:
            return False
        return table.internet == "nat" or (table.internet == "igw" and interface.public)


def parse(text: str) -> ElementTree.Element:
    """The document without name spaces. Raises NotUnderstood."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise NotUnderstood(str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def interfaces(root: ElementTree.Element) -> list[Interface]:
    """DescribeNetworkInterfaces' answer."""
    return [_interface(item) for item in root.iterfind("networkInterfaceSet/item")]


def groups(root: ElementTree.Element) -> dict[str, Group]:
    """DescribeSecurityGroups' answer, by id."""
    found = (
        Group(
            _text(item, "groupId"),
            tuple(_permissions(item, "ipPermissions")),
            tuple(_permissions(item, "ipPermissionsEgress")),
        )
        for item in root.iterfind("securityGroupInfo/item")
    )
    return {group.group_id: group for group in found}


def hosts(root: ElementTree.Element) -> dict[str, str]:
    """DescribeInstances' answer: private address by instance id."""
    found = root.iterfind("reservationSet/item/instancesSet/item")
    return {_text(i, "instanceId"): _text(i, "privateIpAddress") for i in found}


def vpc_blocks(root: ElementTree.Element) -> dict[str, tuple[str, ...]]:
    """DescribeVpcs' answer: address blocks by VPC."""
    return {_text(v, "vpcId"): (_text(v, "cidrBlock"),) for v in root.iterfind("vpcSet/item")}


def subnet_blocks(root: ElementTree.Element) -> dict[str, str]:
    """DescribeSubnets' answer: address block by subnet."""
    found = root.iterfind("subnetSet/item")
    return {_text(s, "subnetId"): _text(s, "cidrBlock") for s in found}


def route_tables(root: ElementTree.Element) -> tuple[RouteTable, ...]:
    """DescribeRouteTables' answer."""
    return tuple(_route_table(item) for item in root.iterfind("routeTableSet/item"))


def next_token(root: ElementTree.Element) -> str:
    """Where the next page begins; empty on the last."""
    return _text(root, "nextToken")


def _interface(item: ElementTree.Element) -> Interface:
    first = _text(item, "privateIpAddress")
    more = [_text(a, "privateIpAddress") for a in item.iterfind("privateIpAddressesSet/item")]
    return Interface(
        interface_id=_text(item, "networkInterfaceId"),
        vpc_id=_text(item, "vpcId"),
        subnet_id=_text(item, "subnetId"),
        addresses=tuple(dict.fromkeys(address for address in (first, *more) if address)),
        groups=tuple(sorted(_text(g, "groupId") for g in item.iterfind("groupSet/item"))),
        instance_id=_text(item, "attachment/instanceId"),
        public=bool(_text(item, "association/publicIp")),
        of_load_balancer=_text(item, "requesterId") == ELB,
    )


def _permissions(group: ElementTree.Element, name: str) -> Iterator[Permission]:
    for item in group.iterfind(f"{name}/item"):
        blocks = (_text(r, "cidrIp") for r in item.iterfind("ipRanges/item"))
        yield Permission(
            protocol=_text(item, "ipProtocol"),
            from_port=int(_text(item, "fromPort") or -1),
            to_port=int(_text(item, "toPort") or -1),
            blocks=tuple(sorted(b for b in blocks if _is_block(b))),
            groups=tuple(sorted(_text(g, "groupId") for g in item.iterfind("groups/item"))),
        )


def _route_table(item: ElementTree.Element) -> RouteTable:
    associations = list(item.iterfind("associationSet/item"))
    internet = ""
    for route in item.iterfind("routeSet/item"):
        if _text(route, "state") == "blackhole":
            continue  # what it leads to was deleted or detached
        if _text(route, "destinationCidrBlock") == "0.0.0.0/0":
            if _text(route, "natGatewayId"):
                internet = "nat"
            elif _text(route, "gatewayId").startswith("igw-"):
                internet = "igw"
    return RouteTable(
        vpc_id=_text(item, "vpcId"),
        main=any(_text(a, "main") == "true" for a in associations),
        subnets=tuple(_text(a, "subnetId") for a in associations if _text(a, "subnetId")),
        internet=internet,
    )


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _is_block(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
