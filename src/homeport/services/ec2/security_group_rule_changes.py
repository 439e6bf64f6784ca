"""Rules of security groups changed in place: what they say, and what is said about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeport.services.call import Call, Handler, Response

from .errors import (
    DuplicatePermission,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    PermissionNotFound,
)
from .permissions import (
    Rule,
    Sources,
    check_number,
    described,
    digest,
    identity,
    parse_rules,
    source,
    words,
)
from .security_group_rules import FlatRule, by_id, flat_rules, put_rules, sources_of
from .security_groups import find_group

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        ModifySecurityGroupRulesRequestTypeDef,
        UpdateSecurityGroupRuleDescriptionsEgressRequestTypeDef,
        UpdateSecurityGroupRuleDescriptionsIngressRequestTypeDef,
    )

SOURCES = {
    "CidrIpv4": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "ReferencedGroupId": ("UserIdGroupPairs", "GroupId"),
    "PrefixListId": ("PrefixListIds", "PrefixListId"),
}
"""A member of SecurityGroupRuleRequest → where IpPermissions have it."""


def modify_security_group_rules(
    call: Call, request: ModifySecurityGroupRulesRequestTypeDef
) -> Response:
    """Makes rules say something else: all or none. Each keeps its id, tags and direction."""
    group = find_group(call, request["GroupId"])
    sources = sources_of(call, group)
    for update in request["SecurityGroupRules"]:
        (old,) = by_id(flat_rules(group), [update["SecurityGroupRuleId"]])
        new = _parse(update.get("SecurityGroupRule") or {}, sources, egress=old.egress)
        _replace(call, old, new)
        group = find_group(call, group.group_id)
    return {"Return": True}


def _parse(given: Mapping[str, Any], sources: Sources, *, egress: bool) -> Rule:
    named = [name for name in SOURCES if given.get(name)]
    if len(named) != 1:
        raise InvalidParameterValue(
            "A security group rule must have exactly one of cidrIpv4, cidrIpv6, "
            "referencedGroupId and prefixListId"
        )
    member, name = SOURCES[named[0]]
    item = {name: given[named[0]]}
    if given.get("Description") is not None:
        item["Description"] = given["Description"]
    ports = {k: given[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in given}
    (rule,) = parse_rules({"IpPermissions": [{**ports, member: [item]}]}, sources, egress=egress)
    return rule


def _replace(call: Call, old: FlatRule, new: Rule) -> None:
    group = old.group
    side = group.egress if old.egress else group.ingress
    others = [rule for rule in side if identity(rule) != identity(old.rule)]
    if any(identity(rule) == identity(new) for rule in others):
        raise DuplicatePermission(f'the specified rule "{words(new)}" already exists')
    replaced = [new if identity(rule) == identity(old.rule) else rule for rule in side]
    check_number(replaced)
    before = digest(group.group_id, old.egress, old.rule)
    ids = {key: value for key, value in group.rule_ids.items() if key != before}
    ids[digest(group.group_id, old.egress, new)] = old.id
    put_rules(call, group, replaced, old.egress, rule_ids=ids)


def update_descriptions_ingress(
    call: Call, request: UpdateSecurityGroupRuleDescriptionsIngressRequestTypeDef
) -> Response:
    """Describes rules anew; what has no description loses it."""
    return _update(call, request, egress=False)


def update_descriptions_egress(
    call: Call, request: UpdateSecurityGroupRuleDescriptionsEgressRequestTypeDef
) -> Response:
    """Describes rules anew; what has no description loses it."""
    return _update(call, request, egress=True)


def _update(call: Call, request: Any, *, egress: bool) -> Response:
    group = find_group(call, request.get("GroupId"), request.get("GroupName"))
    here = [rule for rule in flat_rules(group) if rule.egress == egress]
    listed = request.get("SecurityGroupRuleDescriptions") or ()
    if listed and request.get("IpPermissions"):
        raise InvalidParameterCombination(
            "The parameter 'ipPermissions' may not be used in combination with "
            "'securityGroupRuleDescriptions'"
        )
    texts: dict[bytes, str | None] = {}
    for update in listed:
        if not update.get("SecurityGroupRuleId"):
            raise MissingParameter("The request must contain the parameter securityGroupRuleId")
        (rule,) = by_id(here, [update["SecurityGroupRuleId"]])
        texts[identity(rule.rule)] = update.get("Description")
    if not listed:
        present = {identity(rule.rule) for rule in here}
        for asked in parse_rules(request, sources_of(call, group), egress=egress):
            if identity(asked) not in present:
                raise PermissionNotFound
            texts[identity(asked)] = source(asked).get("Description")
    side = [
        described(rule.rule, texts[identity(rule.rule)])
        if identity(rule.rule) in texts
        else rule.rule
        for rule in here
    ]
    put_rules(call, group, side, egress)
    return {"Return": True}


OPERATIONS: dict[str, Handler] = {
    "ModifySecurityGroupRules": modify_security_group_rules,
    "UpdateSecurityGroupRuleDescriptionsIngress": update_descriptions_ingress,
    "UpdateSecurityGroupRuleDescriptionsEgress": update_descriptions_egress,
}
