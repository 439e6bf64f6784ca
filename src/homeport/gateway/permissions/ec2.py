"""EC2: what is described has no resource; what is made or changed is named by its id.

Source: "Actions, resources, and condition keys for Amazon EC2". A new resource is ``vpc/*``. A
request that names several kinds needs the permission on each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from homeport.store.schema import SECURITY_GROUPS

from .rule import Asked, Resources, Rule, members

# The member that names a resource → the resource's type in its ARN.
_NAMED: Mapping[str, str] = {
    "VpcId": "vpc",
    "SubnetId": "subnet",
    "SubnetIds": "subnet",
    "GroupId": "security-group",
    "Groups": "security-group",
    "SecurityGroupIds": "security-group",
    "RouteTableId": "route-table",
    "RouteTableIds": "route-table",
    "InternetGatewayId": "internet-gateway",
    "NatGatewayId": "natgateway",
    "AllocationId": "elastic-ip",
    "VpcEndpointId": "vpc-endpoint",
    "VpcEndpointIds": "vpc-endpoint",
    "NetworkInterfaceId": "network-interface",
}

# An operation that makes something → the type of what it makes.
_MADE: Mapping[str, str] = {
    "CreateVpc": "vpc",
    "CreateDefaultVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateSecurityGroup": "security-group",
    "CreateRouteTable": "route-table",
    "CreateInternetGateway": "internet-gateway",
    "CreateNatGateway": "natgateway",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateNetworkInterface": "network-interface",
    "AllocateAddress": "elastic-ip",
}

_ID_KINDS: Mapping[str, str] = {
    "vpc": "vpc",
    "subnet": "subnet",
    "sg": "security-group",
    "rtb": "route-table",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "vpce": "vpc-endpoint",
    "eni": "network-interface",
}


def _named(asked: Asked) -> Iterable[str]:
    made = _MADE.get(asked.operation)
    if made:
        yield asked.call.arns.ec2(f"{made}/*")
    for member, kind in _NAMED.items():
        for identifier in members(asked, member):
            yield asked.call.arns.ec2(f"{kind}/{identifier}")
    if "GroupId" not in asked.document and "GroupName" in asked.document and not made:
        for group in asked.call.tx.all(SECURITY_GROUPS):
            if group.name == asked.document["GroupName"]:
                yield asked.call.arns.ec2(f"security-group/{group.group_id}")


def _tagged(asked: Asked) -> Iterable[str]:
    for identifier in members(asked, "Resources"):
        kind = _ID_KINDS.get(identifier.partition("-")[0], "*")
        yield asked.call.arns.ec2(f"{kind}/{identifier}")


def rule(operation: str) -> Rule:
    """The rule of an operation: one for all but tags and what only reads."""
    if operation.startswith(("Describe", "Get", "Search")):
        return Rule()
    resources: Resources = _tagged if operation in ("CreateTags", "DeleteTags") else _named
    return Rule(resources)
