"""What this host is and has."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from .engine import EngineFacts
from .settings import AgentSettings

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """``cpu`` in units (1024 a core), ``memory`` in MiB.

    ``capabilities``: attributes that not every host of this agent has.
    """

    cpu: int
    memory: int
    address: str
    architecture: str
    kernel: str
    capabilities: tuple[str, ...] = ()


def look_at_host(
    settings: AgentSettings, engine: EngineFacts, capabilities: tuple[str, ...]
) -> Host:
    """Cores, memory left for tasks, and the address load balancers use."""
    total = total_memory(Path("/proc/meminfo").read_text())
    return Host(
        cpu=1024 * usable_cores(),
        memory=max(0, total - settings.reserved_memory),
        address=settings.host_address or find_address(settings, engine),
        architecture=platform.machine(),
        kernel=platform.release(),
        capabilities=capabilities,
    )


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def open_files_limit() -> int:
    """The most files that a process of this host may open, as far as this one knows."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def total_memory(meminfo: str) -> int:
    """``MemTotal`` in MiB."""
    fields: Mapping[str, str] = dict(
        line.split(":", 1) for line in meminfo.splitlines() if ":" in line
    )
    return int(fields["MemTotal"].split()[0]) // 1024


def find_address(settings: AgentSettings, engine: EngineFacts) -> str:
    """Where host ports can be reached: never through 127.0.0.1's proxy, which is slow."""
    if settings.endpoint_is_local and engine.bridge_gateway:
        return engine.bridge_gateway
    return source_address(urlsplit(settings.endpoint_url).hostname or "") or "127.0.0.1"


def source_address(peer: str) -> str:
    """The address from which this host would speak to ``peer`` ('' = the default route)."""
    for destination in (peer, "192.0.2.1"):  # TEST-NET-1: nothing is sent by connect on UDP
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((destination, 9))
                address = str(probe.getsockname()[0])
        except OSError:
            continue
        if not address.startswith("127."):
            return address
    return ""


def end_with_parent(parent_pid: int, signal_number: int) -> bool:
    """Ask the kernel for a signal when the parent ends; false if it has ended already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    return os.getppid() == parent_pid
