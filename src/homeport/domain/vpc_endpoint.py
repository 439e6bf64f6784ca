"""VPC endpoints: how a network without a way out reaches the services it needs."""

from __future__ import annotations

import msgspec

from .cluster import Tag

INTERFACE, GATEWAY = "Interface", "Gateway"


class VpcEndpoint(msgspec.Struct, frozen=True):
    """An endpoint: in subnets (Interface) or in route tables (Gateway).

    ``policy`` is the policy document's text; empty stands for AWS's default, full access.
    """

    endpoint_id: str
    kind: str
    service_name: str
    vpc_id: str
    created_at: float
    subnet_ids: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    network_interface_ids: tuple[str, ...] = ()
    private_dns: bool = False
    route_table_ids: tuple[str, ...] = ()
    policy: str = ""
    tags: tuple[Tag, ...] = ()
