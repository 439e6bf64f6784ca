"""DescribeNetworkInterfaces: those of tasks, users, gateways, endpoints and load balancers.

A load balancer's interface is derived from its record. It is where the traffic of the load
balancer really comes from: the addresses of the machine on which Homeport's Envoy runs, of which
no subnet knows anything. Security groups that let in the group of a load balancer let in these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from homeport.domain.load_balancing import LoadBalancer
from homeport.domain.network_interface import NetworkInterface
from homeport.domain.routing import ElasticAddress
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import (
    ELASTIC_ADDRESSES,
    LOAD_BALANCERS,
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
)

from .default_vpc import zone_id
from .errors import NetworkInterfaceNotFound
from .filters import TAG_FIELDS, Fields, Values, never, page, select, yes_no
from .tags import tags_view

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeNetworkInterfacesRequestTypeDef

ELB = "amazon-elb"


def _known(value: str | None) -> Values:
    return [value] if value else []


FIELDS: Fields[NetworkInterface] = {
    "addresses.association.public-ip": lambda i: _known(i.public_ip_address),
    "addresses.primary": lambda i: ["true"],
    "addresses.private-ip-address": lambda i: [i.private_ip_address, *i.secondary_addresses],
    "association.public-ip": lambda i: _known(i.public_ip_address),
    "attachment.attachment-id": lambda i: _known(i.attachment_id),
    "attachment.delete-on-termination": lambda i: [yes_no(True)] if i.attachment_id else [],
    "attachment.device-index": lambda i: ["1"] if i.attachment_id else [],
    "attachment.instance-id": lambda i: _known(i.instance_id),
    "attachment.status": lambda i: ["attached"] if i.attachment_id else [],
    "availability-zone": lambda i: [i.availability_zone],
    "availability-zone-id": lambda i: [zone_id(i.availability_zone)],
    "description": lambda i: [i.description],
    "group-id": lambda i: i.security_groups,
    "interface-type": lambda i: [i.interface_type],
    "mac-address": lambda i: [i.mac_address],
    "network-interface-id": lambda i: [i.network_interface_id],
    "private-dns-name": lambda i: _known(i.private_dns_name),
    "private-ip-address": lambda i: [i.private_ip_address, *i.secondary_addresses],
    "requester-id": lambda i: _known(i.requester_id),
    "requester-managed": lambda i: [yes_no(i.requester_managed)],
    "source-dest-check": lambda i: [yes_no(i.source_dest_check)],
    "status": lambda i: [_status(i)],
    "subnet-id": lambda i: [i.subnet_id],
    "vpc-id": lambda i: [i.vpc_id],
    **never(
        "addresses.association.owner-id",
        "association.public-dns-name",
        "attachment.attach-time",
        "ipv6-addresses.ipv6-address",
        "operator.managed",
        "operator.principal",
    ),
    **TAG_FIELDS,
}


def describe_network_interfaces(
    call: Call, request: DescribeNetworkInterfacesRequestTypeDef
) -> Response:
    """By id and filters."""
    ids = request.get("NetworkInterfaceIds") or ()
    asked = [find_interface(call, i) for i in dict.fromkeys(ids)] or list(_interfaces(call))
    account = call.platform.account_id

    def of_association(member: str) -> Callable[[NetworkInterface], Values]:
        return lambda i: _known((_association(call, i) or {}).get(member))

    ours: Fields[NetworkInterface] = {
        "owner-id": lambda i: [account],
        "attachment.instance-owner-id": lambda i: (
            [_instance_owner(i, account)] if i.attachment_id else []
        ),
        "association.allocation-id": of_association("AllocationId"),
        "association.association-id": of_association("AssociationId"),
        "association.ip-owner-id": of_association("IpOwnerId"),
        "group-name": lambda i: [_group_name(call, group) for group in i.security_groups],
    }
    chosen = select(asked, request.get("Filters") or (), {**FIELDS, **ours})
    chosen, token = page(chosen, lambda i: i.network_interface_id, request)
    return {"NetworkInterfaces": [view(call, i) for i in chosen], "NextToken": token}


def find_interface(call: Call, interface_id: str) -> NetworkInterface:
    """By id. Raises NetworkInterfaceNotFound."""
    stored = call.tx.get(NETWORK_INTERFACES, interface_id)
    of_balancers = (i for i in _of_balancers(call) if i.network_interface_id == interface_id)
    found = stored or next(of_balancers, None)
    if found is None:
        raise NetworkInterfaceNotFound(interface_id)
    return found


def view(call: Call, interface: NetworkInterface) -> dict[str, Any]:
    """An interface as EC2 returns it."""
    association = _association(call, interface)
    return {
        "NetworkInterfaceId": interface.network_interface_id,
        "SubnetId": interface.subnet_id,
        "VpcId": interface.vpc_id,
        "AvailabilityZone": interface.availability_zone,
        "AvailabilityZoneId": zone_id(interface.availability_zone),
        "OwnerId": call.platform.account_id,
        "Description": interface.description,
        "InterfaceType": interface.interface_type,
        "Status": _status(interface),
        "MacAddress": interface.mac_address,
        "PrivateDnsName": interface.private_dns_name or None,
        "PrivateIpAddress": interface.private_ip_address,
        "PrivateIpAddresses": [
            {
                "Primary": True,
                "PrivateIpAddress": interface.private_ip_address,
                "PrivateDnsName": interface.private_dns_name or None,
                "Association": association,
            },
            *(
                {"Primary": False, "PrivateIpAddress": address}
                for address in interface.secondary_addresses
            ),
        ],
        "Association": association,
        "Attachment": _attachment(interface, call.platform.account_id),
        "Groups": [
            {"GroupId": group, "GroupName": _group_name(call, group)}
            for group in interface.security_groups
        ],
        "Ipv6Addresses": [],
        "RequesterId": interface.requester_id or None,
        "RequesterManaged": interface.requester_managed,
        "SourceDestCheck": interface.source_dest_check,
        "TagSet": tags_view(interface.tags),
    }


def _interfaces(call: Call) -> Iterator[NetworkInterface]:
    yield from call.tx.all(NETWORK_INTERFACES)
    yield from _of_balancers(call)


def _of_balancers(call: Call) -> Iterator[NetworkInterface]:
    if addresses := call.platform.load_balancer_addresses():
        for balancer in call.tx.all(LOAD_BALANCERS):
            if balancer.subnets:
                yield of_load_balancer(balancer, addresses)


def of_load_balancer(balancer: LoadBalancer, addresses: tuple[str, ...]) -> NetworkInterface:
    """The one interface of a load balancer, in its first subnet."""
    subnet_id, zone = balancer.subnets[0]
    digest = hashlib.sha256(balancer.arn.encode()).hexdigest()
    return NetworkInterface(
        network_interface_id=f"eni-0{digest[:16]}",
        subnet_id=subnet_id,
        vpc_id=balancer.vpc_id,
        availability_zone=zone,
        private_ip_address=addresses[0],
        secondary_addresses=addresses[1:],
        mac_address="02:" + ":".join(digest[16 + n : 18 + n] for n in range(0, 10, 2)),
        created_at=balancer.created_at,
        security_groups=balancer.security_groups,
        description=f"ELB {balancer.arn.partition(':loadbalancer/')[2]}",
        requester_id=ELB,
        requester_managed=True,
        attachment_id=f"ela-attach-0{digest[26:42]}",
        attached_at=balancer.created_at,
    )


def _status(interface: NetworkInterface) -> str:
    return "in-use" if interface.attachment_id else "available"


def _association(call: Call, interface: NetworkInterface) -> dict[str, str] | None:
    if interface.public_ip_address is None:
        return None
    address = _elastic(call, interface)
    if address is None:
        return {"PublicIp": interface.public_ip_address, "IpOwnerId": "amazon"}
    return {
        "PublicIp": address.public_ip,
        "IpOwnerId": call.platform.account_id,
        "AllocationId": address.allocation_id,
        "AssociationId": address.association_id,
    }


def _elastic(call: Call, interface: NetworkInterface) -> ElasticAddress | None:
    name = interface.network_interface_id
    return next(iter(call.tx.find(ELASTIC_ADDRESSES, "network_interface", name)), None)


def _attachment(interface: NetworkInterface, account_id: str) -> dict[str, object] | None:
    if interface.attachment_id is None:
        return None
    return {
        "AttachmentId": interface.attachment_id,
        "AttachTime": interface.attached_at,
        "DeleteOnTermination": True,
        "DeviceIndex": 1,
        "InstanceId": interface.instance_id,
        "InstanceOwnerId": _instance_owner(interface, account_id),
        "Status": "attached",
    }


def _instance_owner(interface: NetworkInterface, account_id: str) -> str:
    """Who has what the interface is attached to: of a NAT gateway or an endpoint, AWS."""
    if interface.requester_id == ELB:
        return ELB
    return account_id if interface.interface_type == "interface" else "amazon-aws"


def _group_name(call: Call, group_id: str) -> str:
    group = call.tx.get(SECURITY_GROUPS, group_id)
    return group.name if group else ""


OPERATIONS: dict[str, Handler] = {"DescribeNetworkInterfaces": describe_network_interfaces}
