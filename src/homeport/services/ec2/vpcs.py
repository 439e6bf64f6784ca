"""VPCs: made with a main route table and a default security group, deleted when empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.vpc import Vpc
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import (
    INTERNET_GATEWAYS,
    LOAD_BALANCERS,
    NAT_GATEWAYS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SUBNETS,
    VPC_ENDPOINTS,
    VPCS,
)

from .cidr import MAX_PREFIX, MIN_PREFIX, NOT_FOR_VPCS, ipv4_block
from .default_vpc import put_default_group, put_main_table, seed_default_vpc
from .errors import (
    DefaultVpcAlreadyExists,
    DependencyViolation,
    InvalidParameterCombination,
    InvalidParameterValue,
    InvalidVpcRange,
    MissingParameter,
    VpcNotFound,
)
from .filters import TAG_FIELDS, Fields, never, page, select, yes_no
from .tags import tags_for, tags_view

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateDefaultVpcRequestTypeDef,
        CreateVpcRequestTypeDef,
        DeleteVpcRequestTypeDef,
        DescribeVpcAttributeRequestTypeDef,
        DescribeVpcsRequestTypeDef,
        ModifyVpcAttributeRequestTypeDef,
    )

DHCP_OPTIONS_ID = "dopt-00000000000000000"
NO_IPV6 = (
    "ipv6-cidr-block-association.ipv6-cidr-block",
    "ipv6-cidr-block-association.association-id",
    "ipv6-cidr-block-association.state",
)
NOT_HERE = (
    "Ipv6Pool",
    "Ipv6CidrBlock",
    "Ipv4IpamPoolId",
    "Ipv4NetmaskLength",
    "Ipv6IpamPoolId",
    "Ipv6NetmaskLength",
    "Ipv6CidrBlockNetworkBorderGroup",
    "VpcEncryptionControl",
    "AmazonProvidedIpv6CidrBlock",
)
"""Members of CreateVpc that ask for IPv6, IPAM or encryption, which there is none of."""

VPC_ATTRIBUTES = {
    "EnableDnsSupport": "dns_support",
    "EnableDnsHostnames": "dns_hostnames",
    "EnableNetworkAddressUsageMetrics": "",
}
"""Member of ModifyVpcAttribute → field of the record; empty: it is always off."""

FIELDS: Fields[Vpc] = {
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


def create_vpc(call: Call, request: CreateVpcRequestTypeDef) -> Response:
    """A VPC with its main route table and its default security group, and no way out."""
    refuse_members(request, NOT_HERE)
    if (tenancy := request.get("InstanceTenancy", "default")) != "default":
        raise InvalidParameterValue(
            f"Value ({str(tenancy)[:64]}) for parameter instanceTenancy is invalid. Homeport has "
            "no dedicated hosts."
        )
    if not request.get("CidrBlock"):
        raise MissingParameter("The request must contain the parameter cidrBlock")
    block = ipv4_block(request["CidrBlock"], "cidrBlock")
    reserved = any(block.overlaps(other) for other in NOT_FOR_VPCS)
    if reserved or not MIN_PREFIX <= block.prefixlen <= MAX_PREFIX:
        raise InvalidVpcRange(str(block))
    vpc = Vpc(
        vpc_id=f"vpc-0{call.ids.hex16()}",
        cidr_block=str(block),
        tags=tags_for("vpc", request.get("TagSpecifications") or ()),
    )
    call.tx.put(VPCS, vpc)
    put_main_table(call.tx, vpc, call.ids)
    put_default_group(call.tx, vpc, call.platform.account_id, call.ids)
    return {"Vpc": _view(call, vpc)}


def refuse_members(request: Mapping[str, Any], members: tuple[str, ...]) -> None:
    """Raises InvalidParameterValue that names the first of the members that asks for something."""
    for member in members:
        if request.get(member):
            name = member[0].lower() + member[1:]
            raise InvalidParameterValue(f"Homeport does not support the parameter {name}")


def create_default_vpc(call: Call, request: CreateDefaultVpcRequestTypeDef) -> Response:
    """The default VPC again, after somebody deleted it."""
    if default_vpc_id(call):
        raise DefaultVpcAlreadyExists
    seed_default_vpc(call.tx, call.platform, call.ids)
    return {"Vpc": _view(call, find_vpc(call, default_vpc_id(call)))}


def delete_vpc(call: Call, request: DeleteVpcRequestTypeDef) -> Response:
    """Deletes a VPC that has nothing left but what it was made with."""
    vpc = find_vpc(call, request["VpcId"])
    if _in_use(call, vpc.vpc_id):
        raise DependencyViolation(f"The vpc '{vpc.vpc_id}' has dependencies and cannot be deleted.")
    for table in call.tx.find(ROUTE_TABLES, "vpc", vpc.vpc_id):
        call.tx.delete(ROUTE_TABLES, table.route_table_id)
    for group in call.tx.find(SECURITY_GROUPS, "vpc", vpc.vpc_id):
        call.tx.delete(SECURITY_GROUPS, group.group_id)
    call.tx.delete(VPCS, vpc.vpc_id)
    return {}


def _in_use(call: Call, vpc_id: str) -> bool:
    groups = call.tx.find(SECURITY_GROUPS, "vpc", vpc_id)
    nats = call.tx.find(NAT_GATEWAYS, "vpc", vpc_id)
    return bool(
        call.tx.find(SUBNETS, "vpc", vpc_id)
        or call.tx.find(INTERNET_GATEWAYS, "vpc", vpc_id)
        or call.tx.find(VPC_ENDPOINTS, "vpc", vpc_id)
        or any(not table.is_main for table in call.tx.find(ROUTE_TABLES, "vpc", vpc_id))
        or any(group.name != "default" for group in groups)
        or any(nat.deleted_at is None for nat in nats)
        or any(balancer.vpc_id == vpc_id for balancer in call.tx.all(LOAD_BALANCERS))
    )


def describe_vpcs(call: Call, request: DescribeVpcsRequestTypeDef) -> Response:
    """By id and filters."""
    vpcs = call.tx.all(VPCS)
    if ids := request.get("VpcIds"):
        vpcs = [find_vpc(call, vpc_id) for vpc_id in ids]
    owner: Fields[Vpc] = {"owner-id": lambda v: [call.platform.account_id]}
    chosen = select(vpcs, request.get("Filters") or (), {**FIELDS, **owner})
    vpcs, token = page(chosen, lambda v: v.vpc_id, request)
    return {"Vpcs": [_view(call, vpc) for vpc in vpcs], "NextToken": token}


def describe_vpc_attribute(call: Call, request: DescribeVpcAttributeRequestTypeDef) -> Response:
    """DNS support and hostnames."""
    vpc = find_vpc(call, request["VpcId"])
    values = {
        "enableDnsSupport": ("EnableDnsSupport", vpc.dns_support),
        "enableDnsHostnames": ("EnableDnsHostnames", vpc.dns_hostnames),
        "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
    }
    attribute = request["Attribute"]
    if attribute not in values:
        raise InvalidParameterValue(
            f"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."
        )
    member, value = values[attribute]
    return {"VpcId": vpc.vpc_id, member: {"Value": value}}


def modify_vpc_attribute(call: Call, request: ModifyVpcAttributeRequestTypeDef) -> Response:
    """Turns DNS support or hostnames on or off: one in a request ("ModifyVpcAttribute", EC2
    API reference)."""
    vpc = find_vpc(call, request["VpcId"])
    asked: dict[str, Any] = {k: v for k, v in request.items() if k in VPC_ATTRIBUTES}
    if len(asked) > 1:
        raise InvalidParameterCombination("Fields for multiple attribute types specified")
    if not asked:
        raise MissingParameter("The request must contain the parameter enableDnsSupport")
    ((member, attribute),) = asked.items()
    value = bool(attribute.get("Value"))
    if field := VPC_ATTRIBUTES[member]:
        call.tx.put(VPCS, msgspec.structs.replace(vpc, **{field: value}))
    elif value:
        raise InvalidParameterValue("Homeport has no network address usage metrics")
    return {}


def find_vpc(call: Call, vpc_id: str) -> Vpc:
    """By id. Raises VpcNotFound."""
    vpc = call.tx.get(VPCS, vpc_id)
    if vpc is None:
        raise VpcNotFound(vpc_id)
    return vpc


def default_vpc_id(call: Call) -> str:
    """Of the default VPC; empty when there is none."""
    return next((vpc.vpc_id for vpc in call.tx.all(VPCS) if vpc.is_default), "")


def _association_id(vpc: Vpc) -> str:
    return f"vpc-cidr-assoc-{vpc.vpc_id.removeprefix('vpc-')}"


def _view(call: Call, vpc: Vpc) -> dict[str, Any]:
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
        "Ipv6CidrBlockAssociationSet": [],
        "DhcpOptionsId": DHCP_OPTIONS_ID,
        "InstanceTenancy": "default",
        "IsDefault": vpc.is_default,
        "Tags": tags_view(vpc.tags),
    }


OPERATIONS: dict[str, Handler] = {
    "CreateVpc": create_vpc,
    "CreateDefaultVpc": create_default_vpc,
    "DeleteVpc": delete_vpc,
    "DescribeVpcs": describe_vpcs,
    "DescribeVpcAttribute": describe_vpc_attribute,
    "ModifyVpcAttribute": modify_vpc_attribute,
}
