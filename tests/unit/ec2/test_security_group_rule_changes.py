"""Rules of security groups changed in place, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import refusal
from network_world import NetworkWorld, network_world

WEB = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
TLS = {**WEB, "FromPort": 443, "ToPort": 443}
ANYWHERE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "0.0.0.0/0"}


@pytest.fixture
def world() -> Iterator[NetworkWorld]:
    world = network_world()
    yield world
    world.api.close()


@pytest.fixture
def group(world: NetworkWorld) -> str:
    made = world.ec2.create_security_group(GroupName="web", Description="d", VpcId=world.vpc)
    return str(made["GroupId"])


def authorize(world: NetworkWorld, group: str, *rules: Any, **more: Any) -> list[str]:
    added = world.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=list(rules), **more
    )
    return [rule["SecurityGroupRuleId"] for rule in added["SecurityGroupRules"]]


def ingress(world: NetworkWorld, group: str) -> list[dict[str, Any]]:
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = world.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return [rule for rule in rules if not rule["IsEgress"]]


def modify(world: NetworkWorld, group: str, rule: str, **said: Any) -> dict[str, Any]:
    update = {"SecurityGroupRuleId": rule, "SecurityGroupRule": said}
    return {"GroupId": group, "SecurityGroupRules": [update]}


def test_a_modified_rule_keeps_its_id_and_its_tags(world: NetworkWorld, group: str) -> None:
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "a", "Value": "b"}]}]
    (rule,) = authorize(world, group, WEB, TagSpecifications=tags)
    world.ec2.modify_security_group_rules(
        **modify(world, group, rule, **ANYWHERE, Description="tls")
    )
    (seen,) = ingress(world, group)
    assert seen["SecurityGroupRuleId"] == rule
    assert (seen["FromPort"], seen["CidrIpv4"], seen["Description"]) == (443, "0.0.0.0/0", "tls")
    assert seen["Tags"] == [{"Key": "a", "Value": "b"}]
    (again,) = authorize(world, group, WEB)
    assert again != rule
    world.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    assert [r["SecurityGroupRuleId"] for r in ingress(world, group)] == [again]


def test_the_rule_of_a_new_group_can_be_modified(world: NetworkWorld, group: str) -> None:
    filters = [{"Name": "group-id", "Values": [group]}]
    (egress,) = world.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    rule = egress["SecurityGroupRuleId"]
    said = {"IpProtocol": "-1", "ReferencedGroupId": group}
    world.ec2.modify_security_group_rules(**modify(world, group, rule, **said))
    (egress,) = world.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert egress["SecurityGroupRuleId"] == rule
    assert egress["ReferencedGroupInfo"]["GroupId"] == group


@pytest.mark.parametrize(
    ("said", "code", "word"),
    [
        ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}, "InvalidParameterValue", "cidrIpv4"),
        (
            {**ANYWHERE, "CidrIpv6": "::/0"},
            "InvalidParameterValue",
            "exactly one",
        ),
        ({**ANYWHERE, "FromPort": 444}, "InvalidParameterValue", "(444, 443)"),
        ({**ANYWHERE, "CidrIpv4": "x"}, "InvalidParameterValue", "x"),
        ({"IpProtocol": "-1", "ReferencedGroupId": "sg-0"}, "InvalidGroup.NotFound", "sg-0"),
        ({"IpProtocol": "-1", "PrefixListId": "pl-0"}, "InvalidPrefixListID.NotFound", "pl-0"),
        ({**ANYWHERE, "CidrIpv4": "10.0.0.0/8"}, "InvalidPermission.Duplicate", "443"),
    ],
)
def test_a_rule_is_not_modified_into_a_wrong_one(
    world: NetworkWorld, group: str, said: dict[str, Any], code: str, word: str
) -> None:
    rule, _ = authorize(world, group, WEB, TLS)
    before = ingress(world, group)
    refused, message = refusal(
        world.ec2.modify_security_group_rules, **modify(world, group, rule, **said)
    )
    assert (refused, word in message) == (code, True), message
    assert ingress(world, group) == before


def test_rules_are_modified_all_or_none(world: NetworkWorld, group: str) -> None:
    (rule,) = authorize(world, group, WEB)
    before = ingress(world, group)
    both = [
        {"SecurityGroupRuleId": rule, "SecurityGroupRule": ANYWHERE},
        {"SecurityGroupRuleId": "sgr-0", "SecurityGroupRule": ANYWHERE},
    ]
    code, _ = refusal(world.ec2.modify_security_group_rules, GroupId=group, SecurityGroupRules=both)
    assert code == "InvalidSecurityGroupRuleId.NotFound"
    assert ingress(world, group) == before


def test_descriptions_are_changed_by_rule_and_by_id(world: NetworkWorld, group: str) -> None:
    update = world.ec2.update_security_group_rule_descriptions_ingress
    web, tls = authorize(world, group, WEB, TLS)
    told = {**WEB, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}]}
    assert update(GroupId=group, IpPermissions=[told])["Return"] is True
    update(
        GroupId=group,
        SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": tls, "Description": "tls"}],
    )
    seen = {r["SecurityGroupRuleId"]: r.get("Description") for r in ingress(world, group)}
    assert seen == {web: "inside", tls: "tls"}
    update(GroupId=group, IpPermissions=[WEB])
    seen = {r["SecurityGroupRuleId"]: r.get("Description") for r in ingress(world, group)}
    assert seen == {web: None, tls: "tls"}
    other = {**WEB, "ToPort": 81}
    assert refusal(update, GroupId=group, IpPermissions=[other])[0] == "InvalidPermission.NotFound"
    assert refusal(update, GroupId=group)[0] == "MissingParameter"
    wrong = [{"SecurityGroupRuleId": web, "Description": "\u00e9"}]
    refused = refusal(update, GroupId=group, SecurityGroupRuleDescriptions=wrong)
    assert refused[0] == "InvalidParameterValue"


def test_what_goes_out_is_described_too(world: NetworkWorld, group: str) -> None:
    told = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]}
    world.ec2.update_security_group_rule_descriptions_egress(GroupId=group, IpPermissions=[told])
    (seen,) = world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert seen["IpPermissionsEgress"][0]["IpRanges"][0]["Description"] == "all"
