"""VPC endpoints: made, changed, described, deleted.

They decide what a task in a private subnet reaches (``decide.reach``). No name or address of an
endpoint answers by itself: Homeport's services answer at Homeport's own address.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.vpc import Vpc
from homeport.domain.vpc_endpoint import GATEWAY, INTERFACE, VpcEndpoint
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import NETWORK_INTERFACES, SECURITY_GROUPS, VPC_ENDPOINTS

from .client_tokens import recall, remember
from .endpoint_settings import (
    check_conflicts,
    check_kind,
    policy_text,
    route_table_ids,
    subnet_ids,
)
from .errors import MissingParameter, VpcEndpointNotFound
from .filters import TAG_FIELDS, Fields, page, select
from .interface_making import groups_of_vpc, put_managed_interface
from .subnets import find_subnet
from .tags import tags_for, tags_view
from .vpcs import find_vpc, refuse_members

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateVpcEndpointRequestTypeDef,
        DeleteVpcEndpointsRequestTypeDef,
        DescribeVpcEndpointsRequestTypeDef,
        ModifyVpcEndpointRequestTypeDef,
    )

CREATE = "CreateVpcEndpoint"
NOT_HERE = ("SubnetConfigurations", "ServiceNetworkArn", "ResourceConfigurationArn")
FULL_ACCESS = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
)

FIELDS: Fields[VpcEndpoint] = {
    "ip-address-type": lambda e: ["ipv4"],
    "service-name": lambda e: [e.service_name],
    "vpc-id": lambda e: [e.vpc_id],
    "vpc-endpoint-id": lambda e: [e.endpoint_id],
    "vpc-endpoint-state": lambda e: ["available"],
    "vpc-endpoint-type": lambda e: [e.kind],
    **TAG_FIELDS,
}


def create_vpc_endpoint(call: Call, request: CreateVpcEndpointRequestTypeDef) -> Response:
    """An endpoint for a service: in route tables (Gateway, the default) or in subnets."""
    refuse_members(request, NOT_HERE)
    vpc = find_vpc(call, request["VpcId"])
    service = request.get("ServiceName")
    if not service:
        raise MissingParameter("The request must contain the parameter serviceName")
    kind = request.get("VpcEndpointType") or GATEWAY
    check_kind(call, service, kind, request)
    known = call.tx.get(VPC_ENDPOINTS, recall(call, CREATE, request) or "")
    if known is None:
        known = _make(call, request, vpc, service, kind)
        remember(call, CREATE, request, known.endpoint_id)
    return {"VpcEndpoint": _view(call, known), "ClientToken": request.get("ClientToken")}


def _make(
    call: Call, request: CreateVpcEndpointRequestTypeDef, vpc: Vpc, service: str, kind: str
) -> VpcEndpoint:
    interface = kind == INTERFACE
    asked = request.get("SecurityGroupIds") or ()
    endpoint = VpcEndpoint(
        endpoint_id=f"vpce-0{call.ids.hex16()}",
        kind=kind,
        service_name=service,
        vpc_id=vpc.vpc_id,
        created_at=call.now,
        subnet_ids=subnet_ids(call, vpc, request.get("SubnetIds") or ()),
        security_groups=groups_of_vpc(call, vpc.vpc_id, asked) if interface else (),
        private_dns=interface and request.get("PrivateDnsEnabled", True),
        route_table_ids=route_table_ids(call, vpc, request.get("RouteTableIds") or ()),
        policy=policy_text(request.get("PolicyDocument") or ""),
        tags=tags_for("vpc-endpoint", request.get("TagSpecifications") or ()),
    )
    check_conflicts(call, vpc, endpoint)
    return call.tx.put(VPC_ENDPOINTS, _with_interfaces(call, endpoint))


def _with_interfaces(call: Call, endpoint: VpcEndpoint) -> VpcEndpoint:
    """One interface with the endpoint's groups in each of its subnets, and in no other."""
    old = (call.tx.get(NETWORK_INTERFACES, i) for i in endpoint.network_interface_ids)
    present = {interface.subnet_id: interface for interface in old if interface}
    for subnet_id in present.keys() - set(endpoint.subnet_ids):
        call.tx.delete(NETWORK_INTERFACES, present[subnet_id].network_interface_id)
    kept = []
    for subnet_id in endpoint.subnet_ids:
        interface = present.get(subnet_id) or put_managed_interface(
            call,
            find_subnet(call, subnet_id),
            kind="vpc_endpoint",
            description=f"VPC Endpoint Interface {endpoint.endpoint_id}",
        )
        groups = endpoint.security_groups
        guarded = msgspec.structs.replace(interface, security_groups=groups)
        kept.append(call.tx.put(NETWORK_INTERFACES, guarded).network_interface_id)
    return msgspec.structs.replace(endpoint, network_interface_ids=tuple(kept))


def modify_vpc_endpoint(call: Call, request: ModifyVpcEndpointRequestTypeDef) -> Response:
    """Adds and removes what the endpoint is in, its groups, its policy, its private DNS."""
    refuse_members(request, NOT_HERE)
    endpoint = find_endpoint(call, request["VpcEndpointId"])
    vpc = find_vpc(call, endpoint.vpc_id)
    kept = _changed(
        endpoint.subnet_ids,
        subnet_ids(call, vpc, request.get("AddSubnetIds") or ()),
        request.get("RemoveSubnetIds") or (),
    )
    tables = _changed(
        endpoint.route_table_ids,
        route_table_ids(call, vpc, request.get("AddRouteTableIds") or ()),
        request.get("RemoveRouteTableIds") or (),
    )
    added = request.get("AddSecurityGroupIds")
    groups = _changed(
        endpoint.security_groups,
        groups_of_vpc(call, vpc.vpc_id, added) if added else (),
        request.get("RemoveSecurityGroupIds") or (),
    )
    policy = "" if request.get("ResetPolicy") else endpoint.policy
    changed = msgspec.structs.replace(
        endpoint,
        subnet_ids=kept,
        route_table_ids=tables,
        security_groups=groups,
        private_dns=request.get("PrivateDnsEnabled", endpoint.private_dns),
        policy=policy_text(request.get("PolicyDocument") or policy),
    )
    check_kind(call, changed.service_name, changed.kind, _as_request(changed))
    check_conflicts(call, vpc, changed)
    call.tx.put(VPC_ENDPOINTS, _with_interfaces(call, changed))
    return {"Return": True}


def _changed(before: tuple[str, ...], added: tuple[str, ...], removed: Any) -> tuple[str, ...]:
    return tuple(i for i in dict.fromkeys((*before, *added)) if i not in removed)


def _as_request(endpoint: VpcEndpoint) -> dict[str, Any]:
    return {
        "SubnetIds": endpoint.subnet_ids,
        "SecurityGroupIds": endpoint.security_groups,
        "RouteTableIds": endpoint.route_table_ids,
        "PrivateDnsEnabled": endpoint.private_dns,
    }


def delete_vpc_endpoints(call: Call, request: DeleteVpcEndpointsRequestTypeDef) -> Response:
    """Deletes each that there is, and names the others in the answer."""
    unknown = []
    for endpoint_id in dict.fromkeys(request["VpcEndpointIds"]):
        endpoint = call.tx.get(VPC_ENDPOINTS, endpoint_id)
        if endpoint is None:
            unknown.append(endpoint_id)
            continue
        for interface_id in endpoint.network_interface_ids:
            call.tx.delete(NETWORK_INTERFACES, interface_id)
        call.tx.delete(VPC_ENDPOINTS, endpoint_id)
    return {
        "Unsuccessful": [
            {
                "ResourceId": endpoint_id,
                "Error": {
                    "Code": "InvalidVpcEndpoint.NotFound",
                    "Message": f"The VpcEndpoint Id '{endpoint_id[:128]}' does not exist",
                },
            }
            for endpoint_id in unknown
        ]
    }


def describe_vpc_endpoints(call: Call, request: DescribeVpcEndpointsRequestTypeDef) -> Response:
    """By id and filters."""
    endpoints = call.tx.all(VPC_ENDPOINTS)
    if ids := request.get("VpcEndpointIds"):
        endpoints = [find_endpoint(call, endpoint_id) for endpoint_id in ids]
    ours: Fields[VpcEndpoint] = {"service-region": lambda e: [call.platform.region]}
    chosen = select(endpoints, request.get("Filters") or (), {**FIELDS, **ours})
    endpoints, token = page(chosen, lambda e: e.endpoint_id, request)
    return {"VpcEndpoints": [_view(call, e) for e in endpoints], "NextToken": token}


def find_endpoint(call: Call, endpoint_id: str) -> VpcEndpoint:
    """By id. Raises VpcEndpointNotFound."""
    endpoint = call.tx.get(VPC_ENDPOINTS, endpoint_id)
    if endpoint is None:
        raise VpcEndpointNotFound(endpoint_id)
    return endpoint


def _view(call: Call, endpoint: VpcEndpoint) -> dict[str, Any]:
    groups = [call.tx.get(SECURITY_GROUPS, i) for i in endpoint.security_groups]
    return {
        "VpcEndpointId": endpoint.endpoint_id,
        "VpcEndpointType": endpoint.kind,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "ServiceRegion": call.platform.region,
        "State": "available",
        "PolicyDocument": endpoint.policy or FULL_ACCESS,
        "RouteTableIds": list(endpoint.route_table_ids),
        "SubnetIds": list(endpoint.subnet_ids),
        "Groups": [{"GroupId": g.group_id, "GroupName": g.name} for g in groups if g],
        "IpAddressType": "ipv4",
        "PrivateDnsEnabled": endpoint.private_dns,
        "RequesterManaged": False,
        "NetworkInterfaceIds": list(endpoint.network_interface_ids),
        "DnsEntries": [],
        "CreationTimestamp": endpoint.created_at,
        "OwnerId": call.platform.account_id,
        "Tags": tags_view(endpoint.tags),
    }


OPERATIONS: dict[str, Handler] = {
    CREATE: create_vpc_endpoint,
    "ModifyVpcEndpoint": modify_vpc_endpoint,
    "DeleteVpcEndpoints": delete_vpc_endpoints,
    "DescribeVpcEndpoints": describe_vpc_endpoints,
}
