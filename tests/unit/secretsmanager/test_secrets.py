"""What a user of boto3 sees of Secrets Manager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.controllers.retention import RetentionController
from homeport.store.schema import SECRET_VERSIONS, SECRETS

ABSENT = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def manager(api: Api) -> Any:
    client = api.client("secretsmanager")
    client.create_secret(Name="web/db", SecretString="one")
    return client


def current(manager: Any, secret_id: str = "web/db") -> str:
    return str(manager.get_secret_value(SecretId=secret_id)["SecretString"])


def test_a_secret_is_found_by_name_by_arn_and_by_arn_without_its_six_characters(
    manager: Any,
) -> None:
    arn = manager.describe_secret(SecretId="web/db")["ARN"]
    prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:web/db"
    assert re.fullmatch(re.escape(prefix) + "-[A-Za-z0-9]{6}", arn)
    assert {current(manager, s) for s in ("web/db", arn, prefix)} == {"one"}
    assert refusal(manager.get_secret_value, SecretId="web") == ABSENT
    assert refusal(manager.get_secret_value, SecretId=f"{prefix}-abcdef") == ABSENT


def test_putting_a_value_moves_the_staging_labels(manager: Any) -> None:
    first = manager.get_secret_value(SecretId="web/db")["VersionId"]
    second = manager.put_secret_value(SecretId="web/db", SecretString="two")
    assert second["VersionStages"] == ["AWSCURRENT"]
    assert current(manager) == "two"
    by_stage = manager.get_secret_value(SecretId="web/db", VersionStage="AWSPREVIOUS")
    assert (by_stage["SecretString"], by_stage["VersionId"]) == ("one", first)
    by_id = manager.get_secret_value(SecretId="web/db", VersionId=first)
    assert by_id["SecretString"] == "one"
    manager.update_secret(SecretId="web/db", SecretString="three")
    stages = manager.describe_secret(SecretId="web/db")["VersionIdsToStages"]
    assert sorted(stages.values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]
    listed = manager.list_secret_version_ids(SecretId="web/db", IncludeDeprecated=True)
    assert len(listed["Versions"]) == 3
    code, text = refusal(manager.get_secret_value, SecretId="web/db", VersionStage="no")
    assert code == "ResourceNotFoundException"
    assert text == "Secrets Manager can't find the specified secret value for staging label: no"


def test_a_token_makes_a_version_once(manager: Any) -> None:
    token = "0" * 32
    for _ in range(2):
        manager.put_secret_value(SecretId="web/db", SecretString="two", ClientRequestToken=token)
    code, text = refusal(
        manager.put_secret_value, SecretId="web/db", SecretString="x", ClientRequestToken=token
    )
    assert code == "ResourceExistsException"
    assert token in text
    made = [
        manager.create_secret(Name="n", SecretString="v", ClientRequestToken=token)
        for _ in range(2)
    ]
    assert made[0]["ARN"] == made[1]["ARN"]
    assert refusal(manager.create_secret, Name="n", SecretString="v") == (
        "ResourceExistsException",
        "The operation failed because the secret n already exists.",
    )


def test_a_label_of_ones_own_and_the_current_one_are_moved(manager: Any) -> None:
    first = manager.get_secret_value(SecretId="web/db")["VersionId"]
    second = manager.put_secret_value(
        SecretId="web/db", SecretString="two", VersionStages=["PENDING"]
    )["VersionId"]
    assert current(manager) == "one"
    code, text = refusal(
        manager.update_secret_version_stage,
        SecretId="web/db",
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
    )
    assert (code, first in text) == ("InvalidParameterException", True)
    manager.update_secret_version_stage(
        SecretId="web/db",
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
        RemoveFromVersionId=first,
    )
    stages = manager.describe_secret(SecretId="web/db")["VersionIdsToStages"]
    assert stages == {second: ["PENDING", "AWSCURRENT"], first: ["AWSPREVIOUS"]}
    manager.update_secret_version_stage(
        SecretId="web/db", VersionStage="PENDING", RemoveFromVersionId=second
    )
    code, _ = refusal(
        manager.update_secret_version_stage,
        SecretId="web/db",
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=second,
    )
    assert code == "InvalidParameterException"


def test_binary_values(manager: Any) -> None:
    manager.create_secret(Name="b", SecretBinary=b"\x00\xff")
    answer = manager.get_secret_value(SecretId="b")
    assert answer["SecretBinary"] == b"\x00\xff"
    assert "SecretString" not in answer
    code, _ = refusal(manager.create_secret, Name="c", SecretBinary=b"x", SecretString="x")
    assert code == "InvalidParameterException"


def test_deleted_is_unreadable_until_restored_and_gone_after_its_window(
    api: Api, manager: Any
) -> None:
    manager.delete_secret(SecretId="web/db", RecoveryWindowInDays=7)
    marked = (
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
    assert refusal(manager.get_secret_value, SecretId="web/db") == marked
    assert manager.describe_secret(SecretId="web/db")["DeletedDate"]
    assert manager.list_secrets()["SecretList"] == []
    assert len(manager.list_secrets(IncludePlannedDeletion=True)["SecretList"]) == 1
    code, _ = refusal(manager.create_secret, Name="web/db", SecretString="x")
    assert code == "InvalidRequestException"
    manager.restore_secret(SecretId="web/db")
    assert current(manager) == "one"
    manager.delete_secret(SecretId="web/db", RecoveryWindowInDays=7)
    with api.store.transaction() as tx:
        (secret,) = tx.all(SECRETS)
        assert secret.delete_at is not None
        assert (
            RetentionController().reconcile(f"secrets|{secret.arn}", tx, secret.delete_at) is None
        )
        assert tx.all(SECRETS) == tx.all(SECRET_VERSIONS) == []


def test_without_recovery_a_name_is_free_at_once(manager: Any) -> None:
    manager.delete_secret(SecretId="web/db", ForceDeleteWithoutRecovery=True)
    assert refusal(manager.describe_secret, SecretId="web/db") == ABSENT
    manager.create_secret(Name="web/db", SecretString="two")
    assert current(manager) == "two"
    manager.delete_secret(SecretId="never-was", ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize(
    "more",
    [
        {"RecoveryWindowInDays": 6},
        {"RecoveryWindowInDays": 31},
        {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
    ],
)
def test_windows_that_are_refused(manager: Any, more: dict[str, Any]) -> None:
    code, text = refusal(manager.delete_secret, SecretId="web/db", **more)
    assert (code, "RecoveryWindowInDays" in text) == ("InvalidParameterException", True)
    assert current(manager) == "one"


def test_lists_are_filtered(manager: Any) -> None:
    tags = [{"Key": "team", "Value": "green"}]
    manager.create_secret(Name="api/key", SecretString="x", Description="Of the gate", Tags=tags)

    def names(*filters: tuple[str, list[str]]) -> set[str]:
        given = [{"Key": key, "Values": values} for key, values in filters]
        return {s["Name"] for s in manager.list_secrets(Filters=given)["SecretList"]}

    assert names() == {"web/db", "api/key"}
    assert names(("name", ["web"])) == {"web/db"}
    assert names(("name", ["!web"])) == {"api/key"}
    assert names(("description", ["gate"])) == {"api/key"}
    assert names(("tag-key", ["team"]), ("tag-value", ["green"])) == {"api/key"}
    assert names(("all", ["API"])) == {"api/key"}
    batch = manager.batch_get_secret_value(SecretIdList=["api/key", "no"])
    assert [v["SecretString"] for v in batch["SecretValues"]] == ["x"]
    assert [(e["SecretId"], e["ErrorCode"]) for e in batch["Errors"]] == [("no", ABSENT[0])]
    pages = manager.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["SecretList"]) for page in pages] == [1, 1]


def test_tags_and_the_day_of_the_last_read(manager: Any) -> None:
    manager.tag_resource(SecretId="web/db", Tags=[{"Key": "a", "Value": "1"}])
    assert manager.describe_secret(SecretId="web/db")["Tags"] == [{"Key": "a", "Value": "1"}]
    manager.untag_resource(SecretId="web/db", TagKeys=["a"])
    described = manager.describe_secret(SecretId="web/db")
    assert described["Tags"] == []
    assert "LastAccessedDate" not in described
    current(manager)
    assert manager.describe_secret(SecretId="web/db")["LastAccessedDate"].minute == 0


def test_random_passwords(manager: Any) -> None:
    def password(**more: Any) -> str:
        return str(manager.get_random_password(**more)["RandomPassword"])

    assert len(password()) == 32
    assert password() != password()
    assert password(ExcludePunctuation=True, PasswordLength=500).isalnum()
    assert "a" not in password(ExcludeCharacters="a", PasswordLength=500)
    code, _ = refusal(manager.get_random_password, PasswordLength=3)
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "n", "KmsKeyId": "alias/mine"}, "InvalidParameterException"),
        (
            {"Name": "n", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
            "InvalidParameterException",
        ),
    ],
)
def test_what_is_refused(manager: Any, more: dict[str, Any], code: str) -> None:
    assert refusal(manager.create_secret, SecretString="x", **more)[0] == code


def test_a_value_is_in_no_record(api: Api, manager: Any) -> None:
    manager.put_secret_value(SecretId="web/db", SecretString="hunter2")
    with api.store.transaction() as tx:
        assert "hunter2" not in repr(tx.all(SECRET_VERSIONS))
