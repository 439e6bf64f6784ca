"""A VPC with small subnets and two security groups."""

from __future__ import annotations

from homeport.domain.network_interface import AddressCursor, NetworkConfiguration
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.store import Transaction
from homeport.store.schema import ADDRESS_CURSORS, SECURITY_GROUPS, SUBNETS, VPCS

SMALL = NetworkConfiguration(subnets=("subnet-a",))


def put_network(tx: Transaction, *, dns_hostnames: bool = True) -> None:
    """``vpc-1`` with ``subnet-a`` (11 addresses to give) in zone a and ``subnet-b`` in zone b;
    each gives its first address first."""
    tx.put(VPCS, Vpc("vpc-1", "10.1.0.0/16", dns_hostnames=dns_hostnames))
    for letter, block in (("a", "10.1.1.0/28"), ("b", "10.1.2.0/24")):
        zone = f"us-east-1{letter}"
        tx.put(SUBNETS, Subnet(f"subnet-{letter}", "vpc-1", block, zone, f"use1-az{letter}"))
    for pool, last in (
        ("subnet-a", "10.1.1.3"),
        ("subnet-b", "10.1.2.3"),
        ("public", "198.18.0.3"),
    ):
        tx.put(ADDRESS_CURSORS, AddressCursor(pool, last))
    for name in ("default", "web"):
        tx.put(SECURITY_GROUPS, SecurityGroup(f"sg-{name}", "vpc-1", name, name))
