"""Gives out the addresses of subnets: the one place that chooses them.

The first four addresses of a subnet and its last are AWS's own ("Subnet CIDR blocks", VPC user
guide). Addresses go round: the one after the last that was given comes next, so an address that
became free is given again as late as possible, and nobody who still knows it by heart meets a
stranger there soon. The first comes from anywhere in the subnet: two Homeports on one machine
share its routes, and both have the same default VPC.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable

from homeport.domain.network_interface import AddressCursor
from homeport.domain.vpc import Subnet
from homeport.store import Transaction
from homeport.store.schema import (
    ADDRESS_CURSORS,
    CONTAINER_INSTANCES,
    ELASTIC_ADDRESSES,
    NETWORK_INTERFACES,
)

RESERVED_AT_START, RESERVED_AT_END = 4, 1
# 198.18.0.0/15 is routed nowhere on the internet (RFC 2544): a public address of Homeport says
# that an interface has one; nobody outside this installation can use it.
PUBLIC_POOL = ipaddress.IPv4Network("198.18.0.0/15")
PUBLIC = "public"


def allocate_private_address(tx: Transaction, subnet: Subnet) -> str | None:
    """The next free address of a subnet, or None when there is none.

    It is taken once a NetworkInterface with it is in the store: put one in this transaction.
    Hosts have one route to an address, so no two VPCs and no host of a cluster share one.
    """
    hosts = _hosts(tx)

    def is_free(address: str) -> bool:
        return address not in hosts and not _is_held(tx, address)

    return _next(tx, subnet.subnet_id, ipaddress.IPv4Network(subnet.cidr_block), is_free)


def is_free(tx: Transaction, address: str) -> bool:
    """Whether no interface and no host has this private address."""
    return address not in _hosts(tx) and not _is_held(tx, address)


def _hosts(tx: Transaction) -> set[str]:
    return {i.private_ip for i in tx.all(CONTAINER_INSTANCES) if i.status != "INACTIVE"}


def _is_held(tx: Transaction, address: str) -> bool:
    return bool(tx.find(NETWORK_INTERFACES, "private_ip_address", address))


def allocate_public_address(tx: Transaction) -> str | None:
    """The next free address of the public pool, or None when there is none."""

    def is_free(address: str) -> bool:
        in_use = tx.find(NETWORK_INTERFACES, "public_ip_address", address)
        return not in_use and not tx.find(ELASTIC_ADDRESSES, "public_ip", address)

    return _next(tx, PUBLIC, PUBLIC_POOL, is_free)


def has_room(tx: Transaction, subnet: Subnet) -> bool:
    """Whether a subnet may have an address left."""
    return free_addresses(tx, subnet) > 0


def usable_addresses(subnet: Subnet) -> int:
    """How many addresses a subnet can give."""
    total = ipaddress.IPv4Network(subnet.cidr_block).num_addresses
    return max(0, total - RESERVED_AT_START - RESERVED_AT_END)


def free_addresses(tx: Transaction, subnet: Subnet) -> int:
    """How many of them are free now."""
    return usable_addresses(subnet) - len(tx.find(NETWORK_INTERFACES, "subnet", subnet.subnet_id))


def is_usable(subnet: Subnet, address: str) -> bool:
    """Whether an interface may have this address of the subnet, free or not."""
    network = ipaddress.IPv4Network(subnet.cidr_block)
    try:
        number = int(ipaddress.IPv4Address(address)) - int(network.network_address)
    except ipaddress.AddressValueError:
        return False
    return RESERVED_AT_START <= number < network.num_addresses - RESERVED_AT_END


def _next(
    tx: Transaction,
    pool: str,
    network: ipaddress.IPv4Network,
    is_free: Callable[[str], bool],
) -> str | None:
    base = int(network.network_address) + RESERVED_AT_START
    size = network.num_addresses - RESERVED_AT_START - RESERVED_AT_END
    if size <= 0:
        return None
    cursor = tx.get(ADDRESS_CURSORS, pool)
    last = int(ipaddress.IPv4Address(cursor.last_address)) - base if cursor else _anywhere(pool)
    first = last + 1
    for step in range(size):
        address = str(ipaddress.IPv4Address(base + (first + step) % size))
        if is_free(address):
            tx.put(ADDRESS_CURSORS, AddressCursor(pool, address))
            return address
    return None


def _anywhere(pool: str) -> int:
    """The same for the same subnet: its id is random already."""
    return int.from_bytes(hashlib.sha256(pool.encode()).digest()[:4])
