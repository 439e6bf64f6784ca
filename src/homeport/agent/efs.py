"""EFS file systems on a host that has none: each is mapped to a directory or an NFS export.

``fs-123=/srv/efs`` is a directory of this host, ``fs-123=nfs:10.0.0.5:/export`` an NFS server's;
``fsap-456=…`` maps an access point. What fails is said as AWS's mount helper says it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from homeport.domain.agent_payload import PayloadEfsVolume

_KEY = re.compile(r"fs(ap)?-[0-9A-Za-z]+")
_NFS = re.compile(r"nfs:(?P<host>[^:/\s,]+|\[[0-9A-Fa-f:]+\]):(?P<path>/[^\s,]*)")
# What AWS's mount helper uses ("Mounting on Amazon EC2", EFS user guide).
MOUNT_FAILED = 32  # the exit code of mount(8)
NFS_OPTIONS = "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport"


class EfsError(Exception):
    """Why a file system can't be mounted; the text is the task's."""

    def __init__(self, stderr: str, code: int) -> None:
        super().__init__(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
            f"volumes: stderr: {stderr} : unsuccessful EFS utils command execution; code: {code}"
        )


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of this host, every symbolic link resolved."""

    path: str


@dataclass(frozen=True, slots=True)
class NfsExport:
    """A directory of an NFS server."""

    host: str
    path: str

    def volume(self) -> dict[str, object]:
        """The Engine's volume that mounts it."""
        options = {
            "type": "nfs",
            "o": f"addr={self.host.strip('[]')},{NFS_OPTIONS}",
            "device": f":{self.path}",
        }
        return {"Driver": "local", "DriverOpts": options, "Labels": {}}


def check_mapping(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The mapping as it was given; ValueError says what is wrong with it."""
    for name, target in mapping.items():
        if not _KEY.fullmatch(name):
            raise ValueError(f"{name!r} is not the id of a file system or an access point")
        if not _NFS.fullmatch(target) and not os.path.isabs(target):
            raise ValueError(f"{target!r} is neither an absolute path nor nfs:HOST:/PATH")
    return tuple(mapping.items())


def locate(
    wanted: PayloadEfsVolume, mapping: Mapping[str, str], region: str
) -> Directory | NfsExport:
    """Where a volume's file system is. Raises EfsError."""
    access = wanted.authorization_config
    point = (access.access_point_id if access else "") or ""
    target = mapping.get(point or wanted.file_system_id)
    if target is None and point:
        raise EfsError(
            f"The access point {point} is not mapped: homeport agent --efs {point}=DIRECTORY", 1
        )
    if target is None:
        name = f"{wanted.file_system_id}.efs.{region}.amazonaws.com"
        raise EfsError(
            f'Failed to resolve "{name}" - check that your file system ID is correct (on this '
            f"host: homeport agent --efs {wanted.file_system_id}=DIRECTORY).",
            1,
        )
    # Lexically below its root; "/" when nothing is said, as with an access point.
    inside = posixpath.normpath("/" + (wanted.root_directory or "/").lstrip("/"))
    if match := _NFS.fullmatch(target):
        return NfsExport(match["host"], match["path"].rstrip("/") + inside)
    return _directory(target, inside)


def _directory(root: str, inside: str) -> Directory:
    """Tasks can write links into the file system: one that leads out of it is not followed."""
    top = os.path.realpath(root)
    path = os.path.realpath(top + inside)
    if os.path.commonpath((top, path)) != top or not os.path.isdir(path):
        raise EfsError(
            f"b'mount.nfs4: mounting 127.0.0.1:{inside} failed, reason given by server: No such "
            "file or directory'",
            MOUNT_FAILED,
        )
    return Directory(path)
