"""The rules of security groups: add, remove, describe one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.cluster import Tag
from homeport.domain.vpc import SecurityGroup
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECURITY_GROUPS

from .errors import DuplicatePermission, PermissionNotFound, RuleIdNotFound
from .filters import TAG_FIELDS, Fields, page, select
from .permissions import (
    Rule,
    Sources,
    check_number,
    digest,
    identity,
    merged,
    parse_rules,
    rule_id,
    source,
    words,
)
from .security_groups import find_group
from .tags import tags_for, tags_view
from .vpcs import default_vpc_id

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AuthorizeSecurityGroupEgressRequestTypeDef,
        AuthorizeSecurityGroupIngressRequestTypeDef,
        DescribeSecurityGroupRulesRequestTypeDef,
        RevokeSecurityGroupEgressRequestTypeDef,
        RevokeSecurityGroupIngressRequestTypeDef,
    )


class FlatRule(msgspec.Struct, frozen=True):
    """A rule with where it is."""

    group: SecurityGroup
    egress: bool
    rule: Rule

    @property
    def id(self) -> str:
        """``sgr-…``."""
        return rule_id(self.group, self.egress, self.rule)

    @property
    def tags(self) -> Sequence[Tag]:
        """The rule's own."""
        return self.group.rule_tags.get(self.id, ())


FIELDS: Fields[FlatRule] = {
    "group-id": lambda r: [r.group.group_id],
    "security-group-rule-id": lambda r: [r.id],
    **TAG_FIELDS,
}


def describe_security_group_rules(
    call: Call, request: DescribeSecurityGroupRulesRequestTypeDef
) -> Response:
    """Every rule on its own, by id and filters."""
    rules = [rule for group in call.tx.all(SECURITY_GROUPS) for rule in flat_rules(group)]
    if ids := request.get("SecurityGroupRuleIds"):
        rules = by_id(rules, ids)
    chosen = select(rules, request.get("Filters") or (), FIELDS)
    chosen, token = page(chosen, lambda r: r.id, request)
    views = [_view(call, rule) for rule in chosen]
    return {"SecurityGroupRules": views, "NextToken": token}


def flat_rules(group: SecurityGroup) -> list[FlatRule]:
    """Its rules one by one."""
    ingress = [FlatRule(group, False, rule) for rule in group.ingress]
    return ingress + [FlatRule(group, True, rule) for rule in group.egress]


def by_id(rules: Sequence[FlatRule], ids: Sequence[str]) -> list[FlatRule]:
    """Those with the ids. Raises RuleIdNotFound."""
    known = {rule.id: rule for rule in rules}
    for wanted in ids:
        if wanted not in known:
            raise RuleIdNotFound(wanted)
    return [known[wanted] for wanted in dict.fromkeys(ids)]


def _view(call: Call, flat: FlatRule) -> dict[str, Any]:
    item = source(flat.rule)
    view = {
        **_short_view(flat),
        "SecurityGroupRuleArn": call.arns.ec2(f"security-group-rule/{flat.id}"),
        "GroupOwnerId": call.platform.account_id,
        "Tags": tags_view(flat.tags),
    }
    if "GroupId" in item:
        view["ReferencedGroupInfo"] = {"GroupId": item["GroupId"], "UserId": item["UserId"]}
    return view


def _short_view(flat: FlatRule) -> dict[str, Any]:
    item = source(flat.rule)
    return {
        "SecurityGroupRuleId": flat.id,
        "GroupId": flat.group.group_id,
        "IsEgress": flat.egress,
        "IpProtocol": flat.rule["IpProtocol"],
        "FromPort": flat.rule.get("FromPort", -1),
        "ToPort": flat.rule.get("ToPort", -1),
        "CidrIpv4": item.get("CidrIp"),
        "CidrIpv6": item.get("CidrIpv6"),
        "Description": item.get("Description"),
    }


def _revoked_view(flat: FlatRule) -> dict[str, Any]:
    return {**_short_view(flat), "ReferencedGroupId": source(flat.rule).get("GroupId")}


def authorize_ingress(call: Call, request: AuthorizeSecurityGroupIngressRequestTypeDef) -> Response:
    """Adds rules for what may come in: all or none."""
    return _authorize(call, request, egress=False)


def authorize_egress(call: Call, request: AuthorizeSecurityGroupEgressRequestTypeDef) -> Response:
    """Adds rules for what may go out: all or none."""
    return _authorize(call, request, egress=True)


def revoke_ingress(call: Call, request: RevokeSecurityGroupIngressRequestTypeDef) -> Response:
    """Removes rules for what may come in."""
    return _revoke(call, request, egress=False)


def revoke_egress(call: Call, request: RevokeSecurityGroupEgressRequestTypeDef) -> Response:
    """Removes rules for what may go out."""
    return _revoke(call, request, egress=True)


def _authorize(call: Call, request: Any, *, egress: bool) -> Response:
    group = find_group(call, request.get("GroupId"), request.get("GroupName"))
    side = list(group.egress if egress else group.ingress)
    added = parse_rules(request, sources_of(call, group), egress=egress)
    present = {identity(rule) for rule in side}
    for rule in added:
        if identity(rule) in present:
            raise DuplicatePermission(f'the specified rule "{words(rule)}" already exists')
    check_number([*side, *added])
    tags = tags_for("security-group-rule", request.get("TagSpecifications") or ())
    ids = {digest(group.group_id, egress, rule): f"sgr-0{call.ids.hex16()}" for rule in added}
    tagged = {key: tags for key in ids.values() if tags}
    group = put_rules(
        call,
        group,
        [*side, *added],
        egress,
        rule_tags=group.rule_tags | tagged,
        rule_ids=group.rule_ids | ids,
    )
    views = [_view(call, FlatRule(group, egress, rule)) for rule in added]
    return {"Return": True, "SecurityGroupRules": views}


def _revoke(call: Call, request: Any, *, egress: bool) -> Response:
    """By id, or by what the rules say. In a default VPC rules that are not there are no error but
    named in the answer; elsewhere nothing is removed ("RevokeSecurityGroupIngress", EC2 API)."""
    group = find_group(call, request.get("GroupId"), request.get("GroupName"))
    here = [rule for rule in flat_rules(group) if rule.egress == egress]
    unknown: list[Rule] = []
    if ids := request.get("SecurityGroupRuleIds"):
        gone = by_id(here, ids)
    else:
        asked = parse_rules(request, sources_of(call, group), egress=egress)
        wanted = {identity(rule) for rule in asked}
        gone = [flat for flat in here if identity(flat.rule) in wanted]
        found = {identity(flat.rule) for flat in gone}
        unknown = [rule for rule in asked if identity(rule) not in found]
    if unknown and group.vpc_id != default_vpc_id(call):
        raise PermissionNotFound
    gone_ids = {flat.id for flat in gone}
    kept = [flat.rule for flat in here if flat.id not in gone_ids]
    put_rules(
        call,
        group,
        kept,
        egress,
        rule_tags={k: v for k, v in group.rule_tags.items() if k not in gone_ids},
        rule_ids={k: v for k, v in group.rule_ids.items() if v not in gone_ids},
    )
    return {
        "Return": True,
        "UnknownIpPermissions": merged(unknown) or None,
        "RevokedSecurityGroupRules": [_revoked_view(flat) for flat in gone],
    }


def sources_of(call: Call, group: SecurityGroup) -> Sources:
    """The groups that its rules may name."""
    in_vpc = call.tx.find(SECURITY_GROUPS, "vpc", group.vpc_id)
    return Sources(call.platform.account_id, in_vpc)


def put_rules(
    call: Call, group: SecurityGroup, side: Sequence[Rule], egress: bool, **more: Any
) -> SecurityGroup:
    """Store the rules of one side, and more of the group."""
    change: dict[str, Any] = {"egress" if egress else "ingress": tuple(side)}
    return call.tx.put(SECURITY_GROUPS, msgspec.structs.replace(group, **change, **more))


OPERATIONS: dict[str, Handler] = {
    "DescribeSecurityGroupRules": describe_security_group_rules,
    "AuthorizeSecurityGroupIngress": authorize_ingress,
    "AuthorizeSecurityGroupEgress": authorize_egress,
    "RevokeSecurityGroupIngress": revoke_ingress,
    "RevokeSecurityGroupEgress": revoke_egress,
}
