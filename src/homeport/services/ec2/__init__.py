"""The part of EC2 that ECS and load balancing name: networks.

Called by the gateway. Owns VPCs with their subnets, routes, gateways, endpoints and security
groups; of instances it says what the agents on them have told. ``DryRun`` is carried out and
rolled back: what a dry run promises is what the request would have done.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

from homeport.services.call import Call, Handler, Response

from . import (
    absent,
    addresses,
    dhcp_options,
    instances,
    internet_gateways,
    nat_gateways,
    network_acls,
    network_interface_changes,
    network_interfaces,
    prefix_lists,
    route_tables,
    routes,
    security_group_rule_changes,
    security_group_rules,
    security_groups,
    subnets,
    tags,
    vpc_endpoint_services,
    vpc_endpoints,
    vpcs,
    zones,
)
from .errors import DryRunOperation


def _with_dry_run(handler: Handler) -> Handler:
    @wraps(handler)
    def handle(call: Call, request: Any) -> Response:
        response = handler(call, request)
        if request.get("DryRun"):
            raise DryRunOperation
        return response

    return handle


OPERATIONS: Mapping[str, Handler] = {
    name: _with_dry_run(handler)
    for name, handler in {
        **vpcs.OPERATIONS,
        **subnets.OPERATIONS,
        **dhcp_options.OPERATIONS,
        **network_acls.OPERATIONS,
        **internet_gateways.OPERATIONS,
        **route_tables.OPERATIONS,
        **routes.OPERATIONS,
        **addresses.OPERATIONS,
        **nat_gateways.OPERATIONS,
        **vpc_endpoints.OPERATIONS,
        **prefix_lists.OPERATIONS,
        **vpc_endpoint_services.OPERATIONS,
        **absent.OPERATIONS,
        **zones.OPERATIONS,
        **security_groups.OPERATIONS,
        **security_group_rules.OPERATIONS,
        **security_group_rule_changes.OPERATIONS,
        **instances.OPERATIONS,
        **network_interfaces.OPERATIONS,
        **network_interface_changes.OPERATIONS,
        **tags.OPERATIONS,
    }.items()
}
