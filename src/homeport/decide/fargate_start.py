"""What a FARGATE task must reach before its containers start, and how it fails when it can't.

In the order in which the platform goes: registry login and secrets, environment files, then the
image's manifest and its layers, then the log group. On platform version 1.4.0 all of it goes
through the task's own network interface; before, login and secrets did not.

Sources: "Amazon ECS interface VPC endpoints", "Fargate platform versions" and "Stopped task error
messages", developer guide; the texts as AWS's answers are quoted in 2025 and 2026. Where AWS
shows the address that did not answer there is the name, because here is no such address; the
reason in parentheses is Homeport's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .reach import NoWay, Way

Document = Mapping[str, Any]  # a task definition as registered: open-ended by nature
Ask = Callable[[str], Way | NoWay]
"""By which way the task reaches a service, given its endpoint service name."""

MAX_REASON = 1024

_ECR = re.compile(
    r"(?P<registry>[0-9]{12}\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?)/"
    r"(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>.+))?"
)
_REFUSED = "https response error StatusCode: 0, RequestID: "
_PULL = "ResourceInitializationError: unable to pull secrets or registry auth: "


@dataclass(frozen=True, slots=True)
class Need:
    """A service, by the end of its endpoint service name, and what failing to reach it says."""

    region: str
    service: str
    failure: str


def start_failure(document: Document, region: str, platform_version: str, way: Ask) -> str:
    """The ``stoppedReason`` of a task that can't reach what it needs, or empty."""
    for need in needs(document, region, platform_version):
        answer = way(f"com.amazonaws.{need.region}.{need.service}")
        if isinstance(answer, NoWay):
            return f"{need.failure} ({answer.reason})"[:MAX_REASON]
    return ""


def needs(document: Document, region: str, platform_version: str) -> Iterator[Need]:
    """Everything that a task of this definition must reach, in order.

    An image that is not named by an ECR repository's URI is the host's business: it is there, or
    the host's own Engine pulls it.
    """
    containers: list[Document] = list(document.get("containerDefinitions") or ())
    images = [match for c in containers if (match := _ECR.fullmatch(c["image"]))]
    if platform_version != "1.3.0":
        for image in images[:1]:
            yield _login(image["region"])
        for container in containers:
            yield from _secrets(container, region)
    if any(c.get("environmentFiles") for c in containers):
        yield Need(
            region,
            "s3",
            "ResourceInitializationError: failed to download env files: The task can't download "
            "the environment variable files from Amazon S3. There is a connection issue between "
            "the task and Amazon S3. Check your task network configuration.",
        )
    for image in images:
        yield from _image(image)
    for container in containers:
        logging: Document = container.get("logConfiguration") or {}
        if logging.get("logDriver") == "awslogs":
            yield _logs((logging.get("options") or {}).get("awslogs-region") or region)


def _login(region: str) -> Need:
    host = f"api.ecr.{region}.amazonaws.com"
    return Need(
        region,
        "ecr.api",
        f"{_PULL}The task cannot pull registry auth from Amazon ECR: There is a connection issue "
        "between the task and Amazon ECR. Check your task network configuration. operation error "
        f"ECR: GetAuthorizationToken, exceeded maximum number of attempts, 3, {_REFUSED}, request "
        f'send failed, Post "https://{host}/": dial tcp {host}:443: i/o timeout',
    )


def _secrets(container: Document, region: str) -> Iterator[Need]:
    logging: Document = container.get("logConfiguration") or {}
    named = [*(container.get("secrets") or ()), *(logging.get("secretOptions") or ())]
    sources = [secret["valueFrom"] for secret in named]
    credentials: Document = container.get("repositoryCredentials") or {}
    if credentials.get("credentialsParameter"):
        sources.append(credentials["credentialsParameter"])
    for source in sources:
        yield _secret(source, region) if ":secretsmanager:" in source else _parameter(region)


def _secret(arn: str, region: str) -> Need:
    whole = ":".join(arn.split(":")[:7])  # without JSON key, stage and version
    return Need(
        region,
        "secretsmanager",
        f"{_PULL}unable to retrieve secret from asm: There is a connection issue between the task "
        "and AWS Secrets Manager. Check your task network configuration. failed to fetch secret "
        f"{whole} from secrets manager: operation error Secrets Manager: GetSecretValue, "
        f"{_REFUSED}, canceled, context deadline exceeded",
    )


def _parameter(region: str) -> Need:
    return Need(
        region,
        "ssm",
        f"{_PULL}unable to retrieve secrets from ssm: The task cannot pull secrets from AWS "
        "Systems Manager. There is a connection issue between the task and AWS Systems Manager "
        "Parameter Store. Check your task network configuration. operation error SSM: "
        f"GetParameters, {_REFUSED}, canceled, context deadline exceeded",
    )


def _image(image: re.Match[str]) -> Iterator[Need]:
    name, registry = image[0], image["registry"]
    version = image["digest"] or image["tag"] or "latest"
    manifest = f"https://{registry}/v2/{image['repository']}/manifests/{version}"
    yield Need(
        image["region"],
        "ecr.dkr",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to "
        f'resolve ref {name}: failed to do request: Head "{manifest}": dial tcp {registry}:443: '
        "i/o timeout",
    )
    yield Need(
        image["region"],
        "s3",
        f"CannotPullContainerError: The task cannot pull {name} from the registry {name}. There "
        "is a connection issue between the task and the registry. Check your task network "
        "configuration. : failed to copy: httpReadSeeker: failed open: failed to do request: Get "
        f"{name}: dial tcp prod-{image['region']}-starport-layer-bucket.s3.{image['region']}"
        ".amazonaws.com:443: i/o timeout",
    )


def _logs(region: str) -> Need:
    return Need(
        region,
        "logs",
        "ResourceInitializationError: failed to validate logger args: The task cannot find the "
        "Amazon CloudWatch log group defined in the task definition. There is a connection issue "
        "between the task and Amazon CloudWatch. Check your network configuration. : signal: "
        "killed",
    )
