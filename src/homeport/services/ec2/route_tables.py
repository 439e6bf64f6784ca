"""Route tables and which subnets use them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.routing import LOCAL, Route, RouteTable, RouteTableAssociation
from homeport.domain.vpc_endpoint import GATEWAY
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import (
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    ROUTE_TABLES,
    VPC_ENDPOINTS,
)

from .client_tokens import recall, remember
from .errors import (
    AlreadyAssociated,
    AssociationNotFound,
    DependencyViolation,
    InvalidParameterValue,
    MissingParameter,
    RouteTableNotFound,
)
from .filters import TAG_FIELDS, Fields, Values, never, page, select, yes_no
from .prefix_lists import prefix_list_id
from .subnets import find_subnet
from .tags import tags_for, tags_view
from .vpcs import find_vpc, refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AssociateRouteTableRequestTypeDef,
        CreateRouteTableRequestTypeDef,
        DeleteRouteTableRequestTypeDef,
        DescribeRouteTablesRequestTypeDef,
        DisassociateRouteTableRequestTypeDef,
        ReplaceRouteTableAssociationRequestTypeDef,
    )

CREATE = "CreateRouteTable"
TARGETS = {
    "igw": "GatewayId",
    "vpce": "GatewayId",
    LOCAL: "GatewayId",
    "nat": "NatGatewayId",
    "eni": "NetworkInterfaceId",
}
"""The prefix of a target's id → the member of a route that names it."""


def create_route_table(call: Call, request: CreateRouteTableRequestTypeDef) -> Response:
    """A table with the VPC's local route, used by no subnet."""
    table = call.tx.get(ROUTE_TABLES, recall(call, CREATE, request) or "")
    if table is None:
        vpc = find_vpc(call, request["VpcId"])
        table = RouteTable(
            route_table_id=f"rtb-0{call.ids.hex16()}",
            vpc_id=vpc.vpc_id,
            routes=(Route(vpc.cidr_block, LOCAL),),
            tags=tags_for("route-table", request.get("TagSpecifications") or ()),
        )
        call.tx.put(ROUTE_TABLES, table)
        remember(call, CREATE, request, table.route_table_id)
    return {"RouteTable": _view(call, table), "ClientToken": request.get("ClientToken")}


def delete_route_table(call: Call, request: DeleteRouteTableRequestTypeDef) -> Response:
    """Deletes a table that no subnet uses and that is not the main one. Gateway endpoints
    forget it."""
    table = find_route_table(call, request["RouteTableId"])
    if table.associations:
        raise DependencyViolation(
            f"The routeTable '{table.route_table_id}' has dependencies and cannot be deleted."
        )
    for endpoint in call.tx.find(VPC_ENDPOINTS, "vpc", table.vpc_id):
        if table.route_table_id in endpoint.route_table_ids:
            kept = tuple(i for i in endpoint.route_table_ids if i != table.route_table_id)
            call.tx.put(VPC_ENDPOINTS, msgspec.structs.replace(endpoint, route_table_ids=kept))
    call.tx.delete(ROUTE_TABLES, table.route_table_id)
    return {}


def associate_route_table(call: Call, request: AssociateRouteTableRequestTypeDef) -> Response:
    """Makes a subnet that names no table use this one. The same again is no error."""
    refuse_members(request, ("GatewayId", "PublicIpv4Pool"))
    table = find_route_table(call, request["RouteTableId"])
    if not request.get("SubnetId"):
        raise MissingParameter("The request must contain either subnetId or gatewayId.")
    subnet = find_subnet(call, request["SubnetId"])
    if subnet.vpc_id != table.vpc_id:
        raise InvalidParameterValue(
            f"Route table {table.route_table_id} and subnet {subnet.subnet_id} belong to "
            "different networks"
        )
    for other in call.tx.find(ROUTE_TABLES, "vpc", table.vpc_id):
        for association in other.associations:
            if association.subnet_id != subnet.subnet_id:
                continue
            if other.route_table_id == table.route_table_id:
                return _associated("AssociationId", association)
            raise AlreadyAssociated(
                f"the specified association for route table {table.route_table_id} conflicts "
                "with an existing association"
            )
    added = RouteTableAssociation(f"rtbassoc-0{call.ids.hex16()}", subnet.subnet_id)
    _set_associations(call, table, (*table.associations, added))
    return _associated("AssociationId", added)


def _associated(member: str, association: RouteTableAssociation) -> Response:
    return {member: association.association_id, "AssociationState": {"State": "associated"}}


def disassociate_route_table(call: Call, request: DisassociateRouteTableRequestTypeDef) -> Response:
    """The subnet uses the main table again."""
    table, association = _find_association(call, request["AssociationId"])
    if not association.subnet_id:
        raise InvalidParameterValue(
            f"cannot disassociate the main route table association {association.association_id}"
        )
    _set_associations(call, table, (a for a in table.associations if a != association))
    return {}


def replace_route_table_association(
    call: Call, request: ReplaceRouteTableAssociationRequestTypeDef
) -> Response:
    """Moves an association to another table of the VPC: the main one, too. It gets a new id."""
    table, association = _find_association(call, request["AssociationId"])
    to = find_route_table(call, request["RouteTableId"])
    if to.vpc_id != table.vpc_id:
        raise InvalidParameterValue(
            f"route table {to.route_table_id} and route table {table.route_table_id} belong to "
            "different networks"
        )
    moved = RouteTableAssociation(f"rtbassoc-0{call.ids.hex16()}", association.subnet_id)
    _set_associations(call, table, (a for a in table.associations if a != association))
    to = find_route_table(call, to.route_table_id)  # it may be the same table
    _set_associations(call, to, (*to.associations, moved))
    return _associated("NewAssociationId", moved)


def _find_association(call: Call, wanted: str) -> tuple[RouteTable, RouteTableAssociation]:
    for table in call.tx.all(ROUTE_TABLES):
        for association in table.associations:
            if association.association_id == wanted:
                return table, association
    raise AssociationNotFound(wanted)


def _set_associations(
    call: Call, table: RouteTable, associations: Iterable[RouteTableAssociation]
) -> None:
    call.tx.put(ROUTE_TABLES, msgspec.structs.replace(table, associations=tuple(associations)))


def find_route_table(call: Call, table_id: str) -> RouteTable:
    """By id. Raises RouteTableNotFound."""
    table = call.tx.get(ROUTE_TABLES, table_id)
    if table is None:
        raise RouteTableNotFound(table_id)
    return table


def describe_route_tables(call: Call, request: DescribeRouteTablesRequestTypeDef) -> Response:
    """By id and filters."""
    tables = call.tx.all(ROUTE_TABLES)
    if ids := request.get("RouteTableIds"):
        tables = [find_route_table(call, table_id) for table_id in ids]
    chosen = select(tables, request.get("Filters") or (), _fields(call))
    tables, token = page(chosen, lambda t: t.route_table_id, request)
    return {"RouteTables": [_view(call, table) for table in tables], "NextToken": token}


def _fields(call: Call) -> Fields[RouteTable]:
    def of_routes(member: str) -> Any:
        def read(table: RouteTable) -> Values:
            return [str(route[member]) for route in _routes_view(call, table) if member in route]

        return read

    return {
        "association.main": lambda t: [yes_no(not a.subnet_id) for a in t.associations],
        "association.route-table-association-id": lambda t: [
            a.association_id for a in t.associations
        ],
        "association.route-table-id": lambda t: [t.route_table_id] if t.associations else [],
        "association.subnet-id": lambda t: [a.subnet_id for a in t.associations if a.subnet_id],
        "owner-id": lambda t: [call.platform.account_id],
        "route-table-id": lambda t: [t.route_table_id],
        "route.destination-cidr-block": of_routes("DestinationCidrBlock"),
        "route.destination-prefix-list-id": of_routes("DestinationPrefixListId"),
        "route.gateway-id": of_routes("GatewayId"),
        "route.nat-gateway-id": of_routes("NatGatewayId"),
        "route.origin": of_routes("Origin"),
        "route.state": of_routes("State"),
        "vpc-id": lambda t: [t.vpc_id],
        **never(
            "association.gateway-id",
            "route.destination-ipv6-cidr-block",
            "route.egress-only-internet-gateway-id",
            "route.instance-id",
            "route.transit-gateway-id",
            "route.vpc-peering-connection-id",
        ),
        **TAG_FIELDS,
    }


def _view(call: Call, table: RouteTable) -> dict[str, Any]:
    return {
        "RouteTableId": table.route_table_id,
        "VpcId": table.vpc_id,
        "OwnerId": call.platform.account_id,
        "Associations": [_association_view(table, a) for a in table.associations],
        "Routes": _routes_view(call, table),
        "PropagatingVgws": [],
        "Tags": tags_view(table.tags),
    }


def _association_view(table: RouteTable, association: RouteTableAssociation) -> dict[str, Any]:
    return {
        "Main": not association.subnet_id,
        "RouteTableAssociationId": association.association_id,
        "RouteTableId": table.route_table_id,
        "SubnetId": association.subnet_id or None,
        "AssociationState": {"State": "associated"},
    }


def _routes_view(call: Call, table: RouteTable) -> list[dict[str, Any]]:
    """Its own routes, and one for each gateway endpoint that names the table."""
    views = [
        {
            "DestinationCidrBlock": route.destination,
            TARGETS[route.target.partition("-")[0]]: route.target,
            "Origin": "CreateRouteTable" if route.target == LOCAL else "CreateRoute",
            "State": "active" if _leads_somewhere(call, table, route) else "blackhole",
        }
        for route in table.routes
    ]
    for endpoint in call.tx.find(VPC_ENDPOINTS, "vpc", table.vpc_id):
        if endpoint.kind == GATEWAY and table.route_table_id in endpoint.route_table_ids:
            views.append(
                {
                    "DestinationPrefixListId": prefix_list_id(endpoint.service_name),
                    "GatewayId": endpoint.endpoint_id,
                    "Origin": "CreateRoute",
                    "State": "active",
                }
            )
    return views


def _leads_somewhere(call: Call, table: RouteTable, route: Route) -> bool:
    if gateway := call.tx.get(INTERNET_GATEWAYS, route.target):
        return gateway.vpc_id == table.vpc_id
    if nat := call.tx.get(NAT_GATEWAYS, route.target):
        return nat.deleted_at is None
    return route.target == LOCAL


OPERATIONS: dict[str, Handler] = {
    CREATE: create_route_table,
    "DeleteRouteTable": delete_route_table,
    "DescribeRouteTables": describe_route_tables,
    "AssociateRouteTable": associate_route_table,
    "DisassociateRouteTable": disassociate_route_table,
    "ReplaceRouteTableAssociation": replace_route_table_association,
}
