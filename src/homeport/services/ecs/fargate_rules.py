"""What RegisterTaskDefinition refuses of a definition that requires FARGATE, in AWS's words.

Sources: "Amazon ECS task definition differences for Fargate" and "task definition parameters",
developer guide; the texts are those that AWS's answers quote in public issue threads. Members
that no awsvpc task may have are in ``container_parameter_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import ClientException
from .task_size import check_fargate_size, parse_size

Document = Mapping[str, Any]  # a request document: open-ended by nature

LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
EPHEMERAL_GIB = (21, 200)
MAX_STOP_SECONDS = 120
WINDOWS_LEAST_CPU = 1024

_ECR_IMAGE = re.compile(r"[0-9]{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/.+")
_VOLUMES = ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration")
_LINUX = ("devices", "tmpfs", "sharedMemorySize", "maxSwap", "swappiness")
# Namespaced kernel parameters: those of the network and of System V and POSIX IPC.
_CONTROLS = re.compile(
    r"net\..+|fs\.mqueue\..+|kernel\.(msgmax|msgmnb|msgmni|sem|shm(all|max|mni|_rmid_forced))"
)


def is_ecr_image(image: str) -> bool:
    """Whether an image is named by a repository URI of ECR: then pulling it needs ECR."""
    return _ECR_IMAGE.fullmatch(image) is not None


def check_fargate(request: Document) -> None:
    """Raise the first refusal of what a definition that requires FARGATE has or lacks."""
    _check_task(request)
    for volume in request.get("volumes") or ():
        if (volume.get("host") or {}).get("sourcePath"):
            raise _unsupported("sourcePath")
        for name in _VOLUMES:
            if volume.get(name):
                raise _unsupported(name)
    for container in request["containerDefinitions"]:
        _check_container(container)
        _check_linux(container.get("linuxParameters") or {})
        _check_execution_role(container, request)


def check_ephemeral_storage(document: Document) -> None:
    """Raise unless ``ephemeralStorage`` is absent or of a size that Fargate has."""
    least, most = EPHEMERAL_GIB
    size = (document.get("ephemeralStorage") or {}).get("sizeInGiB")
    if size is not None and not least <= size <= most:
        raise ClientException(f"ephemeralStorage.sizeInGiB must be between {least} and {most}.")


def _unsupported(name: str) -> ClientException:
    return ClientException(f"Fargate compatible task definitions do not support {name}")


def _check_task(request: Document) -> None:
    for field in ("cpu", "memory"):
        if not request.get(field):
            raise ClientException(f"Fargate requires that '{field}' be defined at the task level.")
    cpu, memory = parse_size(request["cpu"], "cpu"), parse_size(request["memory"], "memory")
    check_fargate_size(cpu, memory)
    platform: Document = request.get("runtimePlatform") or {}
    windows = str(platform.get("operatingSystemFamily") or "").startswith("WINDOWS")
    if windows and (cpu or 0) < WINDOWS_LEAST_CPU:
        check_fargate_size(None, memory)
    if request.get("networkMode") != "awsvpc":
        raise ClientException("Fargate only supports network mode ‘awsvpc’.")
    if request.get("ipcMode"):
        raise _unsupported("ipcMode")
    if request.get("pidMode") not in (None, "", "task"):
        raise ClientException(
            f"Tasks using the Fargate launch type do not support pidMode '{request['pidMode']}'. "
            "The supported value for pidMode is 'task'."
        )
    if request.get("placementConstraints"):
        raise _unsupported("constraints")
    if request.get("inferenceAccelerators"):
        raise ClientException("Unsupported field 'inferenceAccelerators'")
    check_ephemeral_storage(request)


def _check_container(container: Document) -> None:
    if container.get("privileged"):
        raise ClientException("Fargate requires that the 'privileged' setting be 'false'")
    if container.get("dockerSecurityOptions"):
        raise _unsupported("dockerSecurityOptions")
    for requirement in container.get("resourceRequirements") or ():
        if requirement.get("type") == "GPU":
            raise ClientException(
                "Tasks using the Fargate launch type do not support GPU resource requirements"
            )
    if (container.get("stopTimeout") or 0) > MAX_STOP_SECONDS:
        raise ClientException(
            "Tasks using the Fargate launch type must have a container stop timeout of less than "
            f"{MAX_STOP_SECONDS} seconds."
        )
    for control in container.get("systemControls") or ():
        name = control.get("namespace") or ""
        if not _CONTROLS.fullmatch(name):
            raise _unsupported(f"systemControls of the namespace '{name[:64]}'")
    logging: Document = container.get("logConfiguration") or {}
    driver = logging.get("logDriver")
    if driver is not None and driver not in LOG_DRIVERS:
        allowed = ", ".join(LOG_DRIVERS)
        raise ClientException(f"{driver} is not a valid log driver. Must be one of [{allowed}]")
    if driver == "awslogs" and not (logging.get("options") or {}).get("awslogs-stream-prefix"):
        raise ClientException("Log driver awslogs requires options: awslogs-stream-prefix")


def _check_linux(linux: Document) -> None:
    for name in _LINUX:
        if linux.get(name) is not None and linux[name] != []:
            raise _unsupported(name)
    for capability in (linux.get("capabilities") or {}).get("add") or ():
        if capability != "SYS_PTRACE":
            raise ClientException(f"{capability} is not allowed on Fargate.")


def _check_execution_role(container: Document, request: Document) -> None:
    if request.get("executionRoleArn"):
        return
    needs = "Fargate requires task definition to have execution role ARN to support"
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        raise ClientException(f"{needs} log driver awslogs.")
    if is_ecr_image(container["image"]):
        raise ClientException(f"{needs} ECR images.")
