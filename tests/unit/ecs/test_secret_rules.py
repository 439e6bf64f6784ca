"""What RegisterTaskDefinition and RunTask say of secrets, environment files and registries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

ROLE = "arn:aws:iam::123456789012:role/execution"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
FILE = {"value": "arn:aws:s3:::files/app.env", "type": "s3"}


@pytest.fixture
def ecs() -> Iterator[Any]:
    api = Api()
    yield api.client("ecs")
    api.close()


def definition(**container: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "busybox", "memory": 64, **container}
    return {"family": "web", "containerDefinitions": [main], "executionRoleArn": ROLE}


@pytest.mark.parametrize(
    ("container", "attributes"),
    [
        (
            {"secrets": [{"name": "A", "valueFrom": "/db/host"}]},
            {"secrets.ssm.environment-variables"},
        ),
        ({"secrets": [{"name": "A", "valueFrom": SECRET}]}, {"secrets.asm.environment-variables"}),
        (
            {"secrets": [{"name": "A", "valueFrom": f"{SECRET}:key:AWSCURRENT:"}]},
            {"secrets.asm.environment-variables"},
        ),
        (
            {
                "logConfiguration": {
                    "logDriver": "splunk",
                    "secretOptions": [{"name": "splunk-token", "valueFrom": SECRET}],
                }
            },
            {"secrets.asm.bootstrap.log-driver"},
        ),
        ({"environmentFiles": [FILE]}, {"env-files.s3"}),
        (
            {"repositoryCredentials": {"credentialsParameter": SECRET}},
            {"private-registry-authentication.secretsmanager"},
        ),
    ],
)
def test_what_is_accepted_asks_for_an_agent_that_can(
    ecs: Any, container: dict[str, Any], attributes: set[str]
) -> None:
    registered = ecs.register_task_definition(**definition(**container))["taskDefinition"]
    names = {attribute["name"] for attribute in registered["requiresAttributes"]}
    assert {f"ecs.capability.{name}" for name in attributes} <= names


@pytest.mark.parametrize(
    ("container", "text"),
    [
        (
            {"secrets": [{"name": "A", "valueFrom": "host"}]},
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'.",
        ),
        (
            {"repositoryCredentials": {"credentialsParameter": SECRET}},
            "Private repository authentication requires that the task definition specify a value "
            "for executionRoleArn.",
        ),
        ({"environmentFiles": [FILE]}, "'executionRoleArn'"),
    ],
)
def test_an_execution_role_is_required(ecs: Any, container: dict[str, Any], text: str) -> None:
    request = definition(**container)
    del request["executionRoleArn"]
    code, message = refusal(ecs.register_task_definition, **request)
    assert code == "ClientException"
    assert text in message


@pytest.mark.parametrize(
    ("container", "word"),
    [
        ({"secrets": [{"name": "", "valueFrom": "a"}]}, "secrets.name"),
        ({"secrets": [{"name": "JWT_KEY", "valueFrom": ""}]}, "for secret JWT_KEY is invalid"),
        ({"secrets": [{"name": "A", "valueFrom": "a b"}]}, "a-zA-Z0-9_.-"),
        ({"secrets": [{"name": "A", "valueFrom": f"{SECRET}:key"}]}, "valueFrom"),
        ({"secrets": [{"name": "A", "valueFrom": "arn:aws:s3:::x"}]}, "valueFrom"),
        ({"secrets": [{"name": "A", "valueFrom": "a"}] * 2}, "such as 'A'"),
        (
            {
                "secrets": [{"name": "A", "valueFrom": "a"}],
                "environment": [{"name": "A", "value": "b"}],
            },
            "such as 'A'",
        ),
        ({"environmentFiles": [{"value": "arn:aws:s3:::files/app.txt", "type": "s3"}]}, ".env"),
        ({"environmentFiles": [{"value": "s3://files/app.env", "type": "s3"}]}, "ARN"),
        ({"environmentFiles": [{**FILE, "type": "efs"}]}, "environmentFiles.type"),
        ({"environmentFiles": [FILE] * 11}, "at most 10"),
        ({"repositoryCredentials": {"credentialsParameter": "db"}}, "credentialsParameter"),
    ],
)
def test_what_is_wrong_is_named(ecs: Any, container: dict[str, Any], word: str) -> None:
    code, message = refusal(ecs.register_task_definition, **definition(**container))
    assert (code, word in message) == ("ClientException", True), message


def test_files_of_an_override_follow_the_same_rules(ecs: Any) -> None:
    ecs.create_cluster()
    plain = {k: v for k, v in definition().items() if k != "executionRoleArn"}
    ecs.register_task_definition(**plain)

    def refused(file: dict[str, str], **more: Any) -> str:
        overrides = {"containerOverrides": [{"name": "main", "environmentFiles": [file]}], **more}
        code, message = refusal(ecs.run_task, taskDefinition="web", overrides=overrides)
        assert code == "InvalidParameterException"
        return message

    assert "executionRoleArn" in refused(FILE)
    wrong = {**FILE, "value": "arn:aws:s3:::files/app"}
    assert ".env" in refused(wrong, executionRoleArn=ROLE)
