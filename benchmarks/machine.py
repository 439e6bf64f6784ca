"""What a benchmark ran on, and how it prints."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def header(title: str) -> None:
    cores = len(os.sched_getaffinity(0))
    docker = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    ).stdout.strip()
    print(f"== {title}")
    print(
        f"   {time.strftime('%Y-%m-%d')}, {cores} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, Docker {docker or 'none'}"
    )


def milliseconds(seconds: Sequence[float]) -> str:
    """Median and spread."""
    ordered = sorted(seconds)
    low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    median = statistics.median(ordered)
    return (
        f"{1000 * median:7.1f} ms  (10-90 %: {1000 * low:.1f}-{1000 * high:.1f}, n={len(ordered)})"
    )


QUIET_BUSY_SHARE = 0.25
QUIET_SAMPLE_SECONDS = 0.3
QUIET_DEADLINE_SECONDS = 15.0


def wait_until_quiet() -> float:
    """Let the work of what ran before end; returns how busy the machine still is (0 to 1).

    The kernel and the Engine take networks and file systems apart after they have said that a
    container is gone, and whoever measures next would pay for it. Gives up after some seconds:
    the machine may be shared.
    """
    deadline = time.monotonic() + QUIET_DEADLINE_SECONDS
    while True:
        busy, total = _processor_time()
        time.sleep(QUIET_SAMPLE_SECONDS)
        busy_after, total_after = _processor_time()
        share = (busy_after - busy) / max(1, total_after - total)
        if share < QUIET_BUSY_SHARE or time.monotonic() > deadline:
            return share


def _processor_time() -> tuple[int, int]:
    """Clock ticks of all cores since boot: not idle, and all."""
    user, nice, system, idle, iowait, *rest = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    busy = user + nice + system + sum(rest)
    return busy, busy + idle + iowait
