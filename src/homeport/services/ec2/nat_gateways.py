"""NAT gateways: a private subnet's way out, as far as deciding what it reaches goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.routing import NatGateway
from homeport.domain.vpc import Subnet
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import INTERNET_GATEWAYS, NAT_GATEWAYS, NETWORK_INTERFACES

from .addresses import associate, disassociate, find_address
from .client_tokens import recall, remember
from .errors import (
    AlreadyAssociated,
    GatewayNotAttached,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    NatGatewayNotFound,
)
from .filters import TAG_FIELDS, Fields, page, select
from .interface_making import put_managed_interface
from .subnets import find_subnet
from .tags import tags_for, tags_view
from .vpcs import refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateNatGatewayRequestTypeDef,
        DeleteNatGatewayRequestTypeDef,
        DescribeNatGatewaysRequestTypeDef,
    )

CREATE = "CreateNatGateway"
PUBLIC, PRIVATE = "public", "private"
NOT_HERE = (
    "VpcId",
    "AvailabilityZoneAddresses",
    "SecondaryAllocationIds",
    "SecondaryPrivateIpAddresses",
    "SecondaryPrivateIpAddressCount",
)
FIELDS: Fields[NatGateway] = {
    "nat-gateway-id": lambda n: [n.nat_gateway_id],
    "state": lambda n: [_state(n)],
    "subnet-id": lambda n: [n.subnet_id],
    "vpc-id": lambda n: [n.vpc_id],
    **TAG_FIELDS,
}


def create_nat_gateway(call: Call, request: CreateNatGatewayRequestTypeDef) -> Response:
    """A gateway in a subnet, public with an Elastic IP address or private without."""
    refuse_members(request, NOT_HERE)
    if request.get("AvailabilityMode", "zonal") != "zonal":
        raise InvalidParameterValue("Homeport has zonal NAT gateways only: availabilityMode")
    known = call.tx.get(NAT_GATEWAYS, recall(call, CREATE, request) or "")
    if known is None:
        known = _make(call, request)
        remember(call, CREATE, request, known.nat_gateway_id)
    return {"NatGateway": _view(known), "ClientToken": request.get("ClientToken")}


def _make(call: Call, request: CreateNatGatewayRequestTypeDef) -> NatGateway:
    if not request.get("SubnetId"):
        raise MissingParameter("The request must contain the parameter subnetId")
    subnet = find_subnet(call, request["SubnetId"])
    connectivity = request.get("ConnectivityType") or PUBLIC
    if connectivity not in (PUBLIC, PRIVATE):
        raise InvalidParameterValue(
            f"Value ({connectivity[:32]}) for parameter connectivityType is invalid."
        )
    allocation_id = request.get("AllocationId") or ""
    _check_way_out(call, subnet, connectivity, allocation_id)
    nat_id = f"nat-0{call.ids.hex16()}"
    interface = put_managed_interface(
        call,
        subnet,
        kind="nat_gateway",
        description=f"Interface for NAT Gateway {nat_id}",
        address=request.get("PrivateIpAddress") or "",
    )
    nat = NatGateway(
        nat_gateway_id=nat_id,
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.subnet_id,
        created_at=call.now,
        connectivity=connectivity,
        network_interface_id=interface.network_interface_id,
        private_ip=interface.private_ip_address,
        tags=tags_for("natgateway", request.get("TagSpecifications") or ()),
    )
    if allocation_id:
        address = associate(call, find_address(call, allocation_id), interface)
        nat = msgspec.structs.replace(
            nat,
            allocation_id=allocation_id,
            association_id=address.association_id,
            public_ip=address.public_ip,
        )
    return call.tx.put(NAT_GATEWAYS, nat)


def _check_way_out(call: Call, subnet: Subnet, connectivity: str, allocation_id: str) -> None:
    """What AWS finds out later and answers with a failed gateway is refused at once."""
    if connectivity == PRIVATE:
        if allocation_id:
            raise InvalidParameterCombination(
                "A private NAT gateway has no Elastic IP address: allocationId"
            )
        return
    if not allocation_id:
        raise MissingParameter("The request must contain the parameter allocationId")
    address = find_address(call, allocation_id)
    if address.association_id:
        raise AlreadyAssociated(f"Elastic IP address [{allocation_id}] is already associated")
    if not call.tx.find(INTERNET_GATEWAYS, "vpc", subnet.vpc_id):
        raise GatewayNotAttached(f"Network {subnet.vpc_id} has no Internet gateway attached")


def delete_nat_gateway(call: Call, request: DeleteNatGatewayRequestTypeDef) -> Response:
    """Deletes it; its address is free again, its routes are blackholes. It is described for an
    hour more (``controllers.retention``); deleting it again then is no error."""
    nat = find_nat_gateway(call, request["NatGatewayId"])
    if nat.deleted_at is None:
        if nat.allocation_id:
            disassociate(call, find_address(call, nat.allocation_id))
        call.tx.delete(NETWORK_INTERFACES, nat.network_interface_id)
        call.tx.put(NAT_GATEWAYS, msgspec.structs.replace(nat, deleted_at=call.now))
    return {"NatGatewayId": nat.nat_gateway_id}


def describe_nat_gateways(call: Call, request: DescribeNatGatewaysRequestTypeDef) -> Response:
    """By id and filters."""
    gateways = call.tx.all(NAT_GATEWAYS)
    if ids := request.get("NatGatewayIds"):
        gateways = [find_nat_gateway(call, nat_id) for nat_id in ids]
    given: Mapping[str, Any] = request  # boto3 says Filters and sends Filter
    chosen = select(gateways, given.get("Filter") or (), FIELDS)
    gateways, token = page(chosen, lambda n: n.nat_gateway_id, request)
    return {"NatGateways": [_view(nat) for nat in gateways], "NextToken": token}


def find_nat_gateway(call: Call, nat_id: str) -> NatGateway:
    """By id. Raises NatGatewayNotFound."""
    nat = call.tx.get(NAT_GATEWAYS, nat_id)
    if nat is None:
        raise NatGatewayNotFound(nat_id)
    return nat


def _state(nat: NatGateway) -> str:
    return "available" if nat.deleted_at is None else "deleted"


def _view(nat: NatGateway) -> dict[str, Any]:
    address = {
        "AllocationId": nat.allocation_id or None,
        "AssociationId": nat.association_id or None,
        "PublicIp": nat.public_ip or None,
        "NetworkInterfaceId": nat.network_interface_id,
        "PrivateIp": nat.private_ip,
        "IsPrimary": True,
        "Status": "succeeded",
    }
    return {
        "NatGatewayId": nat.nat_gateway_id,
        "VpcId": nat.vpc_id,
        "SubnetId": nat.subnet_id,
        "State": _state(nat),
        "ConnectivityType": nat.connectivity,
        "AvailabilityMode": "zonal",
        "CreateTime": nat.created_at,
        "DeleteTime": nat.deleted_at,
        "NatGatewayAddresses": [address],
        "Tags": tags_view(nat.tags),
    }


OPERATIONS: dict[str, Handler] = {
    CREATE: create_nat_gateway,
    "DeleteNatGateway": delete_nat_gateway,
    "DescribeNatGateways": describe_nat_gateways,
}
