"""How a VPC is left: route tables, internet gateways, NAT gateways, Elastic IP addresses."""

from __future__ import annotations

import msgspec

from .cluster import Tag

LOCAL = "local"
"""The target of the route that every table has for its VPC's own range."""

EVERYWHERE = "0.0.0.0/0"


class Route(msgspec.Struct, frozen=True):
    """One line of a route table. ``target`` is an id (igw-…, nat-…, eni-…) or ``local``."""

    destination: str
    target: str


class RouteTableAssociation(msgspec.Struct, frozen=True):
    """Which subnet uses a table; no subnet: all of the VPC that name no other (the main one)."""

    association_id: str
    subnet_id: str = ""


class RouteTable(msgspec.Struct, frozen=True):
    """A route table; exactly one of a VPC has the main association.

    The routes that a gateway endpoint adds are not kept here: the endpoint names its tables.
    """

    route_table_id: str
    vpc_id: str
    routes: tuple[Route, ...] = ()
    associations: tuple[RouteTableAssociation, ...] = ()
    tags: tuple[Tag, ...] = ()

    @property
    def is_main(self) -> bool:
        """Whether subnets that name no table use this one."""
        return any(not association.subnet_id for association in self.associations)

    def serves(self, subnet_id: str) -> bool:
        """Whether the subnet names this table."""
        return any(association.subnet_id == subnet_id for association in self.associations)

    def target(self, destination: str) -> str | None:
        """Where the route with exactly this destination leads."""
        return next((r.target for r in self.routes if r.destination == destination), None)


class InternetGateway(msgspec.Struct, frozen=True):
    """An internet gateway, attached to one VPC or (empty) to none."""

    internet_gateway_id: str
    vpc_id: str = ""
    tags: tuple[Tag, ...] = ()


class NatGateway(msgspec.Struct, frozen=True):
    """A NAT gateway; ``deleted_at`` while a deleted one can still be described."""

    nat_gateway_id: str
    vpc_id: str
    subnet_id: str
    created_at: float
    connectivity: str = "public"
    allocation_id: str = ""
    association_id: str = ""
    public_ip: str = ""
    network_interface_id: str = ""
    private_ip: str = ""
    deleted_at: float | None = None
    tags: tuple[Tag, ...] = ()


class ElasticAddress(msgspec.Struct, frozen=True):
    """A public address that the account holds; what it is associated with names it."""

    allocation_id: str
    public_ip: str
    association_id: str = ""
    network_interface_id: str = ""
    tags: tuple[Tag, ...] = ()
