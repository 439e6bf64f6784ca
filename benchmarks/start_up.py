"""Seconds from start to ready, and memory when idle. Aims: 2 s, 150 MB without Envoy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from machine import header
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import free_port

ROUNDS = 5
IDLE_SECONDS = 5


def start_to_ready() -> float:
    """Until /health is answered, with a new data directory."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        began = time.monotonic()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "homeport", "up", "--no-agent"),
                *("--data", directory, "--listen", f"127.0.0.1:{port}"),
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
                    return time.monotonic() - began
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.005)
        finally:
            process.terminate()
            process.wait(20)


def memory(pid: int) -> tuple[float, float]:
    """PSS and RSS in MB."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("Pss", "Rss"))  # type: ignore[return-value]


def main() -> None:
    header("Start to ready, and idle memory")
    seconds = [start_to_ready() for _ in range(ROUNDS)]
    print(f"   start to ready: {statistics.median(seconds):.2f} s median of {ROUNDS} (aim 2 s)")
    with running() as plane:
        ecs = plane.client("ecs")
        for _ in range(20):
            ecs.list_tasks(cluster=plane.cluster)
        time.sleep(IDLE_SECONDS)
        assert plane.process is not None
        pids = {"control plane": plane.process.pid, "local agent": plane.agent_pids()[0]}
        for name, pid in pids.items():
            pss, rss = memory(pid)
            aim = " (aim 150 MB)" if name == "control plane" else ""
            print(f"   idle {name}: {pss:.0f} MB PSS, {rss:.0f} MB RSS{aim}")


if __name__ == "__main__":
    main()
