"""Attributes of container instances and account settings, as a user of boto3 sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ACCOUNT, Api, refusal
from botocore.model import StringShape

from homeport.services.ecs import account_settings
from homeport.wire import model

INSTANCE = f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/default/1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SOMEBODY = f"arn:aws:iam::{ACCOUNT}:user/somebody"
OTHER = f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/other/1"


@pytest.fixture
def ecs() -> Iterator[Any]:
    from homeport.domain.container_instance import ContainerInstance
    from homeport.store.schema import CONTAINER_INSTANCES

    api = Api()
    client = api.client("ecs")
    client.create_cluster()
    instance = ContainerInstance(
        arn=INSTANCE,
        cluster_arn=f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/default",
        ec2_instance_id="i-0",
        private_ip="10.0.0.1",
        availability_zone="us-east-1a",
        registered_at=0.0,
        cpu=1024,
        memory=1024,
        agent_attributes=(("ecs.os-type", "linux"), ("site", "cellar")),
    )
    with api.store.transaction() as tx:
        tx.put(CONTAINER_INSTANCES, instance)
    yield client
    api.close()


def target(name: str, value: str | None = None) -> dict[str, str]:
    attribute = {"name": name, "targetType": "container-instance", "targetId": INSTANCE}
    return attribute if value is None else attribute | {"value": value}


def test_attributes_are_put_listed_and_deleted(ecs: Any) -> None:
    ecs.put_attributes(attributes=[target("rack", "one"), target("ssd")])
    ecs.put_attributes(attributes=[target("rack", "two")])
    listed = ecs.list_attributes(targetType="container-instance")["attributes"]
    assert {a["name"]: a.get("value") for a in listed} == {
        "ecs.os-type": "linux",
        "rack": "two",
        "site": "cellar",
        "ssd": None,
    }
    only = ecs.list_attributes(
        targetType="container-instance", attributeName="rack", attributeValue="two"
    )["attributes"]
    assert [a["targetId"] for a in only] == [INSTANCE]
    deleted = ecs.delete_attributes(attributes=[target("rack"), target("none")])["attributes"]
    assert [a["name"] for a in deleted] == ["rack"]
    described = ecs.describe_container_instances(containerInstances=["1"])["containerInstances"]
    assert {a["name"] for a in described[0]["attributes"]} == {"ecs.os-type", "site", "ssd"}


@pytest.mark.parametrize(
    ("attribute", "code", "word"),
    [
        (target("ecs.os-type", "x"), "InvalidParameterException", "reserved"),
        (target("a b", "x"), "InvalidParameterException", "a b"),
        (target("a", " x"), "InvalidParameterException", "value"),
        (target("a", "x" * 129), "InvalidParameterException", "value"),
        (target("a") | {"targetId": "nowhere"}, "TargetNotFoundException", "nowhere"),
        (target("a") | {"targetId": OTHER}, "TargetNotFoundException", OTHER),
        (target("a") | {"targetId": "arn:aws:iam::1:user/1"}, "TargetNotFoundException", "iam"),
        (target("a") | {"targetType": "task"}, "InvalidParameterException", "targetType"),
        ({"name": "a", "targetId": "1"}, "InvalidParameterException", "targetType"),
        (target("com.amazonaws.x"), "InvalidParameterException", "reserved"),
        ({"name": "a"}, "InvalidParameterException", "targetId"),
    ],
)
def test_a_wrong_attribute_is_refused_by_name(
    ecs: Any, attribute: dict[str, str], code: str, word: str
) -> None:
    refused, message = refusal(ecs.put_attributes, attributes=[attribute])
    assert (refused, word in message) == (code, True), message


@pytest.mark.parametrize(
    ("attribute", "word"),
    [(target("ecs.os-type"), "reserved"), (target("a") | {"targetId": "none"}, "none")],
)
def test_a_wrong_deletion_is_refused(ecs: Any, attribute: dict[str, str], word: str) -> None:
    ecs.put_attributes(attributes=[target("rack", "one")])
    assert word in refusal(ecs.delete_attributes, attributes=[target("rack"), attribute])[1]
    listed = ecs.list_attributes(targetType="container-instance", attributeName="rack")
    assert [a["value"] for a in listed["attributes"]] == ["one"]


def test_attributes_are_put_all_or_none(ecs: Any) -> None:
    refusal(ecs.put_attributes, attributes=[target("rack", "one"), target("a b")])
    listed = ecs.list_attributes(targetType="container-instance", attributeName="rack")
    assert listed["attributes"] == []


def test_what_the_agents_configuration_brought_can_be_changed_and_deleted(ecs: Any) -> None:
    def rack() -> list[str]:
        listed = ecs.list_attributes(targetType="container-instance", attributeName="site")
        return [a["value"] for a in listed["attributes"]]

    assert rack() == ["cellar"]
    ecs.put_attributes(attributes=[target("site", "attic")])
    assert rack() == ["attic"]
    ecs.delete_attributes(attributes=[target("site")])
    assert rack() == []


@pytest.mark.parametrize("target_id", ["1", INSTANCE, INSTANCE.replace("/default", "")])
def test_a_target_is_named_by_id_or_arn(ecs: Any, target_id: str) -> None:
    answer = ecs.put_attributes(attributes=[target("a") | {"targetId": target_id}])
    assert [a["targetId"] for a in answer["attributes"]] == [INSTANCE]


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"targetType": "task"}, "targetType"),
        ({"attributeValue": "x"}, "attributeName"),
        ({"maxResults": 101}, "maxResults"),
        ({"nextToken": "none"}, "nextToken"),
    ],
)
def test_a_wrong_list_is_refused(ecs: Any, request_: dict[str, Any], word: str) -> None:
    request = {"targetType": "container-instance", **request_}
    code, message = refusal(ecs.list_attributes, **request)
    assert (code, word in message) == ("InvalidParameterException", True)


def test_ten_attributes_are_put_in_one_request_at_most(ecs: Any) -> None:
    for attributes in ([], [target("a")] * 11):
        code, message = refusal(ecs.put_attributes, attributes=attributes)
        assert (code, "attributes" in message) == ("InvalidParameterException", True)


def test_an_instance_has_at_most_ten_custom_attributes(ecs: Any) -> None:
    ecs.put_attributes(attributes=[target(f"a{n}") for n in range(9)])
    assert refusal(ecs.put_attributes, attributes=[target("more")])[0] == (
        "AttributeLimitExceededException"
    )


def test_lists_of_attributes_are_paged(ecs: Any) -> None:
    ecs.put_attributes(attributes=[target(f"a{n}") for n in range(5)])
    pages = ecs.get_paginator("list_attributes").paginate(
        targetType="container-instance", PaginationConfig={"PageSize": 4}
    )
    assert [len(page["attributes"]) for page in pages] == [4, 3]


def test_the_settings_are_those_of_botocores_model() -> None:
    shape = model.load("ecs").model.shape_for("SettingName")
    assert isinstance(shape, StringShape)
    assert sorted(account_settings.SETTINGS) == sorted(shape.enum)


@pytest.mark.parametrize("name", account_settings.SETTINGS)
def test_a_setting_takes_every_legal_value_and_gives_it_back(ecs: Any, name: str) -> None:
    _, legal = account_settings.SETTINGS[name]
    values = ("enabled", "disabled", "enhanced", "on", "off", "0", "7", "14", "blocking")
    for value in (v for v in values if legal(v) and name not in account_settings.AWS_MANAGED):
        assert ecs.put_account_setting(name=name, value=value)["setting"]["value"] == value
        listed = ecs.list_account_settings(name=name, value=value)["settings"]
        assert [(s["value"], s["principalArn"]) for s in listed] == [(value, ROOT)]


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"value": "enabled"}, "name"),
        ({"name": "noSuchSetting"}, "noSuchSetting"),
        ({"maxResults": 11}, "maxResults"),
        ({"principalArn": "arn:aws:iam::999999999999:root"}, "principalArn"),
    ],
)
def test_a_wrong_list_of_settings_is_refused(ecs: Any, request_: dict[str, Any], word: str) -> None:
    code, message = refusal(ecs.list_account_settings, **request_)
    assert (code, word in message) == ("InvalidParameterException", True)


def test_what_aws_manages_is_shown_so_and_not_deleted(ecs: Any) -> None:
    (setting,) = ecs.list_account_settings(name="guardDutyActivate", effectiveSettings=True)[
        "settings"
    ]
    assert (setting["value"], setting["type"]) == ("off", "aws_managed")
    assert "managed" in refusal(ecs.delete_account_setting, name="guardDutyActivate")[1]


def test_a_setting_is_the_callers_own_else_the_accounts_else_awss(ecs: Any) -> None:
    def in_force(name: str) -> str:
        answer = ecs.list_account_settings(name=name, effectiveSettings=True)["settings"]
        return str(answer[0]["value"])

    assert in_force("containerInsights") == "disabled"
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert in_force("containerInsights") == "enabled"
    made = ecs.create_cluster(clusterName="new")["cluster"]
    assert made["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    ecs.put_account_setting(name="containerInsights", value="enhanced", principalArn=SOMEBODY)
    assert in_force("containerInsights") == "enabled"
    own = ecs.list_account_settings(principalArn=SOMEBODY)["settings"]
    assert [(s["name"], s["value"], s["type"]) for s in own] == [
        ("containerInsights", "enhanced", "user")
    ]
    for forgotten in (SOMEBODY, None):
        named = {"principalArn": forgotten} if forgotten else {}
        deleted = ecs.delete_account_setting(name="containerInsights", **named)["setting"]
        assert deleted["principalArn"] == (forgotten or ROOT)
    assert deleted["value"] == "disabled"
    assert in_force("containerInsights") == "disabled"
    ecs.delete_account_setting(name="containerInsights")
    everything = ecs.get_paginator("list_account_settings").paginate(effectiveSettings=True)
    assert [len(page["settings"]) for page in everything] == [10, 1]


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"name": "noSuchSetting", "value": "enabled"}, "noSuchSetting"),
        ({"name": "containerInsights", "value": "loud"}, "loud"),
        ({"name": "guardDutyActivate", "value": "on"}, "managed"),
        ({"name": "taskLongArnFormat", "value": "disabled"}, "no longer"),
        ({"name": "taskLongArnFormat", "value": "short"}, "short"),
        ({"name": "fargateTaskRetirementWaitPeriod", "value": "8"}, "8"),
        ({"name": "defaultLogDriverMode", "value": "enabled"}, "enabled"),
        (
            {
                "name": "containerInsights",
                "value": "enabled",
                "principalArn": "arn:aws:iam::999999999999:root",
            },
            "principalArn",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_name(ecs: Any, request_: dict[str, str], word: str) -> None:
    code, message = refusal(ecs.put_account_setting, **request_)
    assert (code, word in message) == ("InvalidParameterException", True), message
    assert ecs.list_account_settings()["settings"] == []
