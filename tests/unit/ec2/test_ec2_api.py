"""What a user of boto3 sees of the default VPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.services.ec2.default_vpc import zone_id


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ec2(api: Api) -> Any:
    return api.client("ec2")


def test_every_account_has_a_default_vpc(ec2: Any) -> None:
    filters = [{"Name": "is-default", "Values": ["true"]}]
    (vpc,) = ec2.describe_vpcs(Filters=filters)["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])
    assert [
        (s["AvailabilityZone"], s["CidrBlock"], s["AvailableIpAddressCount"])
        for s in subnets["Subnets"]
    ] == [
        ("us-east-1a", "172.31.0.0/20", 4091),
        ("us-east-1b", "172.31.16.0/20", 4091),
        ("us-east-1c", "172.31.32.0/20", 4091),
    ]
    (group,) = ec2.describe_security_groups()["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]


def test_zones_have_names_and_ids(ec2: Any) -> None:
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(z["ZoneName"], z["ZoneId"]) for z in zones] == [
        ("us-east-1a", "use1-az1"),
        ("us-east-1b", "use1-az2"),
        ("us-east-1c", "use1-az3"),
    ]
    assert zone_id("ap-southeast-2b") == "aps2-az2"
    assert ec2.describe_regions()["Regions"][0]["RegionName"] == "us-east-1"
    attributes = ec2.describe_account_attributes()["AccountAttributes"]
    assert {a["AttributeName"] for a in attributes} == {
        "default-vpc",
        "supported-platforms",
        "vpc-max-security-groups-per-interface",
    }


def test_filters_match_by_wildcards_and_refuse_unknown_names(ec2: Any) -> None:
    def zones(*values: str) -> int:
        filters = [{"Name": "availability-zone", "Values": list(values)}]
        return len(ec2.describe_subnets(Filters=filters)["Subnets"])

    assert zones("us-east-1?") == 3
    assert zones("*a", "*b") == 2
    assert zones("us.east*") == 0
    assert refusal(ec2.describe_subnets, Filters=[{"Name": "colour", "Values": ["x"]}]) == (
        "InvalidParameterValue",
        "The filter 'colour' is invalid",
    )


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("describe_vpcs", {"VpcIds": ["vpc-0"]}, "InvalidVpcID.NotFound"),
        ("describe_subnets", {"SubnetIds": ["subnet-0"]}, "InvalidSubnetID.NotFound"),
        ("describe_security_groups", {"GroupIds": ["sg-0"]}, "InvalidGroup.NotFound"),
        ("delete_security_group", {"GroupId": "sg-0"}, "InvalidGroup.NotFound"),
        ("describe_security_groups", {"GroupNames": ["none"]}, "InvalidGroup.NotFound"),
        (
            "describe_security_group_rules",
            {"SecurityGroupRuleIds": ["sgr-0"]},
            "InvalidSecurityGroupRuleId.NotFound",
        ),
        (
            "describe_vpc_attribute",
            {"VpcId": "vpc-0", "Attribute": "enableDnsSupport"},
            "InvalidVpcID.NotFound",
        ),
    ],
)
def test_what_does_not_exist_is_named(
    ec2: Any, operation: str, arguments: dict[str, Any], code: str
) -> None:
    refused, message = refusal(getattr(ec2, operation), **arguments)
    assert refused == code
    assert "does not exist" in message


def test_a_group_name_is_looked_for_in_the_default_vpc(ec2: Any) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    assert refusal(ec2.delete_security_group, GroupName="none") == (
        "InvalidGroup.NotFound",
        f"The security group 'none' does not exist in default VPC '{vpc}'",
    )
    assert refusal(ec2.delete_security_group, GroupId="web") == (
        "InvalidGroupId.Malformed",
        'Invalid id: "web" (expecting "sg-...")',
    )
    code, message = refusal(ec2.delete_security_group)
    assert (code, "groupId" in message) == ("MissingParameter", True)


@pytest.mark.parametrize(
    ("name", "description", "word"),
    [
        ("default", "x", "reserved"),
        ("sg-web", "x", "sg-*"),
        ("w\u00e9b", "x", "GroupName"),
        ("web", "no \u00e9", "GroupDescription"),
        ("web", "x" * 256, "GroupDescription"),
    ],
)
def test_a_wrong_name_or_description_is_refused(
    ec2: Any, name: str, description: str, word: str
) -> None:
    code, message = refusal(ec2.create_security_group, GroupName=name, Description=description)
    assert (code, word in message) == ("InvalidParameterValue", True), message


def test_the_attributes_of_the_default_vpc(ec2: Any) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]] == {"Value": True}


def test_lists_are_paged(ec2: Any) -> None:
    for number in range(7):
        ec2.create_security_group(GroupName=f"web{number}", Description="for tests")
    pages = ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["SecurityGroups"]) for page in pages] == [5, 3]
    assert refusal(ec2.describe_vpcs, MaxResults=1001)[0] == "InvalidParameterValue"
    assert refusal(ec2.describe_vpcs, NextToken="none")[0] == "InvalidNextToken"


def test_a_group_in_use_and_the_default_group_stay(api: Api, ec2: Any) -> None:
    group = ec2.create_security_group(GroupName="web", Description="for tests")["GroupId"]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    api.client("elbv2").create_load_balancer(
        Name="web", Subnets=subnets[:2], SecurityGroups=[group]
    )
    assert refusal(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    assert refusal(ec2.delete_security_group, GroupName="default")[0] == "CannotDelete"
    code, message = refusal(ec2.create_security_group, GroupName="WEB", Description="again")
    assert (code, "already exists for VPC" in message) == ("InvalidGroup.Duplicate", True)


def test_a_dry_run_changes_nothing(ec2: Any) -> None:
    code, message = refusal(
        ec2.create_security_group, GroupName="web", Description="for tests", DryRun=True
    )
    assert (code, "would have succeeded" in message) == ("DryRunOperation", True)
    assert len(ec2.describe_security_groups()["SecurityGroups"]) == 1


def test_tags_are_set_found_and_removed(ec2: Any) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "stage", "Value": "test"}])
    found = ec2.describe_vpcs(Filters=[{"Name": "tag:stage", "Values": ["te*"]}])["Vpcs"]
    assert [v["VpcId"] for v in found] == [vpc]
    (tag,) = ec2.describe_tags()["Tags"]
    assert tag == {"ResourceId": vpc, "ResourceType": "vpc", "Key": "stage", "Value": "test"}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "stage", "Value": "live"}])
    assert ec2.describe_tags()["Tags"] == [tag]
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "stage"}])
    assert ec2.describe_tags()["Tags"] == []


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("vpc-0", "InvalidVpcID.NotFound"),
        ("subnet-0", "InvalidSubnetID.NotFound"),
        ("sg-0", "InvalidGroup.NotFound"),
        ("sgr-0", "InvalidSecurityGroupRuleId.NotFound"),
        ("i-0", "InvalidInstanceID.NotFound"),
        ("zebra-0", "InvalidID"),
    ],
)
def test_what_is_not_there_is_not_tagged_and_nothing_else_either(
    ec2: Any, resource: str, code: str
) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    refused, message = refusal(ec2.create_tags, Resources=[vpc, resource], Tags=[{"Key": "a"}])
    assert (refused, resource in message) == (code, True)
    assert ec2.describe_tags()["Tags"] == []


@pytest.mark.parametrize(
    ("tags", "code", "word"),
    [
        ([{"Key": "aws:stage", "Value": "x"}], "InvalidParameterValue", "aws:"),
        ([{"Key": "k" * 129, "Value": "x"}], "InvalidParameterValue", "key"),
        ([{"Key": "k", "Value": "x" * 257}], "InvalidParameterValue", "value"),
        ([{"Key": "k"}, {"Key": "k"}], "InvalidParameterValue", "'k'"),
        ([{"Key": f"k{n}"} for n in range(51)], "TagLimitExceeded", "Tags"),
    ],
)
def test_wrong_tags_are_refused(ec2: Any, tags: list[dict[str, str]], code: str, word: str) -> None:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    refused, message = refusal(ec2.create_tags, Resources=[vpc], Tags=tags)
    assert (refused, word in message) == (code, True), message
