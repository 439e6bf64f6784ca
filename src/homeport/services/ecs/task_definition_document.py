"""A registered task definition: defaults filled in, what it needs derived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from homeport.domain.task_definition import ContainerDefinition, PortMapping

from .errors import ClientException
from .fargate_rules import check_fargate
from .task_size import parse_size

Document = Mapping[str, Any]  # a request document: open-ended by nature

_EMPTY_LISTS = ("environment", "mountPoints", "volumesFrom", "systemControls", "portMappings")
_HEALTH_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3}


def complete_document(request: Document) -> dict[str, object]:
    """What DescribeTaskDefinition returns: the request with AWS's defaults, sizes normalised."""
    mode = request.get("networkMode") or "bridge"
    document = {k: v for k, v in request.items() if k not in ("family", "tags")}
    for field in ("cpu", "memory"):
        size = parse_size(request.get(field), field)
        if size is not None:
            document[field] = str(size)
    document["containerDefinitions"] = [
        _container(c, mode) for c in request["containerDefinitions"]
    ]
    document.setdefault("volumes", [])
    document.setdefault("placementConstraints", [])
    return document


def _container(container: Document, mode: str) -> dict[str, object]:
    completed: dict[str, Any] = {"cpu": 0, "essential": True, **container}
    for name in _EMPTY_LISTS:
        completed.setdefault(name, [])
    completed["portMappings"] = [_port(m, mode) for m in completed["portMappings"]]
    if completed.get("healthCheck"):
        completed["healthCheck"] = {**_HEALTH_DEFAULTS, **completed["healthCheck"]}
    return completed


def _port(mapping: Document, mode: str) -> dict[str, object]:
    completed = {"protocol": "tcp", **mapping}
    if "containerPort" in completed and mode != "none":
        same = mode in ("awsvpc", "host")
        completed["hostPort"] = completed.get("hostPort") or (
            completed["containerPort"] if same else 0
        )
    return completed


def container_definitions(document: Mapping[str, Any]) -> tuple[ContainerDefinition, ...]:
    """The facts that placement and services act on."""
    return tuple(
        ContainerDefinition(
            name=c["name"],
            image=c["image"],
            essential=c["essential"],
            cpu=c["cpu"],
            memory=c.get("memory"),
            memory_reservation=c.get("memoryReservation"),
            port_mappings=tuple(
                PortMapping(
                    container_port=m["containerPort"],
                    host_port=m.get("hostPort") or 0,
                    protocol=_protocol(m["protocol"]),
                    name=m.get("name"),
                )
                for m in c["portMappings"]
                if m.get("containerPort")
            ),
            has_health_check=bool(c.get("healthCheck")),
        )
        for c in document["containerDefinitions"]
    )


def _protocol(text: str) -> Literal["tcp", "udp"]:
    return "udp" if text == "udp" else "tcp"


def compatibilities(document: Mapping[str, Any]) -> Iterator[str]:
    """Every launch type that the definition satisfies."""
    mode = document.get("networkMode") or "bridge"
    if mode != "awsvpc":
        yield "EXTERNAL"
    yield "EC2"
    try:
        check_fargate(document)
    except ClientException:
        return
    yield "FARGATE"


def required_attributes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The capabilities that an instance must offer."""
    return tuple(dict.fromkeys(_attributes(document)))


def _attributes(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("networkMode") == "awsvpc":
        yield "ecs.capability.task-eni"
    if "task" in (document.get("pidMode"), document.get("ipcMode")):
        yield "ecs.capability.pid-ipc-namespace-sharing"
    if document.get("taskRoleArn"):
        yield "com.amazonaws.ecs.capability.task-iam-role"
    for volume in document.get("volumes") or ():
        efs = volume.get("efsVolumeConfiguration")
        if efs:
            yield "ecs.capability.efs"
            if efs.get("authorizationConfig"):
                yield "ecs.capability.efsAuth"
    for container in document["containerDefinitions"]:
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        if driver:
            yield f"com.amazonaws.ecs.capability.logging-driver.{driver}"
        if driver == "awslogs" and document.get("executionRoleArn"):
            yield "ecs.capability.execution-role-awslogs"
        if container.get("privileged"):
            yield "com.amazonaws.ecs.capability.privileged-container"
        if container.get("healthCheck"):
            yield "ecs.capability.container-health-check"
        if any(m.get("containerPortRange") for m in container.get("portMappings") or ()):
            yield "ecs.capability.network.container-port-range"
        if container.get("dependsOn"):
            yield "ecs.capability.container-ordering"
        if (container.get("restartPolicy") or {}).get("enabled"):
            yield "ecs.capability.container-restart-policy"
        yield from _secret_attributes(container)
    yield "com.amazonaws.ecs.capability.docker-remote-api.1.18"


def _secret_attributes(container: Document) -> Iterator[str]:
    logging: Document = container.get("logConfiguration") or {}
    for secret in container.get("secrets") or ():
        yield f"ecs.capability.secrets.{_provider(secret)}.environment-variables"
    for secret in logging.get("secretOptions") or ():
        yield f"ecs.capability.secrets.{_provider(secret)}.bootstrap.log-driver"
    if container.get("environmentFiles"):
        yield "ecs.capability.env-files.s3"
    if container.get("repositoryCredentials"):
        yield "ecs.capability.private-registry-authentication.secretsmanager"


def _provider(secret: Document) -> str:
    return "asm" if ":secretsmanager:" in secret.get("valueFrom", "") else "ssm"
