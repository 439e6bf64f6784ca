"""Makes the network interfaces that operations of EC2 need: a user's, a NAT gateway's, an
endpoint's. Those of tasks are made with the tasks (``homeport.scheduling``)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from homeport.domain.network_interface import NetworkInterface
from homeport.domain.vpc import Subnet
from homeport.scheduling.addresses import allocate_private_address, is_free, is_usable
from homeport.scheduling.network_interfaces import mac_address, private_dns_name
from homeport.services.call import Call
from homeport.store.schema import NETWORK_INTERFACES, SECURITY_GROUPS, VPCS

from .errors import (
    AddressInUse,
    GroupNotFound,
    InsufficientFreeAddressesInSubnet,
    InvalidParameterValue,
    SecurityGroupsPerInterfaceLimitExceeded,
)

MAX_GROUPS = 5


def put_interface(
    call: Call, subnet: Subnet, *, address: str = "", groups: Sequence[str] = ()
) -> NetworkInterface:
    """A new interface in a subnet, with this address or the next free one.

    Raises InvalidParameterValue, AddressInUse, InsufficientFreeAddressesInSubnet.
    """
    given = _free(call, subnet, address) if address else _next(call, subnet)
    vpc = call.tx.get(VPCS, subnet.vpc_id)
    named = vpc is not None and vpc.dns_support and vpc.dns_hostnames
    interface = NetworkInterface(
        network_interface_id=f"eni-0{call.ids.hex16()}",
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        availability_zone=subnet.availability_zone,
        private_ip_address=given,
        mac_address=mac_address(given),
        created_at=call.now,
        security_groups=tuple(groups),
        private_dns_name=private_dns_name(given, call.platform.region) if named else "",
    )
    return call.tx.put(NETWORK_INTERFACES, interface)


def put_managed_interface(
    call: Call,
    subnet: Subnet,
    *,
    kind: str,
    description: str,
    address: str = "",
    groups: Sequence[str] = (),
    public_ip: str | None = None,
) -> NetworkInterface:
    """The interface of something that EC2 manages: in use from the start, on no instance."""
    made = put_interface(call, subnet, address=address, groups=groups)
    managed = msgspec.structs.replace(
        made,
        interface_type=kind,
        description=description,
        requester_id=call.platform.account_id,
        requester_managed=True,
        attachment_id=f"ela-attach-0{call.ids.hex16()}",
        attached_at=call.now,
        public_ip_address=public_ip,
    )
    return call.tx.put(NETWORK_INTERFACES, managed)


def _next(call: Call, subnet: Subnet) -> str:
    address = allocate_private_address(call.tx, subnet)
    if address is None:
        raise InsufficientFreeAddressesInSubnet(
            f"The specified subnet does not have enough free addresses: {subnet.subnet_id}"
        )
    return address


def _free(call: Call, subnet: Subnet, address: str) -> str:
    if not is_usable(subnet, address):
        raise InvalidParameterValue(
            f"Address {address[:64]} does not fall within the subnet's usable address range"
        )
    if not is_free(call.tx, address):
        raise AddressInUse(f"Address {address} is in use.")
    return address


def groups_of_vpc(call: Call, vpc_id: str, ids: Sequence[str]) -> tuple[str, ...]:
    """Security groups of the VPC, at most five; none asked for: its default group.

    Raises GroupNotFound, SecurityGroupsPerInterfaceLimitExceeded.
    """
    known = {g.group_id: g for g in call.tx.find(SECURITY_GROUPS, "vpc", vpc_id)}
    if not ids:
        return tuple(i for i, group in known.items() if group.name == "default")
    for group_id in ids:
        if group_id not in known:
            raise GroupNotFound(group_id)
    if len(set(ids)) > MAX_GROUPS:
        raise SecurityGroupsPerInterfaceLimitExceeded
    return tuple(dict.fromkeys(ids))
