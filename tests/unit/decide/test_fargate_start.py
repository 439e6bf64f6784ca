"""What a FARGATE task says that can't reach what it needs: AWS's words, in AWS's order."""

from __future__ import annotations

from typing import Any

import pytest

from homeport.decide.fargate_start import MAX_REASON, needs, start_failure
from homeport.decide.reach import By, NoWay, Way

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{REGISTRY}/team/web:1.2"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/db"
LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"}}
EVERYTHING = {
    "image": IMAGE,
    "secrets": [
        {"name": "A", "valueFrom": f"{SECRET}:user::"},
        {"name": "B", "valueFrom": PARAMETER},
    ],
    "environmentFiles": [{"value": "arn:aws:s3:::b/x.env", "type": "s3"}],
    "logConfiguration": LOGS,
}


def failure(*reached: str, version: str = "1.4.0", **container: Any) -> str:
    """The reason when only these services answer."""
    document = {"containerDefinitions": [{"name": "web", "image": "busybox", **container}]}

    def way(service_name: str) -> Way | NoWay:
        service = service_name.removeprefix("com.amazonaws.us-east-1.")
        return Way(By.NAT_GATEWAY) if service in reached else NoWay("no route")

    return start_failure(document, "us-east-1", version, way)


def test_without_ecr_the_login_fails() -> None:
    assert failure(image=IMAGE) == (
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot "
        "pull registry auth from Amazon ECR: There is a connection issue between the task and "
        "Amazon ECR. Check your task network configuration. operation error ECR: "
        "GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error "
        "StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.us-east-1.amazonaws.com/": dial tcp api.ecr.us-east-1.amazonaws.com:443: '
        "i/o timeout (no route)"
    )


def test_without_the_registry_the_manifest_can_not_be_pulled() -> None:
    assert failure("ecr.api", image=IMAGE) == (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to "
        f"resolve ref {IMAGE}: failed to do request: Head "
        f'"https://{REGISTRY}/v2/team/web/manifests/1.2": dial tcp {REGISTRY}:443: i/o timeout '
        "(no route)"
    )


def test_without_s3_the_layers_can_not_be_pulled() -> None:
    said = failure("ecr.api", "ecr.dkr", image=IMAGE)
    assert said.startswith(
        f"CannotPullContainerError: The task cannot pull {IMAGE} from the registry {IMAGE}. There "
        "is a connection issue between the task and the registry. Check your task network "
        "configuration. : failed to copy: httpReadSeeker: failed open: failed to do request: Get "
        f"{IMAGE}: dial tcp "
    )
    assert failure("ecr.api", "ecr.dkr", "s3", image=IMAGE) == ""


def test_without_secrets_manager_the_secret_is_named() -> None:
    said = failure(secrets=[{"name": "A", "valueFrom": f"{SECRET}:user:AWSCURRENT:"}])
    assert said == (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve "
        "secret from asm: There is a connection issue between the task and AWS Secrets Manager. "
        f"Check your task network configuration. failed to fetch secret {SECRET} from secrets "
        "manager: operation error Secrets Manager: GetSecretValue, https response error "
        "StatusCode: 0, RequestID: , canceled, context deadline exceeded (no route)"
    )


@pytest.mark.parametrize("source", [PARAMETER, "db"])
def test_without_systems_manager_parameters_can_not_be_pulled(source: str) -> None:
    said = failure(secrets=[{"name": "A", "valueFrom": source}])
    assert said.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve "
        "secrets from ssm: The task cannot pull secrets from AWS Systems Manager. There is a "
        "connection issue between the task and AWS Systems Manager Parameter Store. Check your "
        "task network configuration. "
    )


def test_without_s3_environment_files_can_not_be_downloaded() -> None:
    said = failure(environmentFiles=[{"value": "arn:aws:s3:::b/x.env", "type": "s3"}])
    assert (
        "The task can't download the environment variable files from Amazon S3. There is a "
        "connection issue between the task and Amazon S3. Check your task network configuration."
    ) in said


def test_without_cloudwatch_the_log_group_can_not_be_found() -> None:
    assert failure(logConfiguration=LOGS) == (
        "ResourceInitializationError: failed to validate logger args: The task cannot find the "
        "Amazon CloudWatch log group defined in the task definition. There is a connection issue "
        "between the task and Amazon CloudWatch. Check your network configuration. : signal: "
        "killed (no route)"
    )


def test_an_image_of_no_ecr_repository_needs_nothing() -> None:
    for image in ("busybox", "docker.io/library/nginx:1", "registry.example.com/x"):
        assert failure(image=image) == ""


def test_everything_in_the_platforms_order() -> None:
    document = {"containerDefinitions": [{"name": "web", **EVERYTHING}]}
    in_order = [need.service for need in needs(document, "us-east-1", "1.4.0")]
    assert in_order == ["ecr.api", "secretsmanager", "ssm", "s3", "ecr.dkr", "s3", "logs"]
    before = [need.service for need in needs(document, "us-east-1", "1.3.0")]
    assert before == ["s3", "ecr.dkr", "s3", "logs"], "login and secrets took another way"


def test_the_regions_are_those_of_the_image_and_the_log_group() -> None:
    logs = {**LOGS, "options": {"awslogs-region": "eu-west-1", "awslogs-group": "g"}}
    image = IMAGE.replace("us-east-1", "eu-central-1")
    document = {"containerDefinitions": [{"name": "web", "image": image, "logConfiguration": logs}]}
    regions = [need.region for need in needs(document, "us-east-1", "1.4.0")]
    assert regions == ["eu-central-1"] * 3 + ["eu-west-1"]


def test_a_reason_fits_the_api() -> None:
    image = f"{REGISTRY}/{'x' * 250}:{'y' * 128}"
    assert len(failure("ecr.api", "ecr.dkr", image=image)) <= MAX_REASON
