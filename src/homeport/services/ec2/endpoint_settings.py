"""What a VPC endpoint may be asked to be, checked.

Sources: CreateVpcEndpoint and ModifyVpcEndpoint, EC2 API reference; the texts are those that
users report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homeport.domain.vpc import Vpc
from homeport.domain.vpc_endpoint import GATEWAY, INTERFACE, VpcEndpoint
from homeport.services.call import Call
from homeport.store.schema import SUBNETS, VPC_ENDPOINTS

from .endpoint_catalog import kinds, private_dns_name
from .errors import (
    DuplicateSubnetsInSameZone,
    InvalidParameter,
    InvalidPolicyDocument,
    InvalidServiceName,
    RouteAlreadyExists,
)
from .prefix_lists import prefix_list_id
from .route_tables import find_route_table
from .subnets import find_subnet

MAX_POLICY = 20_480
ONLY = {
    INTERFACE: {
        "SubnetIds": "Subnet IDs",
        "SecurityGroupIds": "Security groups",
        "PrivateDnsEnabled": "Private DNS",
    },
    GATEWAY: {"RouteTableIds": "Route table IDs"},
}
"""What only one type of endpoint has."""


def check_kind(call: Call, service: str, kind: str, request: Mapping[str, Any]) -> None:
    """The service has endpoints of this type, and the request asks for nothing of the other."""
    offered = kinds(call.platform.region, service)
    if not offered:
        raise InvalidServiceName(service)
    if kind not in offered:
        raise InvalidParameter(
            f"Endpoint type ({kind[:32]}) does not match available service types "
            f"([{', '.join(offered)}])."
        )
    if request.get("IpAddressType", "ipv4") != "ipv4":
        raise InvalidParameter(f"Homeport has no IPv6: ipAddressType {request['IpAddressType']}")
    other = GATEWAY if kind == INTERFACE else INTERFACE
    for member, words in ONLY[other].items():
        if request.get(member):
            raise InvalidParameter(f"{words} are only supported for {other} type VPC Endpoints.")


def subnet_ids(call: Call, vpc: Vpc, ids: Sequence[str]) -> tuple[str, ...]:
    """Subnets of the VPC."""
    for subnet in (find_subnet(call, subnet_id) for subnet_id in ids):
        if subnet.vpc_id != vpc.vpc_id:
            raise InvalidParameter(
                f"The subnet ID '{subnet.subnet_id}' does not belong to {vpc.vpc_id}"
            )
    return tuple(dict.fromkeys(ids))


def route_table_ids(call: Call, vpc: Vpc, ids: Sequence[str]) -> tuple[str, ...]:
    """Route tables of the VPC."""
    for table in (find_route_table(call, table_id) for table_id in ids):
        if table.vpc_id != vpc.vpc_id:
            raise InvalidParameter(
                f"The route table '{table.route_table_id}' does not belong to {vpc.vpc_id}"
            )
    return tuple(dict.fromkeys(ids))


def policy_text(text: str) -> str:
    """A policy document as it was given; empty: full access."""
    if not text:
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document or len(text) > MAX_POLICY:
        raise InvalidPolicyDocument("The policy document is not valid: policyDocument")
    return text


def check_conflicts(call: Call, vpc: Vpc, endpoint: VpcEndpoint) -> None:
    """One subnet in a zone; one private name, one route for each service in a VPC."""
    zones: set[str] = set()
    for subnet_id in endpoint.subnet_ids:
        subnet = call.tx.get(SUBNETS, subnet_id)
        if subnet and subnet.availability_zone in zones:
            raise DuplicateSubnetsInSameZone(
                "Found another VPC endpoint subnet in the availability zone of "
                f"{subnet_id}. VPC endpoint subnets should be in different availability zones "
                "supported by the VPC endpoint service."
            )
        zones.add(subnet.availability_zone if subnet else "")
    others = [
        other
        for other in call.tx.find(VPC_ENDPOINTS, "vpc", vpc.vpc_id)
        if other.endpoint_id != endpoint.endpoint_id and other.service_name == endpoint.service_name
    ]
    if endpoint.private_dns:
        _check_private_dns(call, vpc, endpoint, others)
    for table_id in endpoint.route_table_ids:
        if any(table_id in other.route_table_ids for other in others):
            raise RouteAlreadyExists(
                f"route table {table_id} already has a route with destination-prefix-list-id "
                f"{prefix_list_id(endpoint.service_name)}"
            )


def _check_private_dns(
    call: Call, vpc: Vpc, endpoint: VpcEndpoint, others: Sequence[VpcEndpoint]
) -> None:
    if not (vpc.dns_support and vpc.dns_hostnames):
        raise InvalidParameter(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            f"attributes set to true for {vpc.vpc_id}"
        )
    if any(other.private_dns for other in others):
        name = private_dns_name(call.platform.region, endpoint.service_name).removeprefix("*.")
        raise InvalidParameter(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain "
            f"for {name} in the VPC {vpc.vpc_id}"
        )
