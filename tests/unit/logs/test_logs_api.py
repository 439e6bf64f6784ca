"""What a user of boto3 sees of log groups and streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

GROUP_ARN = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/web"


@pytest.fixture
def logs() -> Iterator[Any]:
    api = Api()
    yield api.client("logs")
    api.close()


@pytest.fixture
def web(logs: Any) -> str:
    logs.create_log_group(logGroupName="/ecs/web", tags={"team": "a"})
    return "/ecs/web"


def test_a_group_is_described_as_aws_describes_it(logs: Any, web: str) -> None:
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/ecs/")["logGroups"]
    assert group["logGroupName"] == web
    assert (group["arn"], group["logGroupArn"]) == (f"{GROUP_ARN}:*", GROUP_ARN)
    assert "retentionInDays" not in group


def test_a_group_is_made_once_and_must_be_there(logs: Any, web: str) -> None:
    assert refusal(logs.create_log_group, logGroupName=web) == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    missing = ("ResourceNotFoundException", "The specified log group does not exist.")
    assert refusal(logs.delete_log_group, logGroupName="no") == missing
    assert refusal(logs.create_log_stream, logGroupName="no", logStreamName="s") == missing
    assert refusal(logs.describe_log_streams, logGroupName="no") == missing


@pytest.mark.parametrize(
    "arguments",
    [
        {"logGroupName": "a b"},
        {"logGroupName": "a", "kmsKeyId": "k"},
        {"logGroupName": "a", "logGroupClass": "DELIVERY"},
    ],
)
def test_a_group_that_can_not_be_is_refused(logs: Any, arguments: dict[str, str]) -> None:
    code, _ = refusal(logs.create_log_group, **arguments)
    assert code == "InvalidParameterException"
    assert logs.describe_log_groups()["logGroups"] == []


def test_groups_are_found_by_prefix_part_and_page(logs: Any) -> None:
    for number in range(60):
        logs.create_log_group(logGroupName=f"/g/{number:02d}")
    pages = list(logs.get_paginator("describe_log_groups").paginate())
    assert [len(page["logGroups"]) for page in pages] == [50, 10]
    found = logs.describe_log_groups(logGroupNamePattern="/07")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/g/07"]


def test_retention_is_one_of_the_numbers_of_aws(logs: Any, web: str) -> None:
    logs.put_retention_policy(logGroupName=web, retentionInDays=14)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 14
    code, text = refusal(logs.put_retention_policy, logGroupName=web, retentionInDays=2)
    assert (code, "'retentionInDays'" in text) == ("InvalidParameterException", True)
    logs.delete_retention_policy(logGroupName=web)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_a_protected_group_stays(logs: Any) -> None:
    logs.create_log_group(logGroupName="kept", deletionProtectionEnabled=True)
    assert refusal(logs.delete_log_group, logGroupName="kept")[0] == "ValidationException"


def test_streams_are_listed_by_name_in_both_directions(logs: Any, web: str) -> None:
    for name in ("app/b", "app/a", "app/ab", "side/a"):
        logs.create_log_stream(logGroupName=web, logStreamName=name)
    assert streams(logs) == ["app/a", "app/ab", "app/b", "side/a"]
    assert streams(logs, logStreamNamePrefix="app/a") == ["app/a", "app/ab"]
    assert streams(logs, descending=True) == ["side/a", "app/b", "app/ab", "app/a"]
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=web, descending=True, PaginationConfig={"PageSize": 3}
    )
    assert [len(page["logStreams"]) for page in pages] == [3, 1]


def test_a_stream_is_made_once_and_must_be_there(logs: Any, web: str) -> None:
    names = {"logGroupName": web, "logStreamName": "s"}
    logs.create_log_stream(**names)
    assert refusal(logs.create_log_stream, **names) == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )
    logs.delete_log_stream(**names)
    assert refusal(logs.delete_log_stream, **names) == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
    invalid = refusal(logs.create_log_stream, logGroupName=web, logStreamName="a:b")
    assert invalid[0] == "InvalidParameterException"


def test_streams_go_with_their_group(logs: Any, web: str) -> None:
    logs.create_log_stream(logGroupName=web, logStreamName="s")
    logs.delete_log_group(logGroupName=web)
    logs.create_log_group(logGroupName=web)
    assert streams(logs) == []


def test_tags_by_arn_and_by_name_are_the_same_tags(logs: Any, web: str) -> None:
    logs.tag_resource(resourceArn=GROUP_ARN, tags={"team": "b", "x": "1"})
    assert logs.list_tags_log_group(logGroupName=web)["tags"] == {"team": "b", "x": "1"}
    logs.untag_log_group(logGroupName=web, tags=["x", "none"])
    logs.tag_log_group(logGroupName=web, tags={"y": "2"})
    logs.untag_resource(resourceArn=GROUP_ARN, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=GROUP_ARN)["tags"] == {"y": "2"}
    code, _ = refusal(logs.list_tags_for_resource, resourceArn=GROUP_ARN + "2")
    assert code == "ResourceNotFoundException"


def test_a_group_has_at_most_fifty_tags(logs: Any, web: str) -> None:
    tags = {f"k{number}": "" for number in range(50)}
    code, _ = refusal(logs.tag_log_group, logGroupName=web, tags=tags)
    assert code == "InvalidParameterException"
    assert logs.list_tags_log_group(logGroupName=web)["tags"] == {"team": "a"}


def streams(logs: Any, **arguments: Any) -> list[str]:
    found = logs.describe_log_streams(logGroupName="/ecs/web", **arguments)["logStreams"]
    return [stream["logStreamName"] for stream in found]
