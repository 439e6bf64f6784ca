"""Rules of security groups, as a user of boto3 sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.domain.vpc import SecurityGroup, Vpc
from homeport.store.schema import SECURITY_GROUPS, VPCS

VALUE = "InvalidParameterValue"
TEN: dict[str, Any] = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
WEB = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **TEN}


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ec2(api: Api) -> Any:
    return api.client("ec2")


@pytest.fixture
def group(ec2: Any) -> str:
    made = ec2.create_security_group(GroupName="web", Description="for tests")
    return str(made["GroupId"])


def test_a_security_group_lives_with_its_rules(ec2: Any) -> None:
    group = ec2.create_security_group(GroupName="web", Description="for tests")["GroupId"]
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
    }
    added = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    (view,) = added["SecurityGroupRules"]
    assert (view["CidrIpv4"], view["IsEgress"]) == ("10.0.0.0/8", False)
    assert view["Description"] == "inside"
    assert refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule]) == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" '
        "already exists",
    )
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert seen["IpPermissions"][0]["IpRanges"] == rule["IpRanges"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    assert {r["IsEgress"] for r in rules["SecurityGroupRules"]} == {True, False}
    ids = [view["SecurityGroupRuleId"]]
    revoked = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ids)
    assert [r["SecurityGroupRuleId"] for r in revoked["RevokedSecurityGroupRules"]] == ids
    code, _ = refusal(ec2.revoke_security_group_ingress, GroupId=group, SecurityGroupRuleIds=ids)
    assert code == "InvalidSecurityGroupRuleId.NotFound"
    ec2.delete_security_group(GroupId=group)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"IpProtocol": "tcp", **TEN}, VALUE),
        ({"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80, **TEN}, VALUE),
        ({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65536, **TEN}, VALUE),
        ({"IpProtocol": "icmp", **TEN}, VALUE),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": 0, **TEN}, VALUE),
        ({"IpProtocol": "smoke", **TEN}, VALUE),
        ({"IpProtocol": "256", **TEN}, VALUE),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.300/8"}]}, VALUE),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.1"}]}, VALUE),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "::/0"}]}, VALUE),
        (
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "\u00e9"}]},
            VALUE,
        ),
        ({"IpProtocol": "-1", "IpRanges": TEN["IpRanges"] * 2}, VALUE),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0"}]}, "InvalidGroup.NotFound"),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{}]}, "MissingParameter"),
        (
            {"IpProtocol": "-1", **TEN, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
            "InvalidPrefixListID.NotFound",
        ),
        ({"IpProtocol": "-1"}, "MissingParameter"),
        (TEN, "MissingParameter"),
    ],
)
def test_a_wrong_rule_is_refused(ec2: Any, rule: dict[str, Any], expected: str) -> None:
    group = ec2.create_security_group(GroupName="web", Description="for tests")["GroupId"]
    code, _ = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule])
    assert code == expected
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert seen["IpPermissions"] == []


def test_ranges_are_kept_in_canonical_form(ec2: Any, group: str) -> None:
    ranges = {
        "IpRanges": [{"CidrIp": "100.68.0.18/18"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::1/32"}],
    }
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", **ranges}]
    )
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    (permission,) = seen["IpPermissions"]
    assert permission["IpRanges"] == [{"CidrIp": "100.68.0.0/18"}]
    assert permission["Ipv6Ranges"] == [{"CidrIpv6": "2001:db8::/32"}]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"IpProtocol": "6", "FromPort": 1, "ToPort": 2}, ("tcp", 1, 2)),
        ({"IpProtocol": "UDP", "FromPort": 0, "ToPort": 65535}, ("udp", 0, 65535)),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, ("icmp", 8, -1)),
        ({"IpProtocol": "icmpv6"}, ("icmpv6", -1, -1)),
        ({"IpProtocol": "50", "FromPort": 1, "ToPort": 2}, ("50", -1, -1)),
        ({"IpProtocol": "-1", "FromPort": 1, "ToPort": 2}, ("-1", -1, -1)),
    ],
)
def test_protocols_have_one_spelling_and_ports_where_they_have_ports(
    ec2: Any, group: str, given: dict[str, Any], kept: tuple[str, int, int]
) -> None:
    added = ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[{**given, **TEN}])
    (rule,) = added["SecurityGroupRules"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == kept
    assert rule["IsEgress"] is True


def test_a_group_may_be_named_by_its_name(ec2: Any, group: str) -> None:
    (default,) = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    ec2.authorize_security_group_ingress(GroupName="web", SourceSecurityGroupName="default")
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    seen = [
        (r["IpProtocol"], r["FromPort"], r["ToPort"], r["ReferencedGroupInfo"]["GroupId"])
        for r in rules["SecurityGroupRules"]
        if not r["IsEgress"]
    ]
    assert sorted(seen) == [
        ("icmp", -1, -1, default["GroupId"]),
        ("tcp", 0, 65535, default["GroupId"]),
        ("udp", 0, 65535, default["GroupId"]),
    ]


def test_a_group_that_a_rule_of_another_names_stays(ec2: Any, group: str) -> None:
    other = ec2.create_security_group(GroupName="other", Description="x")["GroupId"]
    own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    for holder in (group, other):
        ec2.authorize_security_group_ingress(GroupId=holder, IpPermissions=[own])
    assert refusal(ec2.delete_security_group, GroupId=group) == (
        "DependencyViolation",
        f"resource {group} has a dependent object",
    )
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)


def test_rules_are_added_all_or_none(ec2: Any, group: str) -> None:
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[WEB])
    other = {**WEB, "FromPort": 443, "ToPort": 443}
    code, _ = refusal(
        ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[other, WEB]
    )
    assert code == "InvalidPermission.Duplicate"
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [p["FromPort"] for p in seen["IpPermissions"]] == [80]


def test_a_direction_has_sixty_rules_of_each_kind_of_address(ec2: Any, group: str) -> None:
    def add(**ranges: Any) -> Any:
        return ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "-1", **ranges}]
        )

    add(IpRanges=[{"CidrIp": f"10.{n}.0.0/16"} for n in range(60)])
    add(Ipv6Ranges=[{"CidrIpv6": f"2001:db8:{n:x}::/48"} for n in range(60)])
    assert refusal(add, IpRanges=[{"CidrIp": "10.60.0.0/16"}]) == (
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    )
    assert refusal(add, UserIdGroupPairs=[{"GroupId": group}])[0] == (
        "RulesPerSecurityGroupLimitExceeded"
    )


def test_shorthand_and_permissions_do_not_go_together(ec2: Any, group: str) -> None:
    code, message = refusal(
        ec2.authorize_security_group_ingress,
        GroupId=group,
        IpPermissions=[WEB],
        IpProtocol="tcp",
    )
    assert (code, "'ipProtocol'" in message) == ("InvalidParameterCombination", True)


def test_what_is_not_there_to_revoke_is_named_in_a_default_vpc(ec2: Any, group: str) -> None:
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[WEB])
    other = {**WEB, "FromPort": 443, "ToPort": 443}
    answer = ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[other, WEB])
    assert [p["FromPort"] for p in answer["UnknownIpPermissions"]] == [443]
    assert [r["FromPort"] for r in answer["RevokedSecurityGroupRules"]] == [80]
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert seen["IpPermissions"] == []


def test_what_is_not_there_to_revoke_is_an_error_in_any_other_vpc(api: Api, ec2: Any) -> None:
    with api.store.transaction() as tx:
        tx.put(VPCS, Vpc("vpc-1", "10.0.0.0/16"))
        tx.put(SECURITY_GROUPS, SecurityGroup("sg-1", "vpc-1", "web", "x"))
    ec2.authorize_security_group_ingress(GroupId="sg-1", IpPermissions=[WEB])
    other = {**WEB, "FromPort": 443, "ToPort": 443}
    assert refusal(
        ec2.revoke_security_group_ingress, GroupId="sg-1", IpPermissions=[other, WEB]
    ) == (
        "InvalidPermission.NotFound",
        "The specified rule does not exist in this security group.",
    )
    assert len(ec2.describe_security_group_rules()["SecurityGroupRules"]) == 3


def test_a_description_is_no_part_of_what_a_rule_is(ec2: Any, group: str) -> None:
    told = {**WEB, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[told])
    code, _ = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[WEB])
    assert code == "InvalidPermission.Duplicate"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[WEB])
    (seen,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert seen["IpPermissions"] == []


def test_rules_have_tags_as_long_as_they_are_there(ec2: Any, group: str) -> None:
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "stage", "Value": "test"}]}]
    added = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[WEB], TagSpecifications=tags
    )
    rule = added["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    ec2.create_tags(Resources=[rule], Tags=[{"Key": "owner", "Value": "me"}])
    by_tag = [{"Name": "tag:stage", "Values": ["test"]}]
    (seen,) = ec2.describe_security_group_rules(Filters=by_tag)["SecurityGroupRules"]
    assert {t["Key"]: t["Value"] for t in seen["Tags"]} == {"stage": "test", "owner": "me"}
    listed = ec2.describe_tags(Filters=by_tag)["Tags"]
    assert [(t["ResourceId"], t["ResourceType"]) for t in listed] == [(rule, "security-group-rule")]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    assert ec2.describe_tags()["Tags"] == []


def test_groups_are_found_by_what_their_rules_say(ec2: Any, group: str) -> None:
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[WEB])

    def found(name: str, value: str) -> list[str]:
        filters = [{"Name": name, "Values": [value]}]
        answer = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return sorted(g["GroupName"] for g in answer)

    assert found("ip-permission.cidr", "10.*") == ["web"]
    assert found("ip-permission.to-port", "80") == ["web"]
    assert found("ip-permission.protocol", "-1") == ["default"]
    assert found("egress.ip-permission.cidr", "0.0.0.0/0") == ["default", "web"]
    assert found("ip-permission.prefix-list-id", "*") == []
