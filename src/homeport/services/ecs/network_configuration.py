"""``networkConfiguration`` of RunTask, StartTask, CreateService and UpdateService.

Source of the rules: "AwsVpcConfiguration", ECS API reference. Texts are AWS's where they are
known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homeport.domain.network_interface import NetworkConfiguration
from homeport.domain.task_definition import TaskDefinition
from homeport.services.call import Call
from homeport.store.schema import SECURITY_GROUPS, SUBNETS

from .errors import InvalidParameterException

MAX_SUBNETS, MAX_SECURITY_GROUPS = 16, 5

Request = Mapping[str, Any]  # RunTask, StartTask, CreateService and UpdateService share members


def parse_network(
    call: Call,
    request: Request,
    definition: TaskDefinition,
    launch_type: str,
    current: NetworkConfiguration | None = None,
) -> NetworkConfiguration | None:
    """What the tasks' interfaces are to be, checked; ``current`` stands where none is given.

    None for the other network modes, which must have none.
    """
    given = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    network = current if given is None else _parse(given)
    if definition.network_mode != "awsvpc":
        if network is not None or request.get("networkConfiguration"):
            raise InvalidParameterException(
                "Network Configuration is not valid for the given networkMode of this task "
                "definition."
            )
        return None
    if network is None:
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if network.assign_public_ip and launch_type != "FARGATE":
        raise InvalidParameterException("Assign public IP is not supported for this launch type.")
    if given is not None:
        _check_vpc(call, network)
    return network


def network_view(network: NetworkConfiguration | None) -> dict[str, object] | None:
    """``networkConfiguration`` as ECS returns it."""
    if network is None:
        return None
    return {
        "awsvpcConfiguration": {
            "subnets": list(network.subnets),
            "securityGroups": list(network.security_groups),
            "assignPublicIp": "ENABLED" if network.assign_public_ip else "DISABLED",
        }
    }


def _parse(given: Request) -> NetworkConfiguration:
    subnets: Sequence[str] = given.get("subnets") or ()
    groups: Sequence[str] = given.get("securityGroups") or ()
    if not subnets:
        raise InvalidParameterException("subnets can not be empty.")
    if len(subnets) > MAX_SUBNETS:
        raise InvalidParameterException(f"subnets can have at most {MAX_SUBNETS} items.")
    if len(groups) > MAX_SECURITY_GROUPS:
        raise InvalidParameterException(
            f"securityGroups can have at most {MAX_SECURITY_GROUPS} items."
        )
    public = given.get("assignPublicIp") or "DISABLED"
    if public not in ("ENABLED", "DISABLED"):
        raise InvalidParameterException("assignPublicIp should be one of [ENABLED,DISABLED]")
    return NetworkConfiguration(
        subnets=tuple(dict.fromkeys(subnets)),
        security_groups=tuple(dict.fromkeys(groups)),
        assign_public_ip=public == "ENABLED",
    )


def _check_vpc(call: Call, network: NetworkConfiguration) -> None:
    """Everything exists, in one VPC."""
    vpcs = []
    for subnet_id in network.subnets:
        subnet = call.tx.get(SUBNETS, subnet_id)
        if subnet is None:
            shown = subnet_id[:128]
            raise InvalidParameterException(
                f"Error retrieving subnet information for [{shown}]: The subnet ID '{shown}' does "
                "not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
        vpcs.append(subnet.vpc_id)
    if len(set(vpcs)) > 1:
        raise InvalidParameterException("subnets must all be in the same VPC.")
    for group_id in network.security_groups:
        group = call.tx.get(SECURITY_GROUPS, group_id)
        if group is None:
            shown = group_id[:128]
            raise InvalidParameterException(
                f"Error retrieving security group information for [{shown}]: The security group "
                f"'{shown}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if group.vpc_id != vpcs[0]:
            raise InvalidParameterException(
                f"Security group {group_id} does not appear to belong to the same VPC as the "
                "input subnets."
            )
