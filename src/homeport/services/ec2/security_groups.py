"""Security groups. They are kept and described; nothing enforces them yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeport.domain.vpc import SecurityGroup
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOAD_BALANCERS, NETWORK_INTERFACES, SECURITY_GROUPS, VPC_ENDPOINTS

from .default_vpc import ANYTHING_OUT
from .errors import (
    CannotDelete,
    DependencyViolation,
    DuplicateGroup,
    GroupIdMalformed,
    GroupNotFound,
    InvalidParameterValue,
    MissingParameter,
    NoDefaultVpc,
)
from .filters import TAG_FIELDS, Fields, Values, page, select
from .permissions import Rule, merged, peer, source
from .tags import tags_for, tags_view
from .vpcs import default_vpc_id, find_vpc

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        CreateSecurityGroupRequestTypeDef,
        DeleteSecurityGroupRequestTypeDef,
        DescribeSecurityGroupsRequestTypeDef,
    )

MAX_NAME = 255
_CHARACTERS = re.compile(r"[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]{1,255}")


def _rule_fields() -> Fields[SecurityGroup]:
    """``ip-permission.*`` and ``egress.ip-permission.*``: the values of any of the rules."""

    def plain(member: str) -> Callable[[Rule], Values]:
        return lambda rule: [str(rule[member])] if member in rule else []

    def of_source(member: str) -> Callable[[Rule], Values]:
        return lambda rule: [str(source(rule)[member])] if member in source(rule) else []

    readers = {
        "cidr": of_source("CidrIp"),
        "ipv6-cidr": of_source("CidrIpv6"),
        "group-id": of_source("GroupId"),
        "user-id": of_source("UserId"),
        "from-port": plain("FromPort"),
        "to-port": plain("ToPort"),
        "protocol": plain("IpProtocol"),
        "prefix-list-id": lambda rule: [],
        "group-name": lambda rule: [],  # groups in a VPC are named by id
    }

    def ingress(read: Callable[[Rule], Values]) -> Callable[[SecurityGroup], Values]:
        return lambda group: [value for rule in group.ingress for value in read(rule)]

    def egress(read: Callable[[Rule], Values]) -> Callable[[SecurityGroup], Values]:
        return lambda group: [value for rule in group.egress for value in read(rule)]

    return {
        **{f"ip-permission.{name}": ingress(read) for name, read in readers.items()},
        **{f"egress.ip-permission.{name}": egress(read) for name, read in readers.items()},
    }


FIELDS: Fields[SecurityGroup] = {
    "description": lambda g: [g.description],
    "group-id": lambda g: [g.group_id],
    "group-name": lambda g: [g.name],
    "vpc-id": lambda g: [g.vpc_id],
    **_rule_fields(),
    **TAG_FIELDS,
}


def create_security_group(call: Call, request: CreateSecurityGroupRequestTypeDef) -> Response:
    """A group with no way in and every way out; names are unique in a VPC, whatever their case."""
    name, description = request["GroupName"], request["Description"]
    _check_words(name, description)
    vpc_id = request.get("VpcId") or default_vpc_id(call)
    if not vpc_id:
        raise NoDefaultVpc
    vpc = find_vpc(call, vpc_id)
    in_vpc = call.tx.find(SECURITY_GROUPS, "vpc", vpc.vpc_id)
    if any(group.name.lower() == name.lower() for group in in_vpc):
        raise DuplicateGroup(f"The security group '{name}' already exists for VPC '{vpc.vpc_id}'")
    group = SecurityGroup(
        group_id=f"sg-0{call.ids.hex16()}",
        vpc_id=vpc.vpc_id,
        name=name,
        description=description,
        egress=(ANYTHING_OUT,),
        tags=tags_for("security-group", request.get("TagSpecifications") or ()),
    )
    call.tx.put(SECURITY_GROUPS, group)
    return {
        "GroupId": group.group_id,
        "SecurityGroupArn": _arn(call, group),
        "Tags": tags_view(group.tags),
    }


def _check_words(name: str, description: str) -> None:
    if name.lower() == "default":
        raise InvalidParameterValue(f"Cannot use reserved security group name: {name}")
    if name.startswith("sg-"):
        raise InvalidParameterValue(
            f"Value ({name[:64]}) for parameter GroupName is invalid. Group names may not be in "
            "the format sg-*."
        )
    for parameter, text in (("GroupName", name), ("GroupDescription", description)):
        if not _CHARACTERS.fullmatch(text):
            raise InvalidParameterValue(
                f"Value ({text[:64]}) for parameter {parameter} is invalid: 1 to {MAX_NAME} "
                "characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
            )


def _arn(call: Call, group: SecurityGroup) -> str:
    return call.arns.ec2(f"security-group/{group.group_id}")


def delete_security_group(call: Call, request: DeleteSecurityGroupRequestTypeDef) -> Response:
    """Deletes a group that nothing uses: no interface, balancer, endpoint, no other's rule."""
    group = find_group(call, request.get("GroupId"), request.get("GroupName"))
    if group.name == "default":
        raise CannotDelete(
            f'the specified group: "{group.group_id}" name: "default" cannot be deleted by a user'
        )
    balancers = any(group.group_id in b.security_groups for b in call.tx.all(LOAD_BALANCERS))
    endpoints = any(group.group_id in e.security_groups for e in call.tx.all(VPC_ENDPOINTS))
    in_vpc = call.tx.find(NETWORK_INTERFACES, "vpc", group.vpc_id)
    interfaces = any(group.group_id in i.security_groups for i in in_vpc)
    named = any(
        peer(rule) == group.group_id
        for other in call.tx.all(SECURITY_GROUPS)
        if other.group_id != group.group_id
        for rule in (*other.ingress, *other.egress)
    )
    if balancers or endpoints or interfaces or named:
        raise DependencyViolation(f"resource {group.group_id} has a dependent object")
    call.tx.delete(SECURITY_GROUPS, group.group_id)
    return {"Return": True, "GroupId": group.group_id}


def find_group(call: Call, group_id: str | None, name: str | None = None) -> SecurityGroup:
    """By id, or by name in the default VPC. Raises GroupNotFound, GroupIdMalformed."""
    if group_id is not None:
        group = call.tx.get(SECURITY_GROUPS, group_id)
        if group is None and not group_id.startswith("sg-"):
            raise GroupIdMalformed(group_id)
        if group is None:
            raise GroupNotFound(group_id)
        return group
    if not name:
        raise MissingParameter("The request must contain the parameter groupName or groupId")
    vpc_id = default_vpc_id(call)
    for group in call.tx.find(SECURITY_GROUPS, "vpc", vpc_id):
        if group.name == name:
            return group
    raise GroupNotFound(name, vpc_id)


def describe_security_groups(call: Call, request: DescribeSecurityGroupsRequestTypeDef) -> Response:
    """By id, name and filters."""
    ids, names = request.get("GroupIds") or (), request.get("GroupNames") or ()
    groups = [find_group(call, i) for i in ids] + [find_group(call, None, n) for n in names]
    if not ids and not names:
        groups = call.tx.all(SECURITY_GROUPS)
    owner: Fields[SecurityGroup] = {"owner-id": lambda g: [call.platform.account_id]}
    chosen = select(groups, request.get("Filters") or (), {**FIELDS, **owner})
    groups, token = page(chosen, lambda g: g.group_id, request)
    return {"SecurityGroups": [_view(call, group) for group in groups], "NextToken": token}


def _view(call: Call, group: SecurityGroup) -> dict[str, Any]:
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "OwnerId": call.platform.account_id,
        "SecurityGroupArn": _arn(call, group),
        "IpPermissions": merged(group.ingress),
        "IpPermissionsEgress": merged(group.egress),
        "Tags": tags_view(group.tags),
    }


OPERATIONS: dict[str, Handler] = {
    "CreateSecurityGroup": create_security_group,
    "DeleteSecurityGroup": delete_security_group,
    "DescribeSecurityGroups": describe_security_groups,
}
