"""A VPC as the store has it, for decisions about what is reached from it."""

from __future__ import annotations

from homeport.decide.reach import Network
from homeport.store import Transaction
from homeport.store.schema import (
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SUBNETS,
    VPC_ENDPOINTS,
    VPCS,
)


def network_of(tx: Transaction, vpc_id: str) -> Network | None:
    """Everything about a VPC that ``decide.reach`` looks at; None when there is no such VPC."""
    vpc = tx.get(VPCS, vpc_id)
    if vpc is None:
        return None
    gateways = tx.find(INTERNET_GATEWAYS, "vpc", vpc_id)
    nats = [nat for nat in tx.find(NAT_GATEWAYS, "vpc", vpc_id) if nat.deleted_at is None]
    endpoints = sorted(tx.find(VPC_ENDPOINTS, "vpc", vpc_id), key=lambda e: e.endpoint_id)
    return Network(
        vpc=vpc,
        subnets={subnet.subnet_id: subnet for subnet in tx.find(SUBNETS, "vpc", vpc_id)},
        route_tables=tuple(tx.find(ROUTE_TABLES, "vpc", vpc_id)),
        internet_gateways=frozenset(gateway.internet_gateway_id for gateway in gateways),
        nat_gateways={nat.nat_gateway_id: nat for nat in nats},
        endpoints=tuple(endpoints),
        addresses={
            interface_id: interface.private_ip_address
            for endpoint in endpoints
            for interface_id in endpoint.network_interface_ids
            if (interface := tx.get(NETWORK_INTERFACES, interface_id))
        },
        security_groups={g.group_id: g for g in tx.find(SECURITY_GROUPS, "vpc", vpc_id)},
    )
