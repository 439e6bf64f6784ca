"""What RegisterTaskDefinition refuses, in AWS's words where they are known.

Sources: "Amazon ECS task definition parameters", developer guide, and the API reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from . import fargate_rules
from .container_parameter_rules import check_parameters
from .errors import ClientException, InvalidParameterException
from .port_rules import check_ports
from .secret_rules import check_secrets
from .task_size import parse_size
from .volume_rules import check_volumes

Document = Mapping[str, Any]  # a request document: open-ended by nature

MAX_CONTAINERS = 10
MAX_DOCUMENT_BYTES = 64 * 1024
NETWORK_MODES = ("bridge", "host", "awsvpc", "none")
LAUNCH_TYPES = ("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES")
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
MIN_MEMORY_MIB = 6
AWSLOGS_OPTIONS = frozenset(
    {
        *("awslogs-create-group", "awslogs-region", "awslogs-group", "awslogs-stream-prefix"),
        *("awslogs-datetime-format", "awslogs-multiline-pattern", "mode", "max-buffer-size"),
        *("awslogs-endpoint", "tag"),
    }
)
LOG_DRIVERS = (
    *fargate_rules.LOG_DRIVERS,
    "fluentd",
    "gelf",
    "journald",
    "json-file",
    "syslog",
)

OPERATING_SYSTEMS = (
    "LINUX",
    *(f"WINDOWS_SERVER_{year}_{kind}" for year in (2019, 2022, 2025) for kind in ("CORE", "FULL")),
    "WINDOWS_SERVER_2016_FULL",
    "WINDOWS_SERVER_2004_CORE",
    "WINDOWS_SERVER_20H2_CORE",
)
TASK_CPU_UNITS = (128, 196_608)

_ROLE = re.compile(r"(arn:aws:iam::[0-9]{12}:role/)?[A-Za-z0-9+=,.@_/-]{1,576}")
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_CONTAINER_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_IMAGE = re.compile(r"[A-Za-z0-9_\-:./@#+]{1,255}")


def check(request: Document) -> None:
    """Raise the first refusal of a request; the request is well-typed."""
    family = request["family"]
    if not _FAMILY.fullmatch(family):
        raise ClientException(
            "Family should not be null or empty and may contain up to 255 letters, numbers, "
            "underscores and hyphens: family."
        )
    _one_of(request, "networkMode", NETWORK_MODES)
    _one_of(request, "pidMode", ("host", "task"))
    _one_of(request, "ipcMode", ("host", "task", "none"))
    platform: Document = request.get("runtimePlatform") or {}
    _one_of(platform, "operatingSystemFamily", OPERATING_SYSTEMS)
    _one_of(platform, "cpuArchitecture", ("X86_64", "ARM64"))
    for field in ("taskRoleArn", "executionRoleArn"):
        role = request.get(field)
        if role and not _ROLE.fullmatch(role):
            raise ClientException(f"{field} '{role[:128]}' is not the name or ARN of a role.")
    for launch_type in request.get("requiresCompatibilities") or ():
        if launch_type not in LAUNCH_TYPES:
            raise ClientException(
                f"requiresCompatibilities: '{launch_type[:64]}' should be one of "
                f"[{','.join(LAUNCH_TYPES)}]."
            )
    containers = request["containerDefinitions"]
    if not containers:
        raise ClientException("Container list cannot be empty: containerDefinitions.")
    if len(containers) > MAX_CONTAINERS:
        raise ClientException(
            f"Container definitions cannot exceed {MAX_CONTAINERS}: containerDefinitions."
        )
    _check_names(containers)
    if not any(c.get("essential", True) for c in containers):
        raise ClientException("Task definition doesn't have any essential container.")
    volumes = check_volumes(request)
    for container in containers:
        _check_container(container, request, containers, volumes)
    _check_dependencies(containers)
    _check_task_sizes(request, containers)
    _check_static_ports(containers, request.get("networkMode") or "bridge")
    _check_constraints(request.get("placementConstraints") or ())
    if "FARGATE" in (request.get("requiresCompatibilities") or ()):
        fargate_rules.check_fargate(request)
    if len(msgspec.json.encode(request, enc_hook=str)) > MAX_DOCUMENT_BYTES:
        raise ClientException("The task definition is larger than 64 KiB.")


def _one_of(document: Document, name: str, allowed: Sequence[str]) -> None:
    value = document.get(name)
    if value is not None and value not in allowed:
        raise ClientException(f"{name} '{str(value)[:64]}' should be one of [{','.join(allowed)}].")


def _check_names(containers: Sequence[Document]) -> None:
    seen: set[str] = set()
    for container in containers:
        name = container.get("name") or ""
        if not name:
            raise ClientException("Container.name should not be null or empty.")
        if not _CONTAINER_NAME.fullmatch(name):
            raise ClientException(
                f"Container.name contains invalid characters: '{name[:64]}'. Up to 255 letters, "
                "numbers, underscores and hyphens are allowed."
            )
        if name in seen:
            raise ClientException(f"Container.name must be unique: '{name}'.")
        seen.add(name)


# -- one container ------------------------------------------------------------------------------


def _check_container(
    container: Document, request: Document, containers: Sequence[Document], volumes: set[str]
) -> None:
    name = container["name"]
    image = container.get("image") or ""
    if not image:
        raise ClientException("Container.image should not be null or empty.")
    if not _IMAGE.fullmatch(image):
        raise ClientException(
            f"Container.image contains invalid characters: '{image[:64]}' of '{name}'."
        )
    _check_sizes(container, request)
    check_ports(container, request.get("networkMode") or "bridge")
    _check_timeouts(container)
    _check_health(container)
    _check_logging(container)
    check_secrets(container, request)
    _check_names_of_others(container, containers, volumes)
    check_parameters(container, request.get("networkMode") or "bridge")


def _check_sizes(container: Document, request: Document) -> None:
    name = container["name"]
    memory, reservation = container.get("memory"), container.get("memoryReservation")
    if container.get("cpu", 0) < 0:
        raise ClientException(
            f"Invalid setting for container '{name}'. 'cpu' must be zero or greater."
        )
    if memory is None and reservation is None and not request.get("memory"):
        raise ClientException(
            f"Invalid setting for container '{name}'. At least one of 'memory' or "
            "'memoryReservation' must be specified."
        )
    for field, value in (("memory", memory), ("memoryReservation", reservation)):
        if value is not None and value < MIN_MEMORY_MIB:
            raise ClientException(
                f"Invalid setting for container '{name}'. '{field}' must be at least "
                f"{MIN_MEMORY_MIB} MiB."
            )
    if memory is not None and reservation is not None and memory < reservation:
        raise ClientException(
            f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to "
            "'memoryReservation'."
        )


def _check_timeouts(container: Document) -> None:
    for field, word in (("startTimeout", "start"), ("stopTimeout", "stop")):
        value = container.get(field)
        if value is not None and value < 2:
            raise ClientException(
                f"Granular {word} timeout on container '{container['name']}' must be at least 2 "
                "seconds."
            )


_HEALTH_RANGES = {
    "interval": (5, 300),
    "timeout": (2, 120),
    "retries": (1, 10),
    "startPeriod": (0, 300),
}


def _check_health(container: Document) -> None:
    check_document = container.get("healthCheck")
    if check_document is None:
        return
    name, command = container["name"], check_document.get("command") or ()
    if not command or command[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise ClientException(
            f"Health check command of container '{name}' must start with CMD, CMD-SHELL or NONE: "
            "healthCheck.command."
        )
    for field, (low, high) in _HEALTH_RANGES.items():
        value = check_document.get(field)
        if value is not None and not low <= value <= high:
            raise ClientException(
                f"healthCheck.{field} of container '{name}' must be between {low} and {high}."
            )


def _check_logging(container: Document) -> None:
    logging = container.get("logConfiguration")
    if not logging:
        return
    driver = logging.get("logDriver", "")
    if driver not in LOG_DRIVERS:
        raise ClientException(
            f"{driver[:64]} is not a valid log driver. Must be one of [{','.join(LOG_DRIVERS)}]"
        )
    if driver == "awslogs":
        _check_awslogs(logging.get("options") or {})


def _check_awslogs(options: Document) -> None:
    if not {"awslogs-region", "awslogs-group"} <= options.keys():
        raise ClientException("Log driver awslogs requires options: awslogs-region, awslogs-group")
    disallowed = [name for name in options if name not in AWSLOGS_OPTIONS]
    if disallowed:
        raise ClientException(
            f"Log driver awslogs disallows options: {', '.join(disallowed)[:256]}"
        )
    if options.get("awslogs-create-group", "true") != "true":
        raise ClientException(
            "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else "
            "omit option."
        )


def _check_names_of_others(
    container: Document, containers: Sequence[Document], volumes: set[str]
) -> None:
    name, others = container["name"], {c["name"] for c in containers}
    for mount in container.get("mountPoints") or ():
        if mount.get("sourceVolume") not in volumes:
            raise ClientException(
                f"Unknown volume '{str(mount.get('sourceVolume'))[:64]}' of container '{name}': "
                "mountPoints.sourceVolume."
            )
        if not mount.get("containerPath"):
            raise ClientException(f"mountPoints.containerPath of container '{name}' is required.")
    for link in container.get("links") or ():
        target = link.split(":")[0]
        if target not in others or target == name:
            raise ClientException(
                f"Unknown link target '{link[:64]}' of container '{name}': links."
            )
    for source in container.get("volumesFrom") or ():
        if source.get("sourceContainer") not in others - {name}:
            raise ClientException(
                f"Unknown container '{str(source.get('sourceContainer'))[:64]}' of container "
                f"'{name}': volumesFrom.sourceContainer."
            )


# -- several containers -------------------------------------------------------------------------


def _check_dependencies(containers: Sequence[Document]) -> None:
    by_name = {c["name"]: c for c in containers}
    for container in containers:
        for dependency in container.get("dependsOn") or ():
            _check_dependency(dependency, by_name)
    waiting = {
        c["name"]: {d["containerName"] for d in c.get("dependsOn") or ()}
        | {link.split(":")[0] for link in c.get("links") or ()}
        | {v["sourceContainer"] for v in c.get("volumesFrom") or ()}
        for c in containers
    }
    while free := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in free:
            del waiting[name]
    if waiting:
        raise ClientException(
            f"Container dependencies form a cycle: dependsOn of [{','.join(sorted(waiting))}]."
        )


def _check_dependency(dependency: Document, by_name: Mapping[str, Document]) -> None:
    _one_of(dependency, "condition", CONDITIONS)
    name, condition = dependency.get("containerName") or "", dependency.get("condition")
    target = by_name.get(name)
    if target is None:
        raise ClientException(
            f"Cannot depend on container + '{name[:64]}' because it does not exist"
        )
    if condition in ("SUCCESS", "COMPLETE") and target.get("essential", True):
        raise ClientException(
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential "
            "container"
        )
    if condition == "HEALTHY" and not target.get("healthCheck"):
        raise ClientException(
            "A dependency container with HEALTHY condition must have health check configured"
        )


def _check_task_sizes(request: Document, containers: Sequence[Document]) -> None:
    for field in ("cpu", "memory"):
        limit = parse_size(request.get(field), field)
        if limit is None:
            continue
        least, most = TASK_CPU_UNITS
        if field == "cpu" and not least <= limit <= most:
            raise ClientException(
                f"Invalid 'cpu' setting for task: '{request['cpu'][:64]}' must be between {least} "
                f"and {most} CPU units."
            )
        total = sum(
            c.get("memoryReservation") or c.get("memory") or 0
            if field == "memory"
            else c.get("cpu") or 0
            for c in containers
        )
        for container in containers if field == "memory" else ():
            if (container.get("memory") or 0) > limit:
                raise ClientException(
                    f"The 'memory' setting for container '{container['name']}' is greater than "
                    "for the task"
                )
        if total > limit and field == "cpu":
            raise ClientException(
                "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' "
                "value"
            )
        if total > limit:
            raise ClientException(
                f"The '{field}' of the containers together ({total}) must not exceed that of the "
                f"task ({limit})."
            )


def _check_static_ports(containers: Sequence[Document], mode: str) -> None:
    """No port twice: of the host, or in the one namespace that the containers share."""
    field = "hostPort" if mode == "bridge" else "containerPort"
    seen: set[tuple[int, str]] = set()
    for container in containers:
        for mapping in container.get("portMappings") or ():
            port = (mapping.get(field) or 0, mapping.get("protocol") or "tcp")
            if port[0] and port in seen:
                raise ClientException(
                    f"{field} {port[0]} is mapped twice: portMappings of '{container['name']}'."
                )
            seen.add(port)


def _check_constraints(constraints: Sequence[Document]) -> None:
    if len(constraints) > 10:
        raise InvalidParameterException("placementConstraints cannot exceed 10 items.")
    for constraint in constraints:
        if constraint.get("type") != "memberOf":
            raise ClientException(
                "placementConstraints.type of a task definition must be memberOf, not "
                f"'{str(constraint.get('type'))[:64]}'."
            )
