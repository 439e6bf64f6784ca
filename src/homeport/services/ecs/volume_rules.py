"""What RegisterTaskDefinition accepts as ``volumes``.

Sources: "DockerVolumeConfiguration", "EFSVolumeConfiguration" and "EFSAuthorizationConfig", ECS
API reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import ClientException

# Of these a volume has one at most.
CONFIGURATIONS = (
    "dockerVolumeConfiguration",
    "efsVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration",
    "s3filesVolumeConfiguration",
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FILE_SYSTEM = re.compile(r"fs-[0-9A-Za-z]{1,60}")
_ACCESS_POINT = re.compile(r"fsap-[0-9A-Za-z]{1,60}")

Document = Mapping[str, Any]  # a request document: open-ended by nature


def check_volumes(request: Document) -> set[str]:
    """The names of the volumes of a task definition; raises ClientException."""
    names: set[str] = set()
    for volume in request.get("volumes") or ():
        name = volume.get("name") or ""
        if not _NAME.fullmatch(name):
            raise ClientException(
                "Volume.name should not be null or empty and may contain up to 255 letters, "
                "numbers, underscores and hyphens: volumes.name."
            )
        if name in names:
            raise ClientException(f"Volume names must be unique: volumes.name '{name}'.")
        _check_one_configuration(volume)
        _check_docker(volume)
        _check_efs(volume)
        names.add(name)
    return names


def _check_one_configuration(volume: Document) -> None:
    given = [name for name in CONFIGURATIONS if volume.get(name)]
    if (volume.get("host") or {}).get("sourcePath"):
        given.append("host")
    if volume.get("configuredAtLaunch"):
        given.append("configuredAtLaunch")
    if len(given) > 1:
        raise ClientException(
            f"Only one volume configuration is allowed: {' and '.join(given)} of volume "
            f"'{volume['name']}'."
        )


def _check_docker(volume: Document) -> None:
    docker: Document = volume.get("dockerVolumeConfiguration") or {}
    if not docker:
        return
    where = f"dockerVolumeConfiguration of volume '{volume['name']}'"
    scope = docker.get("scope") or "task"
    if scope not in ("task", "shared"):
        raise ClientException(f"scope '{scope[:64]}' should be one of [task,shared]: {where}.")
    if scope == "task" and docker.get("autoprovision") is not None:
        raise ClientException(f"autoprovision is only for the scope shared: {where}.")


def _check_efs(volume: Document) -> None:
    efs: Document | None = volume.get("efsVolumeConfiguration")
    if efs is None:
        return
    where = f"efsVolumeConfiguration of volume '{volume['name']}'"
    file_system = efs.get("fileSystemId") or ""
    if not _FILE_SYSTEM.fullmatch(file_system):
        raise ClientException(f"fileSystemId '{file_system[:64]}' is not valid: {where}.")
    access: Document = efs.get("authorizationConfig") or {}
    point = access.get("accessPointId") or ""
    if point and not _ACCESS_POINT.fullmatch(point):
        raise ClientException(f"accessPointId '{point[:64]}' is not valid: {where}.")
    for member, document in (("transitEncryption", efs), ("iam", access)):
        if document.get(member) not in (None, "ENABLED", "DISABLED"):
            raise ClientException(f"{member} should be one of [ENABLED,DISABLED]: {where}.")
    if (point or access.get("iam") == "ENABLED") and efs.get("transitEncryption") != "ENABLED":
        raise ClientException(
            "transitEncryption must be ENABLED when an access point or IAM authorization is "
            f"used: {where}."
        )
    if point and efs.get("rootDirectory") not in (None, "", "/"):
        raise ClientException(
            f"rootDirectory must be omitted or '/' when an access point is used: {where}."
        )
    port = efs.get("transitEncryptionPort")
    if port is not None and not 0 <= port <= 65535:
        raise ClientException(f"transitEncryptionPort must be between 0 and 65535: {where}.")
