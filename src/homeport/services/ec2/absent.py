"""Gateways and connections that a VPC has none of here, described: tools look for them.

CDK's lookup of a VPC asks for VPN gateways, Terraform's for peering connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.services.call import Call, Handler, Response

from .errors import PeeringConnectionNotFound, VpnGatewayNotFound
from .filters import TAG_FIELDS, Fields, never, select

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeVpcPeeringConnectionsRequestTypeDef,
        DescribeVpnGatewaysRequestTypeDef,
    )


class Absent(msgspec.Struct, frozen=True):
    """Nothing is one of these."""

    tags: tuple[()] = ()


VPN_FIELDS: Fields[Absent] = {
    **never(
        "amazon-side-asn",
        "attachment.state",
        "attachment.vpc-id",
        "availability-zone",
        "state",
        "type",
        "vpn-gateway-id",
    ),
    **TAG_FIELDS,
}
PEERING_FIELDS: Fields[Absent] = {
    **never(
        *(
            f"{side}-vpc-info.{name}"
            for side in ("accepter", "requester")
            for name in ("cidr-block", "owner-id", "vpc-id")
        ),
        "expiration-time",
        "status-code",
        "status-message",
        "vpc-peering-connection-id",
    ),
    **TAG_FIELDS,
}


def describe_vpn_gateways(call: Call, request: DescribeVpnGatewaysRequestTypeDef) -> Response:
    """There are none."""
    for gateway_id in request.get("VpnGatewayIds") or ():
        raise VpnGatewayNotFound(gateway_id)
    return {"VpnGateways": _none(request, VPN_FIELDS)}


def describe_vpc_peering_connections(
    call: Call, request: DescribeVpcPeeringConnectionsRequestTypeDef
) -> Response:
    """There are none."""
    for connection_id in request.get("VpcPeeringConnectionIds") or ():
        raise PeeringConnectionNotFound(connection_id)
    return {"VpcPeeringConnections": _none(request, PEERING_FIELDS)}


def _none(request: Any, fields: Fields[Absent]) -> list[Absent]:
    """No resources, of filters that are right."""
    return select((), request.get("Filters") or (), fields)


OPERATIONS: dict[str, Handler] = {
    "DescribeVpnGateways": describe_vpn_gateways,
    "DescribeVpcPeeringConnections": describe_vpc_peering_connections,
}
