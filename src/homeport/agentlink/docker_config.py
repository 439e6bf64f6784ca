"""Container definition → the Docker API documents that travel inside a payload.

The official agent takes health check, logging, limits, labels and the like as Docker Engine
JSON (``dockerConfig.config`` and ``dockerConfig.hostConfig``): the control plane translates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MIB = 1024 * 1024
NANOSECONDS = 1_000_000_000

Document = Mapping[str, Any]  # a container definition as registered: open-ended by nature


def config(definition: Document) -> dict[str, Any]:
    """Docker's ``Config``: what belongs to the container itself."""
    wanted: dict[str, Any] = {
        "User": definition.get("user"),
        "WorkingDir": definition.get("workingDirectory"),
        "Hostname": definition.get("hostname"),
        "Tty": definition.get("pseudoTerminal"),
        "OpenStdin": definition.get("interactive"),
        "Labels": definition.get("dockerLabels"),
        "NetworkDisabled": definition.get("disableNetworking"),
        "Healthcheck": _health_check(definition.get("healthCheck")),
    }
    return {name: value for name, value in wanted.items() if value}


def host_config(
    definition: Document, network_mode: str, logging: Document | None = None
) -> dict[str, Any]:
    """Docker's ``HostConfig``: limits, capabilities, logging, name resolution."""
    linux: Document = definition.get("linuxParameters") or {}
    capabilities: Document = linux.get("capabilities") or {}
    wanted: dict[str, Any] = {
        "Privileged": definition.get("privileged"),
        "ReadonlyRootfs": definition.get("readonlyRootFilesystem"),
        "MemoryReservation": (definition.get("memoryReservation") or 0) * MIB,
        "Dns": definition.get("dnsServers"),
        "DnsSearch": definition.get("dnsSearchDomains"),
        "ExtraHosts": [
            f"{h['hostname']}:{h['ipAddress']}" for h in definition.get("extraHosts", ())
        ],
        "SecurityOpt": definition.get("dockerSecurityOptions"),
        "Ulimits": _ulimits(definition.get("ulimits", ())),
        "Sysctls": {c["namespace"]: c["value"] for c in definition.get("systemControls", ())},
        "LogConfig": logging,
        "Init": linux.get("initProcessEnabled"),
        "ShmSize": (linux.get("sharedMemorySize") or 0) * MIB,
        "Tmpfs": {t["containerPath"]: _tmpfs(t) for t in linux.get("tmpfs", ())},
        "Devices": [_device(d) for d in linux.get("devices", ())],
        "MemorySwap": _memory_swap(definition.get("memory"), linux.get("maxSwap")),
    }
    if linux.get("maxSwap") is not None and linux.get("swappiness") is not None:
        wanted["MemorySwappiness"] = linux["swappiness"] or None
    return {
        "NetworkMode": network_mode,
        "CapAdd": capabilities.get("add") or [],
        "CapDrop": capabilities.get("drop") or [],
        **{name: value for name, value in wanted.items() if value},
    }


def _health_check(check: Document | None) -> dict[str, Any] | None:
    if not check:
        return None
    return {
        "Test": list(check["command"]),
        "Interval": check.get("interval", 30) * NANOSECONDS,
        "Timeout": check.get("timeout", 5) * NANOSECONDS,
        "Retries": check.get("retries", 3),
        "StartPeriod": check.get("startPeriod", 0) * NANOSECONDS,
    }


def _ulimits(limits: Sequence[Document]) -> list[dict[str, Any]]:
    return [{"Name": u["name"], "Soft": u["softLimit"], "Hard": u["hardLimit"]} for u in limits]


def _tmpfs(mount: Document) -> str:
    return ",".join([f"size={mount['size']}m", *mount.get("mountOptions", ())])


def _memory_swap(memory: int | None, max_swap: int | None) -> int | None:
    """Docker's limit is memory and swap together; without ``maxSwap`` it is the Engine's own."""
    if max_swap is None or memory is None:
        return None
    return (memory + max_swap) * MIB


def _device(device: Document) -> dict[str, str]:
    letters = {"read": "r", "write": "w", "mknod": "m"}
    permissions = device.get("permissions") or ("read", "write", "mknod")
    return {
        "PathOnHost": device["hostPath"],
        "PathInContainer": device.get("containerPath") or device["hostPath"],
        "CgroupPermissions": "".join(letters[p] for p in permissions),
    }
