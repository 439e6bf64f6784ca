r"""Filters: wildcards against a plain model of them, and every name that EC2 documents."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from homeport.services.ec2.filters import matches, parse_pattern

OPERATIONS = {
    "DescribeVpcs": "describe_vpcs",
    "DescribeSubnets": "describe_subnets",
    "DescribeSecurityGroups": "describe_security_groups",
    "DescribeSecurityGroupRules": "describe_security_group_rules",
    "DescribeAvailabilityZones": "describe_availability_zones",
    "DescribeRegions": "describe_regions",
    "DescribeTags": "describe_tags",
    "DescribeInstances": "describe_instances",
    "DescribeInternetGateways": "describe_internet_gateways",
    "DescribeRouteTables": "describe_route_tables",
    "DescribeAddresses": "describe_addresses",
    "DescribeNatGateways": "describe_nat_gateways",
    "DescribeNetworkAcls": "describe_network_acls",
    "DescribeDhcpOptions": "describe_dhcp_options",
    "DescribePrefixLists": "describe_prefix_lists",
    "DescribeManagedPrefixLists": "describe_managed_prefix_lists",
    "DescribeVpcPeeringConnections": "describe_vpc_peering_connections",
    "DescribeVpnGateways": "describe_vpn_gateways",
    "DescribeVpcEndpoints": "describe_vpc_endpoints",
    "DescribeVpcEndpointServices": "describe_vpc_endpoint_services",
}


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    api = Api()
    yield api.client("ec2")
    api.close()


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("web", "web", True),
        ("web", "Web", False),
        ("web", "web2", False),
        ("web?", "web2", True),
        ("web?", "web", False),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("a*c*e", "abcde", True),
        ("a*c*e", "abcdef", False),
        ("**b", "aab", True),
        ("a.c", "abc", False),
        (r"\*amazon\?\\", "*amazon?\\", True),
        (r"\*", "x", False),
        ("\\", "\\", True),
    ],
)
def test_a_wildcard_stands_for_what_the_guide_says(pattern: str, text: str, holds: bool) -> None:
    assert matches(parse_pattern(pattern), text) is holds


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=14))
def test_wildcards_mean_what_the_same_regular_expression_means(pattern: str, text: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(c, c) for c in pattern)
    assert matches(parse_pattern(pattern), text) == bool(re.fullmatch(expression, text))


def test_no_pattern_takes_long() -> None:
    started = time.process_time()
    assert not matches(parse_pattern("a*" * 100 + "b"), "a" * 255)
    assert time.process_time() - started < 1.0


def documented_filters() -> Iterator[tuple[str, str]]:
    model = Loader().load_service_model("ec2", "service-2")
    for operation, method in OPERATIONS.items():
        shape = model["shapes"][model["operations"][operation]["input"]["shape"]]
        member = "Filter" if "Filter" in shape["members"] else "Filters"
        text = shape["members"][member]["documentation"]
        for name in re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", text):
            # "tag:<key>", in the documentation sometimes with only "tag" as code
            yield method, "tag:stage" if name.startswith("tag") and name != "tag-key" else name


@pytest.mark.parametrize(("method", "name"), list(documented_filters()))
def test_every_filter_that_ec2_documents_is_known(ec2: Any, method: str, name: str) -> None:
    answer = getattr(ec2, method)(Filters=[{"Name": name, "Values": ["nothing has this value"]}])
    lists = [value for value in answer.values() if isinstance(value, list)]
    assert lists
    assert not any(lists)


@pytest.mark.parametrize("method", OPERATIONS.values())
@pytest.mark.parametrize("name", ["colour", "Vpc-Id", "tag"])
def test_any_other_filter_is_refused_by_name(ec2: Any, method: str, name: str) -> None:
    assert refusal(getattr(ec2, method), Filters=[{"Name": name, "Values": ["x"]}]) == (
        "InvalidParameterValue",
        f"The filter '{name}' is invalid",
    )


def test_all_filters_must_hold_and_any_value_of_each(ec2: Any) -> None:
    def zones(**filters: list[str]) -> list[str]:
        given = [{"Name": n.replace("_", "-"), "Values": v} for n, v in filters.items()]
        return [
            z["ZoneName"]
            for z in ec2.describe_availability_zones(Filters=given)["AvailabilityZones"]
        ]

    assert zones(zone_name=["*a", "*b"]) == ["us-east-1a", "us-east-1b"]
    assert zones(zone_name=["*a", "*b"], zone_id=["use1-az2", "use1-az3"]) == ["us-east-1b"]


def test_a_filter_has_at_most_two_hundred_values(ec2: Any) -> None:
    filters = [{"Name": "vpc-id", "Values": [f"vpc-{n}" for n in range(201)]}]
    assert refusal(ec2.describe_vpcs, Filters=filters)[0] == "FilterLimitExceeded"
