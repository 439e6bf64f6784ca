"""What a user of boto3 sees of Parameter Store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal
from botocore.exceptions import ClientError

from homeport.store.schema import PARAMETER_VERSIONS

PASSWORD_ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/web/password"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ssm(api: Api) -> Any:
    client = api.client("ssm")
    client.put_parameter(Name="/web/password", Value="hunter2", Type="SecureString")
    return client


def value(ssm: Any, name: str, decrypt: bool = True) -> str:
    return str(ssm.get_parameter(Name=name, WithDecryption=decrypt)["Parameter"]["Value"])


def test_a_parameter_is_read_by_name_and_by_arn(ssm: Any) -> None:
    for name in ("/web/password", PASSWORD_ARN):
        parameter = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        assert parameter["Value"] == "hunter2"
        assert (parameter["Name"], parameter["ARN"]) == ("/web/password", PASSWORD_ARN)
        assert (parameter["Type"], parameter["Version"]) == ("SecureString", 1)


def test_without_decryption_a_secure_string_shows_no_plain_text(ssm: Any) -> None:
    assert "hunter2" not in value(ssm, "/web/password", decrypt=False)


def test_overwriting_makes_a_version_that_is_read_by_number_and_label(ssm: Any) -> None:
    exists = (
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the "
        "request to true.",
    )
    assert refusal(ssm.put_parameter, Name="/web/password", Value="x", Type="String") == exists
    made = ssm.put_parameter(Name="/web/password", Value="hunter3", Overwrite=True)
    assert (made["Version"], made["Tier"]) == (2, "Standard")
    ssm.label_parameter_version(Name="/web/password", ParameterVersion=1, Labels=["before"])
    assert value(ssm, "/web/password") == "hunter3"
    assert value(ssm, "/web/password:1") == "hunter2"
    assert value(ssm, f"{PASSWORD_ARN}:before") == "hunter2"
    selected = ssm.get_parameter(Name="/web/password:before")["Parameter"]
    assert selected["Selector"] == ":before"
    code, text = refusal(ssm.get_parameter, Name="/web/password:9")
    assert code == "ParameterVersionNotFound"
    assert "could not find version 9 of /web/password" in text
    history = ssm.get_parameter_history(Name="/web/password", WithDecryption=True)["Parameters"]
    assert [(p["Version"], p["Value"], p["Labels"]) for p in history] == [
        (1, "hunter2", ["before"]),
        (2, "hunter3", []),
    ]


def test_a_label_is_on_one_version_and_odd_labels_are_named(ssm: Any) -> None:
    ssm.put_parameter(Name="/web/password", Value="hunter3", Overwrite=True)
    ssm.label_parameter_version(Name="/web/password", ParameterVersion=1, Labels=["live"])
    answer = ssm.label_parameter_version(Name="/web/password", Labels=["live", "1st", "awsome"])
    assert answer["InvalidLabels"] == ["1st", "awsome"]
    assert answer["ParameterVersion"] == 2
    assert value(ssm, "/web/password:live") == "hunter3"
    removed = ssm.unlabel_parameter_version(
        Name="/web/password", ParameterVersion=2, Labels=["live", "no"]
    )
    assert (removed["RemovedLabels"], removed["InvalidLabels"]) == (["live"], ["no"])


def test_several_at_once_name_what_is_not_there(ssm: Any) -> None:
    answer = ssm.get_parameters(Names=["/web/password", "no", "/web/password:7"])
    assert [p["Name"] for p in answer["Parameters"]] == ["/web/password"]
    assert answer["InvalidParameters"] == ["no", "/web/password:7"]


def test_a_path_is_read_level_by_level_or_recursively_in_pages(ssm: Any) -> None:
    for name in ("/web/a", "/web/b/c", "/webber/d", "flat"):
        ssm.put_parameter(Name=name, Value="v", Type="String")

    def names(**more: Any) -> list[str]:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(**more)
        return [p["Name"] for page in pages for p in page["Parameters"]]

    assert names(Path="/web") == ["/web/a", "/web/password"]
    recursive = names(Path="/web", Recursive=True, PaginationConfig={"PageSize": 1})
    assert recursive == ["/web/a", "/web/b/c", "/web/password"]
    secure = [{"Key": "Type", "Values": ["SecureString"]}]
    assert names(Path="/", Recursive=True, ParameterFilters=secure) == ["/web/password"]
    assert refusal(ssm.get_parameters_by_path, Path="web")[0] == "ValidationException"


def test_descriptions_are_filtered_and_have_no_values(ssm: Any) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    ssm.put_parameter(Name="flat", Value="v", Type="String", Tags=tags, Description="d")

    def names(*filters: dict[str, Any]) -> list[str]:
        answer = ssm.describe_parameters(ParameterFilters=list(filters))
        assert all("Value" not in p for p in answer["Parameters"])
        return [p["Name"] for p in answer["Parameters"]]

    assert names() == ["/web/password", "flat"]
    assert names({"Key": "tag:team", "Values": ["a"]}) == ["flat"]
    assert names({"Key": "Name", "Option": "Contains", "Values": ["pass"]}) == ["/web/password"]
    assert names({"Key": "Path", "Option": "Recursive", "Values": ["/web"]}) == ["/web/password"]
    code, text = refusal(ssm.describe_parameters, ParameterFilters=[{"Key": "x", "Values": ["y"]}])
    assert code == "InvalidFilterKey"
    assert "x" in text
    (described,) = ssm.describe_parameters(Filters=[{"Key": "Name", "Values": ["fl"]}])[
        "Parameters"
    ]
    assert (described["Description"], described["Version"]) == ("d", 1)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ssm-x", "ValidationException"),
        ("aws-x", "ValidationException"),
        ("/aws/x", "AccessDeniedException"),
        ("a b", "ValidationException"),
        ("a/b", "ValidationException"),
        ("/" + "/".join("x" * 16), "HierarchyLevelLimitExceededException"),
        ("x" * 1200, "ValidationException"),
    ],
)
def test_names_that_no_parameter_can_have(ssm: Any, name: str, code: str) -> None:
    assert refusal(ssm.put_parameter, Name=name, Value="v", Type="String")[0] == code


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "ValidationException"),
        ({"Type": "Strange"}, "UnsupportedParameterType"),
        ({"Type": "String", "Value": ""}, "ValidationException"),
        ({"Type": "String", "Value": "v" * 4097}, "ValidationException"),
        ({"Type": "String", "Value": "v" * 8193, "Tier": "Advanced"}, "ValidationException"),
        ({"Type": "String", "AllowedPattern": "^[0-9]+$"}, "ParameterPatternMismatchException"),
        ({"Type": "String", "AllowedPattern": "("}, "InvalidAllowedPatternException"),
        ({"Type": "SecureString", "KeyId": "alias/mine"}, "InvalidKeyId"),
        ({"Type": "String", "DataType": "aws:ec2:image"}, "ValidationException"),
        ({"Type": "String", "Policies": '[{"Type":"Expiration"}]'}, "InvalidPolicyTypeException"),
    ],
)
def test_what_is_refused_stores_nothing(
    api: Api, ssm: Any, more: dict[str, Any], code: str
) -> None:
    arguments = {"Name": "new", "Value": "hunter9", **more}
    found, text = refusal(ssm.put_parameter, **arguments)
    assert found == code
    assert "hunter9" not in text
    assert refusal(ssm.get_parameter, Name="new")[0] == "ParameterNotFound"


def test_a_type_never_changes_and_a_tier_never_shrinks(ssm: Any) -> None:
    code, _ = refusal(
        ssm.put_parameter, Name="/web/password", Value="x", Type="String", Overwrite=True
    )
    assert code == "HierarchyTypeMismatchException"
    large = ssm.put_parameter(
        Name="large", Value="v" * 5000, Type="String", Tier="Intelligent-Tiering"
    )
    assert large["Tier"] == "Advanced"
    code, text = refusal(
        ssm.put_parameter, Name="large", Value="v", Tier="Standard", Overwrite=True
    )
    assert (code, "can't downgrade" in text) == ("ValidationException", True)


def test_of_a_hundred_versions_the_oldest_goes_unless_it_has_a_label(ssm: Any) -> None:
    for number in range(2, 102):
        ssm.put_parameter(Name="/web/password", Value=str(number), Overwrite=True)
    assert refusal(ssm.get_parameter, Name="/web/password:1")[0] == "ParameterVersionNotFound"
    ssm.label_parameter_version(Name="/web/password", ParameterVersion=2, Labels=["keep"])
    code, text = refusal(ssm.put_parameter, Name="/web/password", Value="x", Overwrite=True)
    assert code == "ParameterMaxVersionLimitExceeded"
    assert "Version 2, the oldest version" in text


def test_tags(ssm: Any) -> None:
    named = {"ResourceType": "Parameter", "ResourceId": "/web/password"}
    ssm.add_tags_to_resource(**named, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ssm.remove_tags_from_resource(**named, TagKeys=["a"])
    assert ssm.list_tags_for_resource(**named)["TagList"] == [{"Key": "b", "Value": "2"}]
    missing = {"ResourceType": "Parameter", "ResourceId": "no"}
    assert refusal(ssm.list_tags_for_resource, **missing)[0] == "InvalidResourceId"


def test_deleting_takes_every_version(api: Api, ssm: Any) -> None:
    ssm.put_parameter(Name="/web/password", Value="x", Overwrite=True)
    ssm.put_parameter(Name="other", Value="x", Type="String")
    answer = ssm.delete_parameters(Names=["/web/password", "no"])
    assert (answer["DeletedParameters"], answer["InvalidParameters"]) == (["/web/password"], ["no"])
    ssm.delete_parameter(Name="other")
    assert refusal(ssm.delete_parameter, Name="other")[0] == "ParameterNotFound"
    with api.store.transaction() as tx:
        assert tx.all(PARAMETER_VERSIONS) == []


def test_a_value_is_in_no_record_and_in_no_refusal(api: Api, ssm: Any) -> None:
    with api.store.transaction() as tx:
        assert "hunter2" not in repr(tx.all(PARAMETER_VERSIONS))
    with pytest.raises(ClientError) as refused:
        api.client("secretsmanager").create_secret(Name="s", SecretString="hunter2" * 10_000)
    assert "hunter2" not in str(refused.value)
