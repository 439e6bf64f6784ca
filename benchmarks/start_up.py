"""Seconds from start to ready, and memory when idle. Aims: 2 s, 150 MB without Envoy.

Every start is a new process on a new data directory, timed from outside: until the line that
says it is ready, and until a first request is answered. Memory is read from /proc after some idle
seconds: PSS shares out what several processes map, RSS counts all of it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from machine import header
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane, eventually, free_port

ROUNDS = 5
IDLE_SECONDS = 5.0
START_DEADLINE_SECONDS = 30.0


def start_to_ready() -> tuple[float, float]:
    """Seconds until the ready line, and until /health is answered."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        began = time.monotonic()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "homeport", "up", "--no-agent"),
                *("--data", directory, "--listen", f"127.0.0.1:{port}"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        deadline = threading.Timer(START_DEADLINE_SECONDS, process.kill)
        deadline.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            ready = time.monotonic() - began
            assert "is ready" in line, f"it ended without being ready: {line!r}"
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10).read()
            return ready, time.monotonic() - began
        finally:
            deadline.cancel()
            process.terminate()
            process.communicate(timeout=20)


def python_alone() -> float:
    """Seconds of an interpreter that does nothing."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=30)
    return time.monotonic() - began


def memory(pid: int) -> str:
    """PSS and RSS."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    pss, rss = (int(fields[name].split()[0]) / 1024 for name in ("Pss", "Rss"))
    return f"{pss:4.0f} MB PSS, {rss:4.0f} MB RSS"


def use(plane: ControlPlane) -> None:
    """A few calls to each service, as a first user makes them, then idle."""
    ecs, elbv2, ec2 = (plane.client(name) for name in ("ecs", "elbv2", "ec2"))
    ecs.create_cluster(clusterName=plane.cluster)
    for _ in range(20):
        ecs.list_tasks(cluster=plane.cluster)
        elbv2.describe_load_balancers()
        ec2.describe_subnets()
    time.sleep(IDLE_SECONDS)


def pid_of(plane: ControlPlane) -> int:
    assert plane.process is not None
    return plane.process.pid


def add_load_balancer(plane: ControlPlane) -> None:
    """Returns when its port is open."""
    elbv2 = plane.client("elbv2")
    subnets = plane.client("ec2").describe_subnets()["Subnets"][:2]
    balancer = elbv2.create_load_balancer(
        Name="benchmark", Subnets=[s["SubnetId"] for s in subnets]
    )["LoadBalancers"][0]
    port = free_port()
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    eventually("the load balancer answers", answers, 30)


def report_memory() -> None:
    aim = "(aim 150 MB)"
    with running(agent=False) as plane:
        time.sleep(IDLE_SECONDS)
        print(f"   idle, control plane just started:    {memory(pid_of(plane))} {aim}")
        use(plane)
        print(f"   after calls to three services:       {memory(pid_of(plane))} {aim}")
        add_load_balancer(plane)
        time.sleep(IDLE_SECONDS)
        print(f"   with a load balancer (Envoy apart):  {memory(pid_of(plane))} {aim}")
    with running() as plane:
        use(plane)
        (agent,) = plane.agent_pids()
        print(f"   control plane that runs its agent:   {memory(pid_of(plane))} {aim}")
        print(f"   the agent:                           {memory(agent)}")


def main() -> None:
    header("Start to ready, and idle memory")
    starts, pythons = [], []
    for _ in range(ROUNDS):
        pythons.append(python_alone())
        starts.append(start_to_ready())
    line, answer = (statistics.median(each) for each in zip(*starts, strict=True))
    print(
        f"   start to the ready line {line:.2f} s, to the first answer {answer:.2f} s (aim 2 s; "
        f"median of {ROUNDS}; python -c pass: {statistics.median(pythons):.2f} s)"
    )
    report_memory()


if __name__ == "__main__":
    main()
