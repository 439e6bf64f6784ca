"""Network interfaces of a user's own: made, changed, deleted.

Those that tasks, load balancers, NAT gateways and endpoints have are theirs to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.network_interface import NetworkInterface
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ELASTIC_ADDRESSES, NETWORK_INTERFACES

from .client_tokens import recall, remember
from .errors import (
    AuthFailure,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    NetworkInterfaceNotFound,
)
from .interface_making import groups_of_vpc, put_interface
from .network_interfaces import find_interface, view
from .subnets import find_subnet
from .tags import tags_for
from .vpcs import refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateNetworkInterfaceRequestTypeDef,
        DeleteNetworkInterfaceRequestTypeDef,
        DescribeNetworkInterfaceAttributeRequestTypeDef,
        ModifyNetworkInterfaceAttributeRequestTypeDef,
    )

CREATE = "CreateNetworkInterface"
MAX_DESCRIPTION = 255
NOT_MADE = (
    "Ipv4Prefixes",
    "Ipv4PrefixCount",
    "Ipv6Prefixes",
    "Ipv6PrefixCount",
    "Ipv6Addresses",
    "Ipv6AddressCount",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "Operator",
    "SecondaryPrivateIpAddressCount",
)
NOT_CHANGED = (
    "EnaSrdSpecification",
    "EnablePrimaryIpv6",
    "ConnectionTrackingSpecification",
    "AssociatePublicIpAddress",
    "AssociatedSubnetIds",
    "Attachment",
)
CHANGED = ("Description", "SourceDestCheck", "Groups")


def create_network_interface(call: Call, request: CreateNetworkInterfaceRequestTypeDef) -> Response:
    """An interface with an address of the subnet: the one asked for, or the next free one."""
    refuse_members(request, NOT_MADE)
    if request.get("InterfaceType", "interface") != "interface":
        raise InvalidParameterValue(
            f"Value ({request['InterfaceType']}) for parameter interfaceType is invalid. "
            "Homeport has interfaces of type interface."
        )
    token = request.get("ClientToken")
    known = call.tx.get(NETWORK_INTERFACES, recall(call, CREATE, request) or "")
    if known is None:
        known = _make(call, request)
        remember(call, CREATE, request, known.network_interface_id)
    return {"NetworkInterface": view(call, known), "ClientToken": token}


def _make(call: Call, request: CreateNetworkInterfaceRequestTypeDef) -> NetworkInterface:
    subnet = find_subnet(call, request["SubnetId"])
    groups = groups_of_vpc(call, subnet.vpc_id, request.get("Groups") or ())
    made = put_interface(call, subnet, address=_address(request), groups=groups)
    described = msgspec.structs.replace(
        made,
        description=_description(request.get("Description") or ""),
        tags=tags_for("network-interface", request.get("TagSpecifications") or ()),
    )
    return call.tx.put(NETWORK_INTERFACES, described)


def _address(request: Any) -> str:
    """The primary address asked for; empty: any. An interface has no secondary ones."""
    listed = request.get("PrivateIpAddresses") or ()
    if len(listed) > 1 or any(item.get("Primary") is False for item in listed):
        raise InvalidParameterValue("Homeport does not support secondary private addresses")
    single = str(request.get("PrivateIpAddress") or "")
    if listed and single:
        raise InvalidParameterCombination(
            "The parameters privateIpAddress and privateIpAddresses may not be used together"
        )
    return str(listed[0].get("PrivateIpAddress") or "") if listed else single


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise InvalidParameterValue(
            f"Invalid value for parameter description: more than {MAX_DESCRIPTION} characters"
        )
    return text


def delete_network_interface(call: Call, request: DeleteNetworkInterfaceRequestTypeDef) -> Response:
    """Deletes an interface that is not in use; its Elastic IP address is free again."""
    interface = _stored(call, request["NetworkInterfaceId"])
    if interface.attachment_id:
        raise InvalidParameterValue(
            f"Network interface '{interface.network_interface_id}' is currently in use."
        )
    name = interface.network_interface_id
    for address in call.tx.find(ELASTIC_ADDRESSES, "network_interface", name):
        free = msgspec.structs.replace(address, association_id="", network_interface_id="")
        call.tx.put(ELASTIC_ADDRESSES, free)
    call.tx.delete(NETWORK_INTERFACES, name)
    return {}


def modify_network_interface_attribute(
    call: Call, request: ModifyNetworkInterfaceAttributeRequestTypeDef
) -> Response:
    """Changes the groups, the description or the source/destination check: one in a request."""
    refuse_members(request, NOT_CHANGED)
    interface = own(call, request["NetworkInterfaceId"])
    given = [name for name in CHANGED if request.get(name) is not None]
    if len(given) > 1:
        raise InvalidParameterCombination("Fields for multiple attribute types specified")
    if not given:
        raise MissingParameter("The request must contain an attribute of the interface to modify")
    changes: dict[str, Any] = {}
    if (groups := request.get("Groups")) is not None:
        if not groups:
            raise MissingParameter("The request must contain at least one security group: groups")
        changes["security_groups"] = groups_of_vpc(call, interface.vpc_id, groups)
    if (description := request.get("Description")) is not None:
        changes["description"] = _description(description.get("Value") or "")
    if (check := request.get("SourceDestCheck")) is not None:
        changes["source_dest_check"] = bool(check.get("Value"))
    call.tx.put(NETWORK_INTERFACES, msgspec.structs.replace(interface, **changes))
    return {}


def describe_network_interface_attribute(
    call: Call, request: DescribeNetworkInterfaceAttributeRequestTypeDef
) -> Response:
    """One attribute of an interface."""
    shown = view(call, find_interface(call, request["NetworkInterfaceId"]))
    values: dict[str, Any] = {
        "description": ("Description", {"Value": shown["Description"]}),
        "groupSet": ("Groups", shown["Groups"]),
        "sourceDestCheck": ("SourceDestCheck", {"Value": shown["SourceDestCheck"]}),
        "attachment": ("Attachment", shown["Attachment"]),
        "associatePublicIpAddress": ("AssociatePublicIpAddress", bool(shown["Association"])),
    }
    attribute = request.get("Attribute")
    if not attribute:
        raise MissingParameter("The request must contain the parameter attribute")
    if attribute not in values:
        raise InvalidParameterValue(
            f"Value ({str(attribute)[:64]}) for parameter attribute is invalid. Unknown attribute."
        )
    member, value = values[attribute]
    return {"NetworkInterfaceId": shown["NetworkInterfaceId"], member: value}


def own(call: Call, interface_id: str) -> NetworkInterface:
    """An interface that its user may change. Raises AuthFailure on one that something manages."""
    interface = _stored(call, interface_id)
    if interface.requester_managed:
        raise AuthFailure("You do not have permission to access the specified resource.")
    return interface


def _stored(call: Call, interface_id: str) -> NetworkInterface:
    interface = call.tx.get(NETWORK_INTERFACES, interface_id)
    if interface is not None:
        return interface
    if find_interface(call, interface_id).requester_managed:  # a load balancer's
        raise AuthFailure("You do not have permission to access the specified resource.")
    raise NetworkInterfaceNotFound(interface_id)


OPERATIONS: dict[str, Handler] = {
    CREATE: create_network_interface,
    "DeleteNetworkInterface": delete_network_interface,
    "ModifyNetworkInterfaceAttribute": modify_network_interface_attribute,
    "DescribeNetworkInterfaceAttribute": describe_network_interface_attribute,
}
