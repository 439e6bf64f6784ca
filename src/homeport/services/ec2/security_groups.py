"""Security groups and their rules. They are kept and described; nothing enforces them yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.vpc import SecurityGroup
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOAD_BALANCERS, SECURITY_GROUPS, VPCS

from .default_vpc import EVERYWHERE
from .errors import (
    CannotDelete,
    DependencyViolation,
    DuplicateGroup,
    DuplicatePermission,
    GroupNotFound,
    InvalidParameterValue,
    MissingParameter,
    PermissionNotFound,
)
from .filters import Fields, page, select, tag_keys, yes_no
from .permissions import Rule, identity, merged, parse_rules, rule_id
from .tags import tags_for
from .vpcs import find_vpc, tags_view

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AuthorizeSecurityGroupEgressRequestTypeDef,
        AuthorizeSecurityGroupIngressRequestTypeDef,
        CreateSecurityGroupRequestTypeDef,
        DeleteSecurityGroupRequestTypeDef,
        DescribeSecurityGroupRulesRequestTypeDef,
        DescribeSecurityGroupsRequestTypeDef,
        RevokeSecurityGroupEgressRequestTypeDef,
        RevokeSecurityGroupIngressRequestTypeDef,
    )

MAX_RULES = 60

FIELDS: Fields[SecurityGroup] = {
    "description": lambda g: [g.description],
    "group-id": lambda g: [g.group_id],
    "group-name": lambda g: [g.name],
    "vpc-id": lambda g: [g.vpc_id],
    "tag-key": tag_keys,
}


class FlatRule(msgspec.Struct, frozen=True):
    """A rule with where it is."""

    group: SecurityGroup
    egress: bool
    rule: Rule

    @property
    def id(self) -> str:
        """``sgr-…``."""
        return rule_id(self.group.group_id, self.egress, self.rule)


RULE_FIELDS: Fields[FlatRule] = {
    "group-id": lambda r: [r.group.group_id],
    "security-group-rule-id": lambda r: [r.id],
    "is-egress": lambda r: [yes_no(r.egress)],
}


def create_security_group(call: Call, request: CreateSecurityGroupRequestTypeDef) -> Response:
    """Creates a group that lets everything out and nothing in."""
    name, description = request["GroupName"], request["Description"]
    if not 1 <= len(name) <= 255 or name.startswith("sg-"):
        raise InvalidParameterValue(f"Value ({name[:64]}) for parameter GroupName is invalid.")
    vpc = find_vpc(call, request.get("VpcId") or _default_vpc_id(call))
    if any(g.name == name for g in call.tx.find(SECURITY_GROUPS, "vpc", vpc.vpc_id)):
        raise DuplicateGroup(f"The security group '{name}' already exists for VPC '{vpc.vpc_id}'")
    group = SecurityGroup(
        group_id=f"sg-0{call.ids.hex16()}",
        vpc_id=vpc.vpc_id,
        name=name,
        description=description,
        egress=(EVERYWHERE,),
        tags=tags_for("security-group", request.get("TagSpecifications") or ()),
    )
    call.tx.put(SECURITY_GROUPS, group)
    return {
        "GroupId": group.group_id,
        "SecurityGroupArn": _arn(call, group),
        "Tags": tags_view(group.tags),
    }


def _default_vpc_id(call: Call) -> str:
    return next((vpc.vpc_id for vpc in call.tx.all(VPCS) if vpc.is_default), "")


def _arn(call: Call, group: SecurityGroup) -> str:
    return call.arns.ec2(f"security-group/{group.group_id}")


def delete_security_group(call: Call, request: DeleteSecurityGroupRequestTypeDef) -> Response:
    """Deletes a group that nothing uses."""
    group = _find(call, request.get("GroupId"), request.get("GroupName"))
    if group.name == "default":
        raise CannotDelete(
            f'the specified group: "{group.group_id}" name: "default" cannot be deleted by a user'
        )
    used = [b.arn for b in call.tx.all(LOAD_BALANCERS) if group.group_id in b.security_groups]
    named = [
        other.group_id
        for other in call.tx.all(SECURITY_GROUPS)
        if other.group_id != group.group_id
        and any(group.group_id in str(rule) for rule in (*other.ingress, *other.egress))
    ]
    if used or named:
        raise DependencyViolation(f"resource {group.group_id} has a dependent object")
    call.tx.delete(SECURITY_GROUPS, group.group_id)
    return {"Return": True, "GroupId": group.group_id}


def _find(call: Call, group_id: str | None, name: str | None = None) -> SecurityGroup:
    if group_id:
        group = call.tx.get(SECURITY_GROUPS, group_id)
    elif name:
        in_vpc = call.tx.find(SECURITY_GROUPS, "vpc", _default_vpc_id(call))
        group = next((g for g in in_vpc if g.name == name), None)
    else:
        raise MissingParameter("The request must contain the parameter groupName or groupId")
    if group is None:
        raise GroupNotFound(group_id or name or "")
    return group


def describe_security_groups(call: Call, request: DescribeSecurityGroupsRequestTypeDef) -> Response:
    """By id, name and filters."""
    ids, names = request.get("GroupIds") or (), request.get("GroupNames") or ()
    groups = [_find(call, i) for i in ids] + [_find(call, None, n) for n in names]
    if not ids and not names:
        groups = call.tx.all(SECURITY_GROUPS)
    chosen = select(groups, request.get("Filters") or (), FIELDS)
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


def describe_security_group_rules(
    call: Call, request: DescribeSecurityGroupRulesRequestTypeDef
) -> Response:
    """Every rule on its own, by id and filters."""
    rules = [
        FlatRule(group, egress, rule)
        for group in call.tx.all(SECURITY_GROUPS)
        for egress, side in ((False, group.ingress), (True, group.egress))
        for rule in side
    ]
    if ids := request.get("SecurityGroupRuleIds"):
        rules = [rule for rule in rules if rule.id in ids]
    chosen = select(rules, request.get("Filters") or (), RULE_FIELDS)
    chosen, token = page(chosen, lambda r: r.id, request)
    views = [_rule_view(call, rule) for rule in chosen]
    return {"SecurityGroupRules": views, "NextToken": token}


def _rule_view(call: Call, flat: FlatRule) -> dict[str, Any]:
    rule: dict[str, Any] = flat.rule
    view: dict[str, Any] = {
        "SecurityGroupRuleId": flat.id,
        "GroupId": flat.group.group_id,
        "GroupOwnerId": call.platform.account_id,
        "IsEgress": flat.egress,
        "IpProtocol": rule["IpProtocol"],
        "FromPort": rule.get("FromPort", -1),
        "ToPort": rule.get("ToPort", -1),
        "Tags": [],
    }
    if "IpRanges" in rule:
        view["CidrIpv4"] = rule["IpRanges"][0]["CidrIp"]
    if "Ipv6Ranges" in rule:
        view["CidrIpv6"] = rule["Ipv6Ranges"][0]["CidrIpv6"]
    if "UserIdGroupPairs" in rule:
        pair = rule["UserIdGroupPairs"][0]
        view["ReferencedGroupInfo"] = {"GroupId": pair["GroupId"], "UserId": pair.get("UserId")}
    return view


def authorize_ingress(call: Call, request: AuthorizeSecurityGroupIngressRequestTypeDef) -> Response:
    """Adds rules for what may come in."""
    return _authorize(call, request, egress=False)


def authorize_egress(call: Call, request: AuthorizeSecurityGroupEgressRequestTypeDef) -> Response:
    """Adds rules for what may go out."""
    return _authorize(call, request, egress=True)


def revoke_ingress(call: Call, request: RevokeSecurityGroupIngressRequestTypeDef) -> Response:
    """Removes rules for what may come in."""
    return _revoke(call, request, egress=False)


def revoke_egress(call: Call, request: RevokeSecurityGroupEgressRequestTypeDef) -> Response:
    """Removes rules for what may go out."""
    return _revoke(call, request, egress=True)


def _authorize(call: Call, request: Any, *, egress: bool) -> Response:
    group = _find(call, request.get("GroupId"), request.get("GroupName"))
    known = {g.group_id for g in call.tx.find(SECURITY_GROUPS, "vpc", group.vpc_id)}
    side = list(group.egress if egress else group.ingress)
    added = parse_rules(request, call.platform.account_id, known)
    present = {identity(rule) for rule in side}
    for rule in added:
        if identity(rule) in present:
            raise DuplicatePermission(
                f'the specified rule "{_words(rule)}" already exists in {group.group_id}'
            )
        present.add(identity(rule))
    if len(side) + len(added) > MAX_RULES:
        raise InvalidParameterValue(
            f"A security group has at most {MAX_RULES} rules: IpPermissions"
        )
    group = _store(call, group, [*side, *added], egress)
    views = [_rule_view(call, FlatRule(group, egress, rule)) for rule in added]
    return {"Return": True, "SecurityGroupRules": views}


def _revoke(call: Call, request: Any, *, egress: bool) -> Response:
    group = _find(call, request.get("GroupId"), request.get("GroupName"))
    side = list(group.egress if egress else group.ingress)
    if ids := request.get("SecurityGroupRuleIds"):
        gone = {identity(r) for r in side if rule_id(group.group_id, egress, r) in ids}
        missing = len(gone) < len(set(ids))
    else:
        known = {g.group_id for g in call.tx.find(SECURITY_GROUPS, "vpc", group.vpc_id)}
        gone = {identity(r) for r in parse_rules(request, call.platform.account_id, known)}
        missing = not gone <= {identity(r) for r in side}
    if missing:
        raise PermissionNotFound("The specified rule does not exist in this security group.")
    _store(call, group, [rule for rule in side if identity(rule) not in gone], egress)
    return {"Return": True}


def _store(call: Call, group: SecurityGroup, side: Sequence[Rule], egress: bool) -> SecurityGroup:
    change: dict[str, Any] = {"egress" if egress else "ingress": tuple(side)}
    return call.tx.put(SECURITY_GROUPS, msgspec.structs.replace(group, **change))


def _words(rule: Rule) -> str:
    source = next((str(v[0]) for v in rule.values() if isinstance(v, list)), "")
    return f"{source}, {rule['IpProtocol']}, {rule.get('FromPort')}-{rule.get('ToPort')}, ALLOW"


OPERATIONS: dict[str, Handler] = {
    "CreateSecurityGroup": create_security_group,
    "DeleteSecurityGroup": delete_security_group,
    "DescribeSecurityGroups": describe_security_groups,
    "DescribeSecurityGroupRules": describe_security_group_rules,
    "AuthorizeSecurityGroupIngress": authorize_ingress,
    "AuthorizeSecurityGroupEgress": authorize_egress,
    "RevokeSecurityGroupIngress": revoke_ingress,
    "RevokeSecurityGroupEgress": revoke_egress,
}
