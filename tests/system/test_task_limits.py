"""A task's own cpu and memory bound its containers together, on the real Engine and kernel."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

MIB = 1024 * 1024
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
CGROUPS = Path("/sys/fs/cgroup")
V2 = (CGROUPS / "cgroup.controllers").exists()

# Holds 36 MB once /tmp/go is there; takes twice that for a moment while it reads them.
EAT = """
while ! test -e /tmp/go; do sleep 0.1; done
x=$(yes 0123456789 | head -c 36000000); touch /tmp/full; sleep 600; echo $x
"""


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


def groups_of(task: Running) -> list[Path]:
    """Every directory that the kernel keeps for the task's control group."""
    name = f"ecs/{task.arn.rsplit('/', 1)[-1]}"
    found = [CGROUPS / name, *(tree / name for tree in CGROUPS.iterdir())]
    return [path for path in found if path.is_dir()]


def read(task: Running, v1: str, v2: str) -> str:
    """A file of the task's control group; ``v1`` is CONTROLLER/FILE."""
    group = f"ecs/{task.arn.rsplit('/', 1)[-1]}"
    controller, _, file = v1.partition("/")
    return (CGROUPS / group / v2 if V2 else CGROUPS / controller / group / file).read_text()


def fill(task: Running, name: str) -> None:
    docker("exec", task.containers()[name]["Id"], "touch", "/tmp/go")


def is_full(task: Running, name: str) -> bool:
    return docker("exec", task.containers()[name]["Id"], "ls", "/tmp").split() == ["full", "go"]


def test_containers_may_each_use_less_than_the_task_but_not_more_together(
    plane: ControlPlane,
) -> None:
    eaters = (container(name, EAT, memory=90) for name in ("one", "two"))
    task = run(plane, register(plane, *eaters, memory="180"), overrides={"memory": "96"})
    task.reaches("RUNNING")
    assert int(read(task, "memory/memory.limit_in_bytes", "memory.max")) == 96 * MIB
    for found in task.containers().values():
        assert found["HostConfig"]["Memory"] == 90 * MIB
    fill(task, "one")
    eventually("the first container holds 36 MB", lambda: is_full(task, "one"), 30)
    assert task.describe()["lastStatus"] == "RUNNING"
    fill(task, "two")
    seen = task.reaches("STOPPED")
    killed = [c for c in seen["containers"] if c.get("reason") == OUT_OF_MEMORY]
    assert [c["exitCode"] for c in killed] == [137], seen["containers"]
    assert seen["stoppedReason"] == "Essential container in task exited"
    assert seen["stopCode"] == "EssentialContainerExited"


def test_a_container_without_a_limit_has_the_tasks(plane: ControlPlane) -> None:
    eater = container(command="x=$(yes | head -c 36000000); echo ${#x}")
    del eater["memory"]
    task = run(plane, register(plane, eater, memory="32"))
    (seen,) = task.reaches("STOPPED")["containers"]
    assert seen["exitCode"] == 137
    assert seen["reason"] == OUT_OF_MEMORY


def test_two_busy_containers_share_the_tasks_cpu(plane: ControlPlane) -> None:
    busy = (container(name, "while :; do :; done") for name in ("one", "two"))
    task = run(plane, register(plane, *busy, cpu="256", memory="64"))
    task.reaches("RUNNING")

    def throttled() -> int:
        lines = dict(line.split() for line in read(task, "cpu/cpu.stat", "cpu.stat").splitlines())
        return int(lines["nr_throttled"])

    def used() -> float:
        if V2:
            return int(read(task, "", "cpu.stat").split()[1]) / 1e6
        return int(read(task, "cpuacct/cpuacct.usage", "")) / 1e9

    eventually("the kernel has held the task back", lambda: throttled() > 3, 30)
    before, began = used(), time.monotonic()
    eventually("3 s have passed", lambda: time.monotonic() - began >= 3)
    cores = (used() - before) / (time.monotonic() - began)
    task.stop()
    assert cores < 0.25 * 1.2
    task.reaches("STOPPED")


def test_the_limit_outlives_the_agent_and_ends_with_the_task(plane: ControlPlane) -> None:
    task = run(plane, register(plane, container(), cpu="512", memory="48"))
    task.reaches("RUNNING")
    plane.kill_agent()
    plane.wait_for_instance()
    assert int(read(task, "memory/memory.limit_in_bytes", "memory.max")) == 48 * MIB
    parent = task.containers()["main"]["HostConfig"]["CgroupParent"]
    assert parent == f"/ecs/{task.arn.rsplit('/', 1)[-1]}"
    task.stop()
    task.reaches("STOPPED")
    eventually("its control groups are gone", lambda: not groups_of(task), 30)
