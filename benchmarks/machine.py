"""What a benchmark ran on, and how it prints."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence


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
