"""What a network interface reaches from its subnet, and by which way.

A subnet is public (its route table leads to an internet gateway), behind NAT, or isolated. A
service is reached through a VPC endpoint that serves the subnet, else through the subnet's way
out; every way needs security groups that let port 443 pass. What is blocked on AWS is never
refused but times out, so the answer says why.

Sources: "Subnet route tables", "Access an AWS service using an interface VPC endpoint" and
"Gateway endpoints", VPC user guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from homeport.domain.routing import EVERYWHERE, NatGateway, RouteTable
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.domain.vpc_endpoint import GATEWAY, INTERFACE, VpcEndpoint

from .security_groups import Peer, admits, lets_out

HTTPS = 443


class Exit(Enum):
    """How a subnet's traffic leaves its VPC."""

    PUBLIC = "public"
    NAT = "nat"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True)
class Network:
    """One VPC as it is: what the answers here are found in."""

    vpc: Vpc
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    route_tables: tuple[RouteTable, ...] = ()
    internet_gateways: frozenset[str] = frozenset()
    """The ids of those attached to the VPC."""
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=dict)
    """Without deleted ones."""
    endpoints: tuple[VpcEndpoint, ...] = ()
    security_groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Of network interfaces, by their ids: at least of those of endpoints."""

    def groups(self, ids: Iterable[str]) -> tuple[SecurityGroup, ...]:
        """The groups of these ids, as far as they exist."""
        return tuple(self.security_groups[i] for i in ids if i in self.security_groups)


@dataclass(frozen=True, slots=True)
class Origin:
    """The network interface that wants to reach something."""

    subnet_id: str
    address: str = ""
    public_ip: bool = False
    security_groups: tuple[str, ...] = ()


class By(Enum):
    """The ways to a service."""

    INTERFACE_ENDPOINT = "interface endpoint"
    GATEWAY_ENDPOINT = "gateway endpoint"
    INTERNET_GATEWAY = "internet gateway"
    NAT_GATEWAY = "NAT gateway"


@dataclass(frozen=True, slots=True)
class Way:
    """Traffic arrives this way; ``endpoint`` when it is one."""

    by: By
    endpoint: VpcEndpoint | None = None


@dataclass(frozen=True, slots=True)
class NoWay:
    """Traffic is lost, and why."""

    reason: str


def route_table_of(network: Network, subnet_id: str) -> RouteTable | None:
    """The table that the subnet names, else the VPC's main one."""
    named = (table for table in network.route_tables if table.serves(subnet_id))
    main = (table for table in network.route_tables if table.is_main)
    return next(named, None) or next(main, None)


def exit_of(network: Network, subnet_id: str) -> Exit:
    """By the subnet's default route. A route to what is gone or detached leads nowhere, as does
    a NAT gateway that is private or itself in a subnet that is not public."""
    target = _default_target(network, subnet_id)
    if target in network.internet_gateways:
        return Exit.PUBLIC
    nat = network.nat_gateways.get(target)
    if nat is not None and nat.connectivity == "public":
        outside = _default_target(network, nat.subnet_id) in network.internet_gateways
        return Exit.NAT if outside else Exit.ISOLATED
    return Exit.ISOLATED


def _default_target(network: Network, subnet_id: str) -> str:
    table = route_table_of(network, subnet_id)
    return (table.target(EVERYWHERE) if table else None) or ""


def endpoints_of(network: Network, subnet_id: str) -> dict[str, VpcEndpoint]:
    """Service name → the endpoint that the service's public name leads to from this subnet.

    An interface endpoint serves its whole VPC, but by the public name only with private DNS, which
    needs both DNS flags of the VPC. A gateway endpoint serves the subnets of its route tables.
    An interface endpoint with private DNS goes before a gateway endpoint: its name wins.
    """
    table = route_table_of(network, subnet_id)
    serving = {
        endpoint.service_name: endpoint
        for endpoint in network.endpoints
        if endpoint.kind == GATEWAY and table and table.route_table_id in endpoint.route_table_ids
    }
    if network.vpc.dns_support and network.vpc.dns_hostnames:
        named = (e for e in network.endpoints if e.kind == INTERFACE and e.private_dns)
        serving.update({endpoint.service_name: endpoint for endpoint in named})
    return serving


def way_to_service(network: Network, origin: Origin, service_name: str) -> Way | NoWay:
    """To a service by its endpoint service name, e.g. ``com.amazonaws.us-east-1.ecr.api``."""
    if not network.vpc.dns_support:
        return NoWay(f"DNS is off in {network.vpc.vpc_id}: no name can be resolved")
    endpoint = endpoints_of(network, origin.subnet_id).get(service_name)
    if endpoint is None:
        return way_to_internet(network, origin)
    if endpoint.kind == GATEWAY:
        blocked = _kept_in(network, origin)
        return blocked or Way(By.GATEWAY_ENDPOINT, endpoint)
    return _through_interface(network, origin, endpoint)


def way_to_internet(network: Network, origin: Origin) -> Way | NoWay:
    """To a public address, say of a registry."""
    if blocked := _kept_in(network, origin):
        return blocked
    match exit_of(network, origin.subnet_id):
        case Exit.PUBLIC if origin.public_ip:
            return Way(By.INTERNET_GATEWAY)
        case Exit.PUBLIC:
            return NoWay(f"{origin.subnet_id} is public but the interface has no public IP address")
        case Exit.NAT:
            return Way(By.NAT_GATEWAY)
        case Exit.ISOLATED:
            return NoWay(f"{origin.subnet_id} has no route to an internet or NAT gateway")


def _kept_in(network: Network, origin: Origin) -> NoWay | None:
    groups = network.groups(origin.security_groups)
    if lets_out(groups, "tcp", HTTPS, outside=network.vpc.cidr_block):
        return None
    return NoWay(f"no security group of the interface lets port {HTTPS} out of the VPC")


def _through_interface(network: Network, origin: Origin, endpoint: VpcEndpoint) -> Way | NoWay:
    addresses = [a for i in endpoint.network_interface_ids if (a := network.addresses.get(i))]
    if not addresses:
        return NoWay(f"{endpoint.endpoint_id} is in no subnet")
    there = Peer(tuple(addresses), endpoint.security_groups)
    if not admits(network.groups(origin.security_groups), "egress", "tcp", HTTPS, there):
        return NoWay(
            f"no security group of the interface lets port {HTTPS} out to {endpoint.endpoint_id}"
        )
    subnet = network.subnets.get(origin.subnet_id)
    here = origin.address or (subnet.cidr_block if subnet else "")
    peer = Peer((here,) if here else (), origin.security_groups)
    if not admits(network.groups(endpoint.security_groups), "ingress", "tcp", HTTPS, peer):
        return NoWay(f"no security group of {endpoint.endpoint_id} lets port {HTTPS} in")
    return Way(By.INTERFACE_ENDPOINT, endpoint)
