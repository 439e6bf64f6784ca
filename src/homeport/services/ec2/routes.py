"""The routes of a table: where traffic for a range leads."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.routing import LOCAL, Route, RouteTable
from homeport.domain.vpc import Vpc
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import NAT_GATEWAYS, ROUTE_TABLES, VPCS

from .cidr import ipv4_block
from .errors import (
    GatewayNotFound,
    InternetGatewayNotFound,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    RouteAlreadyExists,
    RouteLimitExceeded,
    RouteNotFound,
    RouteTargetNotFound,
)
from .internet_gateways import find_internet_gateway
from .route_tables import find_route_table
from .vpcs import refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateRouteRequestTypeDef,
        DeleteRouteRequestTypeDef,
        ReplaceRouteRequestTypeDef,
    )

MAX_ROUTES = 500
NOT_HERE = (
    "DestinationPrefixListId",
    "DestinationIpv6CidrBlock",
    "VpcEndpointId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "VpcPeeringConnectionId",
)
"""Destinations and targets that Homeport has none of."""


def create_route(call: Call, request: CreateRouteRequestTypeDef) -> Response:
    """Adds a route. The same route again is no error; another target for its destination is."""
    table, destination = _table_and_destination(call, request)
    vpc = _vpc(call, table)
    target = _target(call, table, request)
    _check_not_within(vpc, destination)
    present = table.target(destination)
    if present == target:
        return {"Return": True}
    if present is not None:
        raise RouteAlreadyExists(f"The route identified by {destination} already exists.")
    if len(table.routes) >= MAX_ROUTES:
        raise RouteLimitExceeded
    _set_routes(call, table, (*table.routes, Route(destination, target)))
    return {"Return": True}


def replace_route(call: Call, request: ReplaceRouteRequestTypeDef) -> Response:
    """Leads a destination elsewhere; ``LocalTarget`` restores the local route."""
    table, destination = _table_and_destination(call, request)
    _find_route(table, destination)
    if destination == _vpc(call, table).cidr_block:
        if not request.get("LocalTarget"):
            raise InvalidParameterValue(
                f"cannot replace local route {destination} in route table "
                f"{table.route_table_id}: Homeport has no middlebox routing"
            )
        target = LOCAL
    else:
        refuse_members(request, ("LocalTarget",))
        target = _target(call, table, request)
    replaced = Route(destination, target)
    _set_routes(
        call, table, (replaced if r.destination == destination else r for r in table.routes)
    )
    return {}


def delete_route(call: Call, request: DeleteRouteRequestTypeDef) -> Response:
    """Removes a route, but not the local one."""
    table, destination = _table_and_destination(call, request)
    if _find_route(table, destination).target == LOCAL:
        raise InvalidParameterValue(
            f"cannot remove local route {destination} in route table {table.route_table_id}"
        )
    _set_routes(call, table, (r for r in table.routes if r.destination != destination))
    return {}


def _table_and_destination(call: Call, request: Any) -> tuple[RouteTable, str]:
    refuse_members(request, NOT_HERE)
    table = find_route_table(call, request["RouteTableId"])
    text = request.get("DestinationCidrBlock")
    if not text:
        raise MissingParameter("The request must contain the parameter destinationCidrBlock")
    return table, str(ipv4_block(text, "destinationCidrBlock"))


def _vpc(call: Call, table: RouteTable) -> Vpc:
    vpc = call.tx.get(VPCS, table.vpc_id)
    assert vpc is not None  # a VPC is deleted with its tables
    return vpc


def _find_route(table: RouteTable, destination: str) -> Route:
    for route in table.routes:
        if route.destination == destination:
            return route
    raise RouteNotFound(
        f"no route with destination-cidr-block {destination} in route table {table.route_table_id}"
    )


def _check_not_within(vpc: Vpc, destination: str) -> None:
    if ipaddress.IPv4Network(destination).subnet_of(ipaddress.IPv4Network(vpc.cidr_block)):
        raise InvalidParameterValue(
            f"The destination CIDR block {destination} is equal to or more specific than one of "
            "this VPC's CIDR blocks. This route can target only an interface or an instance."
        )


def _target(call: Call, table: RouteTable, request: Mapping[str, Any]) -> str:
    members = ("GatewayId", "NatGatewayId", "NetworkInterfaceId")
    given = [name for name in members if request.get(name)]
    if not given:
        raise MissingParameter("The request must contain exactly one of gatewayId, natGatewayId")
    if len(given) > 1:
        names = " and ".join(name[0].lower() + name[1:] for name in given)
        raise InvalidParameterCombination(f"The parameters {names} may not be used together")
    if given == ["NetworkInterfaceId"]:
        raise InvalidParameterValue(
            "Homeport does not route through network interfaces: networkInterfaceId"
        )
    target = str(request[given[0]])
    if given == ["NatGatewayId"]:
        return _nat_gateway(call, table, target)
    return _internet_gateway(call, table, target)


def _internet_gateway(call: Call, table: RouteTable, gateway_id: str) -> str:
    try:
        gateway = find_internet_gateway(call, gateway_id)
    except InternetGatewayNotFound:
        if gateway_id.startswith("igw-"):
            raise
        raise GatewayNotFound(gateway_id) from None
    if gateway.vpc_id != table.vpc_id:
        raise InvalidParameterValue(
            f"route table {table.route_table_id} and network gateway {gateway_id} belong to "
            "different networks"
        )
    return gateway_id


def _nat_gateway(call: Call, table: RouteTable, gateway_id: str) -> str:
    nat = call.tx.get(NAT_GATEWAYS, gateway_id)
    if nat is None or nat.deleted_at is not None:
        raise RouteTargetNotFound(gateway_id)
    if nat.vpc_id != table.vpc_id:
        raise InvalidParameterValue(
            f"route table {table.route_table_id} and NAT gateway {gateway_id} belong to "
            "different networks"
        )
    return gateway_id


def _set_routes(call: Call, table: RouteTable, routes: Any) -> None:
    call.tx.put(ROUTE_TABLES, msgspec.structs.replace(table, routes=tuple(routes)))


OPERATIONS: dict[str, Handler] = {
    "CreateRoute": create_route,
    "ReplaceRoute": replace_route,
    "DeleteRoute": delete_route,
}
