"""What RegisterTaskDefinition refuses of the parameters that become Docker's own settings.

Source: "Amazon ECS task definition parameters", developer guide.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import ClientException

Document = Mapping[str, Any]  # a request document: open-ended by nature

ULIMITS = (
    *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc"),
    *("rss", "rtprio", "rttime", "sigpending", "stack"),
)
CAPABILITIES = (
    *("ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE"),
    *("DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE"),
    *("NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"),
    *("SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO"),
    *("SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM"),
)
RESOURCE_TYPES = ("GPU", "InferenceAccelerator", "NeuronDevice")
# What would change the network namespace that all containers of an awsvpc task share.
NOT_WITH_AWSVPC = {
    "links": "Links are not supported",
    "hostname": "hostname is not supported on container",
    "extraHosts": "Extra hosts are not supported on container",
    "dnsServers": "DNS servers are not supported on container",
    "dnsSearchDomains": "DNS search domains are not supported on container",
    "disableNetworking": "Disable Networking is not supported on container",
}
RESTART_PERIOD_SECONDS = (60, 1800)
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")


def check_parameters(container: Document, network_mode: str) -> None:
    """Raise the first refusal of a container's parameters."""
    _check_pairs(container)
    _check_ulimits(container)
    _check_names(container, network_mode)
    _check_linux(container, container.get("linuxParameters") or {})
    for control in container.get("systemControls") or ():
        if not control.get("namespace") or not control.get("value"):
            raise _invalid(container, "systemControls: namespace and value must not be empty")
    policy: Document = container.get("restartPolicy") or {}
    period, (least, most) = policy.get("restartAttemptPeriod"), RESTART_PERIOD_SECONDS
    if period is not None and not least <= period <= most:
        raise _invalid(
            container, f"restartPolicy.restartAttemptPeriod must be between {least} and {most}"
        )
    for requirement in container.get("resourceRequirements") or ():
        if requirement.get("type") not in RESOURCE_TYPES:
            allowed = ",".join(RESOURCE_TYPES)
            raise _invalid(container, f"resourceRequirements.type must be one of [{allowed}]")


def _invalid(container: Document, text: str) -> ClientException:
    return ClientException(f"Invalid setting for container '{container['name']}'. {text}.")


def _check_pairs(container: Document) -> None:
    names: list[str] = []
    for pair in container.get("environment") or ():
        if not pair.get("name"):
            raise _invalid(container, "environment.name must not be empty")
        names.append(pair["name"])
    for secret in container.get("secrets") or ():
        if not secret.get("name") or not secret.get("valueFrom"):
            raise _invalid(container, "secrets: name and valueFrom must not be empty")
        if secret["name"] in names:
            raise ClientException(
                f"The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{secret['name']}'."
            )
        names.append(secret["name"])


def _check_ulimits(container: Document) -> None:
    for limit in container.get("ulimits") or ():
        if limit["name"] not in ULIMITS:
            raise _invalid(container, f"ulimits.name '{limit['name'][:64]}' is not a limit")
        if limit["softLimit"] > limit["hardLimit"]:
            raise _invalid(
                container,
                f"ulimits: softLimit of '{limit['name']}' must not exceed its hardLimit",
            )


def _check_names(container: Document, network_mode: str) -> None:
    if network_mode == "awsvpc":
        for field, text in NOT_WITH_AWSVPC.items():
            if container.get(field):
                raise ClientException(f"{text} when networkMode=awsvpc")
    elif network_mode == "host" and container.get("links"):
        raise _invalid(container, "links are not supported when networkMode=host")
    hostname = container.get("hostname")
    if hostname and not _HOSTNAME.fullmatch(hostname):
        raise _invalid(container, f"hostname '{hostname[:64]}' is not a host name")
    for host in container.get("extraHosts") or ():
        if not _HOSTNAME.fullmatch(host.get("hostname") or ""):
            raise _invalid(container, "extraHosts.hostname is not a host name")
        if not _is_address(host.get("ipAddress") or ""):
            raise _invalid(container, "extraHosts.ipAddress is not an address")
    for server in container.get("dnsServers") or ():
        if not _is_address(server):
            raise _invalid(container, f"dnsServers: '{server[:64]}' is not an address")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_linux(container: Document, linux: Document) -> None:
    for mount in linux.get("tmpfs") or ():
        if not (mount.get("containerPath") or "").startswith("/"):
            raise _invalid(container, "linuxParameters.tmpfs.containerPath must be a path")
        if mount.get("size", 0) < 1:
            raise _invalid(container, "linuxParameters.tmpfs.size must be at least 1 MiB")
    shared = linux.get("sharedMemorySize")
    if shared is not None and shared < 1:
        raise _invalid(container, "linuxParameters.sharedMemorySize must be at least 1 MiB")
    swap, swappiness = linux.get("maxSwap"), linux.get("swappiness")
    if swap is not None and swap < 0:
        raise _invalid(container, "linuxParameters.maxSwap must not be negative")
    if swappiness is not None and not 0 <= swappiness <= 100:
        raise _invalid(container, "linuxParameters.swappiness must be between 0 and 100")
    capabilities: Document = linux.get("capabilities") or {}
    for name in _all(capabilities, ("add", "drop")):
        if name not in CAPABILITIES:
            raise _invalid(container, f"linuxParameters.capabilities: '{name[:64]}' is unknown")
    for device in linux.get("devices") or ():
        if not (device.get("hostPath") or "").startswith("/"):
            raise _invalid(container, "linuxParameters.devices.hostPath must be a path")


def _all(document: Document, names: Iterable[str]) -> list[str]:
    return [value for name in names for value in document.get(name) or ()]
