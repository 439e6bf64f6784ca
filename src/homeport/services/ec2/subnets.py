"""Subnets: a range of a VPC in one zone."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.vpc import Subnet, Vpc
from homeport.scheduling.addresses import free_addresses
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import (
    LOAD_BALANCERS,
    NETWORK_INTERFACES,
    ROUTE_TABLES,
    SUBNETS,
    VPCS,
)

from .cidr import MAX_PREFIX, MIN_PREFIX, ipv4_block
from .default_vpc import default_subnet, zone_id
from .errors import (
    DefaultSubnetAlreadyExistsInAvailabilityZone,
    DefaultVpcDoesNotExist,
    DependencyViolation,
    InvalidParameterCombination,
    InvalidParameterValue,
    InvalidSubnetConflict,
    InvalidSubnetRange,
    MissingParameter,
    SubnetNotFound,
)
from .filters import TAG_FIELDS, Fields, never, page, select, yes_no
from .tags import tags_for, tags_view
from .vpcs import NO_IPV6, default_vpc_id, find_vpc, refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateDefaultSubnetRequestTypeDef,
        CreateSubnetRequestTypeDef,
        DeleteSubnetRequestTypeDef,
        DescribeSubnetsRequestTypeDef,
        ModifySubnetAttributeRequestTypeDef,
    )

NAMES = "private-dns-name-options-on-launch."
NOT_HERE = (
    "Ipv6CidrBlock",
    "OutpostArn",
    "Ipv6Native",
    "Ipv4IpamPoolId",
    "Ipv4NetmaskLength",
    "Ipv6IpamPoolId",
    "Ipv6NetmaskLength",
)
FIXED_ATTRIBUTES: dict[str, object] = {
    "AssignIpv6AddressOnCreation": False,
    "MapCustomerOwnedIpOnLaunch": False,
    "CustomerOwnedIpv4Pool": None,
    "EnableDns64": False,
    "PrivateDnsHostnameTypeOnLaunch": "ip-name",
    "EnableResourceNameDnsARecordOnLaunch": False,
    "EnableResourceNameDnsAAAARecordOnLaunch": False,
    "EnableLniAtDeviceIndex": None,
    "DisableLniAtDeviceIndex": True,
}
"""Attributes of a subnet that have one value here; a request may say it, and no other."""

FIELDS: Fields[Subnet] = {
    "availability-zone": lambda s: [s.availability_zone],
    "availabilityZone": lambda s: [s.availability_zone],
    "availability-zone-id": lambda s: [s.availability_zone_id],
    "availabilityZoneId": lambda s: [s.availability_zone_id],
    "cidr": lambda s: [s.cidr_block],
    "cidr-block": lambda s: [s.cidr_block],
    "cidrBlock": lambda s: [s.cidr_block],
    "default-for-az": lambda s: [yes_no(s.default_for_az)],
    "defaultForAz": lambda s: [yes_no(s.default_for_az)],
    "enable-dns64": lambda s: ["false"],
    "ipv6-native": lambda s: ["false"],
    "map-customer-owned-ip-on-launch": lambda s: ["false"],
    "map-public-ip-on-launch": lambda s: [yes_no(s.map_public_ip_on_launch)],
    NAMES + "hostname-type": lambda s: ["ip-name"],
    NAMES + "enable-resource-name-dns-a-record": lambda s: ["false"],
    NAMES + "enable-resource-name-dns-aaaa-record": lambda s: ["false"],
    "state": lambda s: ["available"],
    "subnet-id": lambda s: [s.subnet_id],
    "vpc-id": lambda s: [s.vpc_id],
    **never(*NO_IPV6, "customer-owned-ipv4-pool", "enable-lni-at-device-index", "outpost-arn"),
    **TAG_FIELDS,
}


def create_subnet(call: Call, request: CreateSubnetRequestTypeDef) -> Response:
    """A range of the VPC that no other subnet has, in a zone (by default the first)."""
    refuse_members(request, NOT_HERE)
    vpc = find_vpc(call, request["VpcId"])
    if not request.get("CidrBlock"):
        raise MissingParameter("Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.")
    block = _free_block(call, vpc, request["CidrBlock"])
    zone = _zone(call, request.get("AvailabilityZone"), request.get("AvailabilityZoneId"))
    subnet = Subnet(
        subnet_id=f"subnet-0{call.ids.hex16()}",
        vpc_id=vpc.vpc_id,
        cidr_block=str(block),
        availability_zone=zone,
        availability_zone_id=zone_id(zone),
        tags=tags_for("subnet", request.get("TagSpecifications") or ()),
    )
    call.tx.put(SUBNETS, subnet)
    return {"Subnet": _view(call, subnet)}


def _free_block(call: Call, vpc: Vpc, text: str) -> ipaddress.IPv4Network:
    block = ipv4_block(text, "cidrBlock")
    inside = block.subnet_of(ipaddress.IPv4Network(vpc.cidr_block))
    if not inside or not MIN_PREFIX <= block.prefixlen <= MAX_PREFIX:
        raise InvalidSubnetRange(str(block))
    for other in call.tx.find(SUBNETS, "vpc", vpc.vpc_id):
        if block.overlaps(ipaddress.IPv4Network(other.cidr_block)):
            raise InvalidSubnetConflict(str(block))
    return block


def _zone(call: Call, name: str | None, number: str | None) -> str:
    zones = call.platform.availability_zones
    if name and number:
        raise InvalidParameterCombination(
            "The parameter availabilityZoneId may not be used in combination with availabilityZone"
        )
    if number:
        by_id = {zone_id(zone): zone for zone in zones}
        if number not in by_id:
            raise _wrong_zone(number, "availabilityZoneId", sorted(by_id))
        return by_id[number]
    if name and name not in zones:
        raise _wrong_zone(name, "availabilityZone", zones)
    return name or zones[0]


def _wrong_zone(given: str, parameter: str, known: Any) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value ({given[:64]}) for parameter {parameter} is invalid. Subnets can currently only "
        f"be created in the following availability zones: {', '.join(known)}."
    )


def create_default_subnet(call: Call, request: CreateDefaultSubnetRequestTypeDef) -> Response:
    """A zone's default subnet again, after somebody deleted it."""
    refuse_members(request, ("Ipv6Native",))
    if not request.get("AvailabilityZone") and not request.get("AvailabilityZoneId"):
        raise MissingParameter("The request must contain the parameter availabilityZone")
    zone = _zone(call, request.get("AvailabilityZone"), request.get("AvailabilityZoneId"))
    vpc = call.tx.get(VPCS, default_vpc_id(call))
    if vpc is None:
        raise DefaultVpcDoesNotExist
    for subnet in call.tx.find(SUBNETS, "vpc", vpc.vpc_id):
        if subnet.default_for_az and subnet.availability_zone == zone:
            raise DefaultSubnetAlreadyExistsInAvailabilityZone(
                f"'{subnet.subnet_id}' is already the default subnet in {zone}."
            )
    subnet = call.tx.put(SUBNETS, default_subnet(call.tx, vpc, zone, call.ids))
    return {"Subnet": _view(call, subnet)}


def delete_subnet(call: Call, request: DeleteSubnetRequestTypeDef) -> Response:
    """Deletes a subnet that nothing is in; its association with a route table goes with it."""
    subnet = find_subnet(call, request["SubnetId"])
    if _in_use(call, subnet):
        raise DependencyViolation(
            f"The subnet '{subnet.subnet_id}' has dependencies and cannot be deleted."
        )
    for table in call.tx.find(ROUTE_TABLES, "vpc", subnet.vpc_id):
        if table.serves(subnet.subnet_id):
            kept = tuple(a for a in table.associations if a.subnet_id != subnet.subnet_id)
            call.tx.put(ROUTE_TABLES, msgspec.structs.replace(table, associations=kept))
    call.tx.delete(SUBNETS, subnet.subnet_id)
    return {}


def _in_use(call: Call, subnet: Subnet) -> bool:
    wanted = subnet.subnet_id
    interfaces = call.tx.find(NETWORK_INTERFACES, "subnet", wanted)
    return bool(interfaces) or any(
        wanted in dict(balancer.subnets) for balancer in call.tx.all(LOAD_BALANCERS)
    )


def describe_subnets(call: Call, request: DescribeSubnetsRequestTypeDef) -> Response:
    """By id and filters."""
    subnets = call.tx.all(SUBNETS)
    if ids := request.get("SubnetIds"):
        subnets = [find_subnet(call, subnet_id) for subnet_id in ids]
    ours: Fields[Subnet] = {
        "owner-id": lambda s: [call.platform.account_id],
        "subnet-arn": lambda s: [_arn(call, s)],
        "available-ip-address-count": lambda s: [str(free_addresses(call.tx, s))],
    }
    chosen = select(subnets, request.get("Filters") or (), {**FIELDS, **ours})
    subnets, token = page(chosen, lambda s: s.availability_zone + s.subnet_id, request)
    return {"Subnets": [_view(call, subnet) for subnet in subnets], "NextToken": token}


def modify_subnet_attribute(call: Call, request: ModifySubnetAttributeRequestTypeDef) -> Response:
    """Whether an interface launched here gets a public address; the rest is as it is."""
    subnet = find_subnet(call, request["SubnetId"])
    members: dict[str, Any] = {k: v for k, v in request.items() if k != "SubnetId"}
    if not members:
        raise MissingParameter("The request must contain an attribute of the subnet to modify")
    for name, value in members.items():
        given = value.get("Value") if isinstance(value, dict) else value
        if name in FIXED_ATTRIBUTES and given != FIXED_ATTRIBUTES[name]:
            attribute = name[0].lower() + name[1:]
            raise InvalidParameterValue(
                f"Value ({str(given)[:64]}) for parameter {attribute} is invalid. Homeport's "
                "subnets do not have this attribute."
            )
    if (mapped := request.get("MapPublicIpOnLaunch")) is not None:
        on = bool(mapped.get("Value"))
        call.tx.put(SUBNETS, msgspec.structs.replace(subnet, map_public_ip_on_launch=on))
    return {}


def find_subnet(call: Call, subnet_id: str) -> Subnet:
    """By id. Raises SubnetNotFound."""
    subnet = call.tx.get(SUBNETS, subnet_id)
    if subnet is None:
        raise SubnetNotFound(subnet_id)
    return subnet


def _arn(call: Call, subnet: Subnet) -> str:
    return call.arns.ec2(f"subnet/{subnet.subnet_id}")


def _view(call: Call, subnet: Subnet) -> dict[str, Any]:
    return {
        "SubnetId": subnet.subnet_id,
        "SubnetArn": _arn(call, subnet),
        "VpcId": subnet.vpc_id,
        "OwnerId": call.platform.account_id,
        "State": "available",
        "CidrBlock": subnet.cidr_block,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": subnet.availability_zone_id,
        "AvailableIpAddressCount": free_addresses(call.tx, subnet),
        "DefaultForAz": subnet.default_for_az,
        "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "AssignIpv6AddressOnCreation": False,
        "Ipv6CidrBlockAssociationSet": [],
        "Ipv6Native": False,
        "EnableDns64": False,
        "MapCustomerOwnedIpOnLaunch": False,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "Tags": tags_view(subnet.tags),
    }


OPERATIONS: dict[str, Handler] = {
    "CreateSubnet": create_subnet,
    "CreateDefaultSubnet": create_default_subnet,
    "DeleteSubnet": delete_subnet,
    "DescribeSubnets": describe_subnets,
    "ModifySubnetAttribute": modify_subnet_attribute,
}
