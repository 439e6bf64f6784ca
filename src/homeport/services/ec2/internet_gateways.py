"""Internet gateways: a VPC has at most one, and a gateway at most one VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.routing import InternetGateway
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import INTERNET_GATEWAYS, LOAD_BALANCERS, NETWORK_INTERFACES

from .errors import (
    AlreadyAssociated,
    DependencyViolation,
    GatewayNotAttached,
    InternetGatewayNotFound,
    InvalidParameterValue,
)
from .filters import TAG_FIELDS, Fields, page, select
from .tags import tags_for, tags_view
from .vpcs import find_vpc

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AttachInternetGatewayRequestTypeDef,
        CreateInternetGatewayRequestTypeDef,
        DeleteInternetGatewayRequestTypeDef,
        DescribeInternetGatewaysRequestTypeDef,
        DetachInternetGatewayRequestTypeDef,
    )

FIELDS: Fields[InternetGateway] = {
    "attachment.state": lambda g: ["available"] if g.vpc_id else [],
    "attachment.vpc-id": lambda g: [g.vpc_id] if g.vpc_id else [],
    "internet-gateway-id": lambda g: [g.internet_gateway_id],
    **TAG_FIELDS,
}


def create_internet_gateway(call: Call, request: CreateInternetGatewayRequestTypeDef) -> Response:
    """A gateway that is attached to nothing."""
    gateway = InternetGateway(
        internet_gateway_id=f"igw-0{call.ids.hex16()}",
        tags=tags_for("internet-gateway", request.get("TagSpecifications") or ()),
    )
    call.tx.put(INTERNET_GATEWAYS, gateway)
    return {"InternetGateway": _view(call, gateway)}


def attach_internet_gateway(call: Call, request: AttachInternetGatewayRequestTypeDef) -> Response:
    """Makes it the gateway of a VPC."""
    gateway = find_internet_gateway(call, request["InternetGatewayId"])
    vpc = find_vpc(call, request["VpcId"])
    if gateway.vpc_id:
        raise AlreadyAssociated(
            f"resource {gateway.internet_gateway_id} is already attached to network "
            f"{gateway.vpc_id}"
        )
    if call.tx.find(INTERNET_GATEWAYS, "vpc", vpc.vpc_id):
        raise InvalidParameterValue(
            f"Network {vpc.vpc_id} already has an internet gateway attached"
        )
    call.tx.put(INTERNET_GATEWAYS, msgspec.structs.replace(gateway, vpc_id=vpc.vpc_id))
    return {}


def detach_internet_gateway(call: Call, request: DetachInternetGatewayRequestTypeDef) -> Response:
    """Takes it from its VPC, which must have no public addresses in use. Routes stay, as
    blackholes."""
    gateway = find_internet_gateway(call, request["InternetGatewayId"])
    vpc = find_vpc(call, request["VpcId"])
    if gateway.vpc_id != vpc.vpc_id:
        raise GatewayNotAttached(
            f"resource {gateway.internet_gateway_id} is not attached to network {vpc.vpc_id}"
        )
    interfaces = call.tx.find(NETWORK_INTERFACES, "vpc", vpc.vpc_id)
    facing = any(
        balancer.vpc_id == vpc.vpc_id and balancer.scheme == "internet-facing"
        for balancer in call.tx.all(LOAD_BALANCERS)
    )
    if facing or any(interface.public_ip_address for interface in interfaces):
        raise DependencyViolation(
            f"Network {vpc.vpc_id} has some mapped public address(es). Please unmap those public "
            "address(es) before detaching the gateway."
        )
    call.tx.put(INTERNET_GATEWAYS, msgspec.structs.replace(gateway, vpc_id=""))
    return {}


def delete_internet_gateway(call: Call, request: DeleteInternetGatewayRequestTypeDef) -> Response:
    """Deletes a gateway that is attached to nothing."""
    gateway = find_internet_gateway(call, request["InternetGatewayId"])
    if gateway.vpc_id:
        raise DependencyViolation(
            f"The internetGateway '{gateway.internet_gateway_id}' has dependencies and cannot be "
            "deleted."
        )
    call.tx.delete(INTERNET_GATEWAYS, gateway.internet_gateway_id)
    return {}


def describe_internet_gateways(
    call: Call, request: DescribeInternetGatewaysRequestTypeDef
) -> Response:
    """By id and filters."""
    gateways = call.tx.all(INTERNET_GATEWAYS)
    if ids := request.get("InternetGatewayIds"):
        gateways = [find_internet_gateway(call, gateway_id) for gateway_id in ids]
    owner: Fields[InternetGateway] = {"owner-id": lambda g: [call.platform.account_id]}
    chosen = select(gateways, request.get("Filters") or (), {**FIELDS, **owner})
    gateways, token = page(chosen, lambda g: g.internet_gateway_id, request)
    return {"InternetGateways": [_view(call, g) for g in gateways], "NextToken": token}


def find_internet_gateway(call: Call, gateway_id: str) -> InternetGateway:
    """By id. Raises InternetGatewayNotFound."""
    gateway = call.tx.get(INTERNET_GATEWAYS, gateway_id)
    if gateway is None:
        raise InternetGatewayNotFound(gateway_id)
    return gateway


def _view(call: Call, gateway: InternetGateway) -> dict[str, Any]:
    attachment = {"State": "available", "VpcId": gateway.vpc_id}
    return {
        "InternetGatewayId": gateway.internet_gateway_id,
        "OwnerId": call.platform.account_id,
        "Attachments": [attachment] if gateway.vpc_id else [],
        "Tags": tags_view(gateway.tags),
    }


OPERATIONS: dict[str, Handler] = {
    "CreateInternetGateway": create_internet_gateway,
    "AttachInternetGateway": attach_internet_gateway,
    "DetachInternetGateway": detach_internet_gateway,
    "DeleteInternetGateway": delete_internet_gateway,
    "DescribeInternetGateways": describe_internet_gateways,
}
