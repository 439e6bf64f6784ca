"""VPCs and subnets, as far as they exist: the default ones."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeport.domain.cluster import Tag
from homeport.domain.vpc import Subnet, Vpc
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SUBNETS, VPCS

from .errors import InvalidParameterValue, SubnetNotFound, VpcNotFound
from .filters import TAG_FIELDS, Fields, never, page, select, yes_no

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeSubnetsRequestTypeDef,
        DescribeVpcAttributeRequestTypeDef,
        DescribeVpcsRequestTypeDef,
    )

DHCP_OPTIONS_ID = "dopt-00000000000000000"
RESERVED_ADDRESSES = 5

NO_IPV6 = (
    "ipv6-cidr-block-association.ipv6-cidr-block",
    "ipv6-cidr-block-association.association-id",
    "ipv6-cidr-block-association.state",
)
NAMES = "private-dns-name-options-on-launch."

VPC_FIELDS: Fields[Vpc] = {
    "vpc-id": lambda v: [v.vpc_id],
    "cidr": lambda v: [v.cidr_block],
    "cidr-block-association.association-id": lambda v: [_association_id(v)],
    "cidr-block-association.cidr-block": lambda v: [v.cidr_block],
    "cidr-block-association.state": lambda v: ["associated"],
    "dhcp-options-id": lambda v: [DHCP_OPTIONS_ID],
    "is-default": lambda v: [yes_no(v.is_default)],
    "isDefault": lambda v: [yes_no(v.is_default)],
    "state": lambda v: ["available"],
    **never(*NO_IPV6, "ipv6-cidr-block-association.ipv6-pool"),
    **TAG_FIELDS,
}
SUBNET_FIELDS: Fields[Subnet] = {
    "availability-zone": lambda s: [s.availability_zone],
    "availabilityZone": lambda s: [s.availability_zone],
    "availability-zone-id": lambda s: [s.availability_zone_id],
    "availabilityZoneId": lambda s: [s.availability_zone_id],
    "available-ip-address-count": lambda s: [str(_available_addresses(s))],
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


def describe_vpcs(call: Call, request: DescribeVpcsRequestTypeDef) -> Response:
    """By id and filters."""
    vpcs = call.tx.all(VPCS)
    if ids := request.get("VpcIds"):
        vpcs = [find_vpc(call, vpc_id) for vpc_id in ids]
    owner: Fields[Vpc] = {"owner-id": lambda v: [call.platform.account_id]}
    chosen = select(vpcs, request.get("Filters") or (), {**VPC_FIELDS, **owner})
    vpcs, token = page(chosen, lambda v: v.vpc_id, request)
    return {"Vpcs": [_vpc_view(call, vpc) for vpc in vpcs], "NextToken": token}


def describe_vpc_attribute(call: Call, request: DescribeVpcAttributeRequestTypeDef) -> Response:
    """DNS support and hostnames, as the default VPC has them."""
    vpc = find_vpc(call, request["VpcId"])
    values = {
        "enableDnsSupport": ("EnableDnsSupport", True),
        "enableDnsHostnames": ("EnableDnsHostnames", vpc.is_default),
        "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
    }
    attribute = request["Attribute"]
    if attribute not in values:
        raise InvalidParameterValue(
            f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
        )
    member, value = values[attribute]
    return {"VpcId": vpc.vpc_id, member: {"Value": value}}


def describe_subnets(call: Call, request: DescribeSubnetsRequestTypeDef) -> Response:
    """By id and filters."""
    subnets = call.tx.all(SUBNETS)
    if ids := request.get("SubnetIds"):
        subnets = [_find_subnet(call, subnet_id) for subnet_id in ids]
    ours: Fields[Subnet] = {
        "owner-id": lambda s: [call.platform.account_id],
        "subnet-arn": lambda s: [_subnet_arn(call, s)],
    }
    chosen = select(subnets, request.get("Filters") or (), {**SUBNET_FIELDS, **ours})
    subnets, token = page(chosen, lambda s: s.availability_zone + s.subnet_id, request)
    return {"Subnets": [_subnet_view(call, subnet) for subnet in subnets], "NextToken": token}


def find_vpc(call: Call, vpc_id: str) -> Vpc:
    """By id. Raises VpcNotFound."""
    vpc = call.tx.get(VPCS, vpc_id)
    if vpc is None:
        raise VpcNotFound(vpc_id)
    return vpc


def default_vpc_id(call: Call) -> str:
    """Of the default VPC; empty when there is none."""
    return next((vpc.vpc_id for vpc in call.tx.all(VPCS) if vpc.is_default), "")


def _find_subnet(call: Call, subnet_id: str) -> Subnet:
    subnet = call.tx.get(SUBNETS, subnet_id)
    if subnet is None:
        raise SubnetNotFound(subnet_id)
    return subnet


def tags_view(tags: Sequence[Tag]) -> list[Mapping[str, str]]:
    """Tags as EC2 returns them."""
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def _association_id(vpc: Vpc) -> str:
    return f"vpc-cidr-assoc-{vpc.vpc_id.removeprefix('vpc-')}"


def _vpc_view(call: Call, vpc: Vpc) -> dict[str, Any]:
    return {
        "VpcId": vpc.vpc_id,
        "OwnerId": call.platform.account_id,
        "State": "available",
        "CidrBlock": vpc.cidr_block,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": _association_id(vpc),
                "CidrBlock": vpc.cidr_block,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": DHCP_OPTIONS_ID,
        "InstanceTenancy": "default",
        "IsDefault": vpc.is_default,
        "Tags": tags_view(vpc.tags),
    }


def _available_addresses(subnet: Subnet) -> int:
    return ipaddress.ip_network(subnet.cidr_block).num_addresses - RESERVED_ADDRESSES


def _subnet_arn(call: Call, subnet: Subnet) -> str:
    return call.arns.ec2(f"subnet/{subnet.subnet_id}")


def _subnet_view(call: Call, subnet: Subnet) -> dict[str, Any]:
    return {
        "SubnetId": subnet.subnet_id,
        "SubnetArn": _subnet_arn(call, subnet),
        "VpcId": subnet.vpc_id,
        "OwnerId": call.platform.account_id,
        "State": "available",
        "CidrBlock": subnet.cidr_block,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": subnet.availability_zone_id,
        "AvailableIpAddressCount": _available_addresses(subnet),
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
    "DescribeVpcs": describe_vpcs,
    "DescribeVpcAttribute": describe_vpc_attribute,
    "DescribeSubnets": describe_subnets,
}
