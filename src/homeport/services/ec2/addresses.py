"""Elastic IP addresses.

They come from a range that is routed nowhere (``homeport.scheduling.addresses``): an address says
that an interface has a public one; nobody outside this installation can use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.network_interface import NetworkInterface
from homeport.domain.routing import ElasticAddress
from homeport.scheduling.addresses import allocate_public_address
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ELASTIC_ADDRESSES, INTERNET_GATEWAYS, NETWORK_INTERFACES

from .errors import (
    AddressInUse,
    AddressLimitExceeded,
    AddressNotFound,
    AllocationNotFound,
    AlreadyAssociated,
    AssociationNotFound,
    GatewayNotAttached,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)
from .filters import TAG_FIELDS, Fields, never, page, select
from .network_interface_changes import own
from .tags import tags_for, tags_view
from .vpcs import refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AllocateAddressRequestTypeDef,
        AssociateAddressRequestTypeDef,
        DescribeAddressesAttributeRequestTypeDef,
        DescribeAddressesRequestTypeDef,
        DisassociateAddressRequestTypeDef,
        ReleaseAddressRequestTypeDef,
    )

NOT_HERE = ("Address", "CustomerOwnedIpv4Pool", "IpamPoolId")


def allocate_address(call: Call, request: AllocateAddressRequestTypeDef) -> Response:
    """The next free address."""
    refuse_members(request, NOT_HERE)
    fixed = {"Domain": "vpc", "PublicIpv4Pool": "amazon"}
    fixed["NetworkBorderGroup"] = call.platform.region
    for member, value in fixed.items():
        if request.get(member, value) != value:
            parameter = member[0].lower() + member[1:]
            raise InvalidParameterValue(
                f"Value ({str(request.get(member))[:64]}) for parameter {parameter} is invalid."
            )
    public_ip = allocate_public_address(call.tx)
    if public_ip is None:
        raise AddressLimitExceeded
    address = ElasticAddress(
        allocation_id=f"eipalloc-0{call.ids.hex16()}",
        public_ip=public_ip,
        tags=tags_for("elastic-ip", request.get("TagSpecifications") or ()),
    )
    call.tx.put(ELASTIC_ADDRESSES, address)
    return {"PublicIp": public_ip, "AllocationId": address.allocation_id, **fixed}


def release_address(call: Call, request: ReleaseAddressRequestTypeDef) -> Response:
    """Gives up an address that nothing is associated with."""
    address = _named(call, request.get("AllocationId"), request.get("PublicIp"))
    if address.association_id:
        raise AddressInUse(f"Address {address.public_ip} is in use.")
    call.tx.delete(ELASTIC_ADDRESSES, address.allocation_id)
    return {}


def associate_address(call: Call, request: AssociateAddressRequestTypeDef) -> Response:
    """Makes it the public address of an interface of the user's own."""
    refuse_members(request, ("InstanceId",))
    address = _named(call, request.get("AllocationId"), request.get("PublicIp"))
    if not request.get("NetworkInterfaceId"):
        raise MissingParameter("Either instance ID or network interface id must be specified")
    interface = own(call, request["NetworkInterfaceId"])
    given = request.get("PrivateIpAddress") or interface.private_ip_address
    if given != interface.private_ip_address:
        raise InvalidParameterValue(
            f"Value ({given[:64]}) for parameter privateIpAddress is invalid. It is not an "
            f"address of {interface.network_interface_id}."
        )
    if address.network_interface_id == interface.network_interface_id:
        return {"AssociationId": address.association_id}
    _check_free(call, address, interface, bool(request.get("AllowReassociation")))
    if not call.tx.find(INTERNET_GATEWAYS, "vpc", interface.vpc_id):
        raise GatewayNotAttached(
            f"Network {interface.vpc_id} is not attached to any internet gateway"
        )
    associated = associate(call, address, interface)
    return {"AssociationId": associated.association_id}


def _check_free(
    call: Call, address: ElasticAddress, interface: NetworkInterface, may_move: bool
) -> None:
    """Neither has a partner, or both part with theirs."""
    held = call.tx.find(ELASTIC_ADDRESSES, "network_interface", interface.network_interface_id)
    for taken in (address, *held):
        if not taken.association_id:
            continue
        if not may_move:
            raise AlreadyAssociated(
                f"resource {taken.allocation_id} is already associated with associate-id "
                f"{taken.association_id}"
            )
        own(call, taken.network_interface_id)  # a NAT gateway keeps its address
        disassociate(call, taken)


def disassociate_address(call: Call, request: DisassociateAddressRequestTypeDef) -> Response:
    """Takes it from its interface."""
    wanted, public_ip = request.get("AssociationId"), request.get("PublicIp")
    if not wanted and not public_ip:
        raise MissingParameter("The request must contain the parameter associationId")
    for address in call.tx.all(ELASTIC_ADDRESSES):
        if wanted and address.association_id != wanted:
            continue
        if address.association_id and (wanted or address.public_ip == public_ip):
            own(call, address.network_interface_id)
            disassociate(call, address)
            return {}
    raise AssociationNotFound(wanted or str(public_ip))


def associate(call: Call, address: ElasticAddress, interface: NetworkInterface) -> ElasticAddress:
    """Both say that they belong together."""
    public = msgspec.structs.replace(interface, public_ip_address=address.public_ip)
    call.tx.put(NETWORK_INTERFACES, public)
    associated = msgspec.structs.replace(
        address,
        association_id=f"eipassoc-0{call.ids.hex16()}",
        network_interface_id=interface.network_interface_id,
    )
    return call.tx.put(ELASTIC_ADDRESSES, associated)


def disassociate(call: Call, address: ElasticAddress) -> None:
    """Both are free; the interface may be gone already."""
    interface = call.tx.get(NETWORK_INTERFACES, address.network_interface_id)
    if interface is not None:
        private = msgspec.structs.replace(interface, public_ip_address=None)
        call.tx.put(NETWORK_INTERFACES, private)
    free = msgspec.structs.replace(address, association_id="", network_interface_id="")
    call.tx.put(ELASTIC_ADDRESSES, free)


def describe_addresses(call: Call, request: DescribeAddressesRequestTypeDef) -> Response:
    """By allocation id, address and filters; there are no pages."""
    ids, public = request.get("AllocationIds") or (), request.get("PublicIps") or ()
    addresses = [find_address(call, i) for i in ids] + [_named(call, None, p) for p in public]
    if not ids and not public:
        addresses = call.tx.all(ELASTIC_ADDRESSES)
    chosen = select(addresses, request.get("Filters") or (), _fields(call))
    ordered = sorted(chosen, key=lambda a: a.allocation_id)
    return {"Addresses": [_view(call, address) for address in ordered]}


def describe_addresses_attribute(
    call: Call, request: DescribeAddressesAttributeRequestTypeDef
) -> Response:
    """The reverse DNS names of addresses: there are none."""
    if request.get("Attribute", "domain-name") != "domain-name":
        raise InvalidParameterValue(
            f"Value ({str(request.get('Attribute'))[:64]}) for parameter attribute is invalid."
        )
    ids = request.get("AllocationIds")
    asked = [find_address(call, i) for i in ids] if ids else call.tx.all(ELASTIC_ADDRESSES)
    addresses, token = page(asked, lambda a: a.allocation_id, request)
    views = [{"PublicIp": a.public_ip, "AllocationId": a.allocation_id} for a in addresses]
    return {"Addresses": views, "NextToken": token}


def _fields(call: Call) -> Fields[ElasticAddress]:
    def of_view(member: str) -> Any:
        return lambda a: [_view(call, a)[member]] if _view(call, a)[member] else []

    return {
        "allocation-id": lambda a: [a.allocation_id],
        "association-id": of_view("AssociationId"),
        "network-border-group": lambda a: [call.platform.region],
        "network-interface-id": of_view("NetworkInterfaceId"),
        "network-interface-owner-id": of_view("NetworkInterfaceOwnerId"),
        "private-ip-address": of_view("PrivateIpAddress"),
        "public-ip": lambda a: [a.public_ip],
        **never("instance-id"),
        **TAG_FIELDS,
    }


def find_address(call: Call, allocation_id: str) -> ElasticAddress:
    """By id. Raises AllocationNotFound."""
    address = call.tx.get(ELASTIC_ADDRESSES, allocation_id)
    if address is None:
        raise AllocationNotFound(allocation_id)
    return address


def _named(call: Call, allocation_id: str | None, public_ip: str | None) -> ElasticAddress:
    if allocation_id and public_ip:
        raise InvalidParameterCombination(
            "You may specify public IP or allocation id, but not both in the same call"
        )
    if allocation_id:
        return find_address(call, allocation_id)
    if not public_ip:
        raise MissingParameter("Either public IP or allocation id must be specified")
    for address in call.tx.find(ELASTIC_ADDRESSES, "public_ip", public_ip):
        return address
    raise AddressNotFound(public_ip)


def _view(call: Call, address: ElasticAddress) -> dict[str, Any]:
    interface = call.tx.get(NETWORK_INTERFACES, address.network_interface_id)
    return {
        "PublicIp": address.public_ip,
        "AllocationId": address.allocation_id,
        "AssociationId": address.association_id or None,
        "Domain": "vpc",
        "NetworkInterfaceId": address.network_interface_id or None,
        "NetworkInterfaceOwnerId": call.platform.account_id if interface else None,
        "PrivateIpAddress": interface.private_ip_address if interface else None,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.platform.region,
        "Tags": tags_view(address.tags),
    }


OPERATIONS: dict[str, Handler] = {
    "AllocateAddress": allocate_address,
    "ReleaseAddress": release_address,
    "AssociateAddress": associate_address,
    "DisassociateAddress": disassociate_address,
    "DescribeAddresses": describe_addresses,
    "DescribeAddressesAttribute": describe_addresses_attribute,
}
