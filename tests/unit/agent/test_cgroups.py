"""The control group of a task: where it is, what is written into it, and when there can be none.

On plain directories: what the kernel makes of it is shown by ``tests/system/test_task_limits.py``
(cgroup v1, as CI has it; version 2 is shown here only).
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from homeport.agent.cgroups import CgroupsUnusable, TaskCgroups, look, usable
from homeport.agent.container_spec import create_body
from homeport.agent.engine import EngineFacts
from homeport.agent.settings import AgentSettings, Credentials, SettingsError
from homeport.agent.settings import settings_from_environment as from_environment
from homeport.agent.surroundings import Surroundings
from homeport.domain.agent_payload import PayloadContainer, PayloadDockerConfig, PayloadTask

MIB = 1024 * 1024
TASK = PayloadTask(
    arn="arn:aws:ecs:us-east-1:1:task/default/0123abcd",
    desired_status="RUNNING",
    cpu=0.5,
    memory=256,
)
ENGINE = EngineFacts("20.10", "1.41", (), "172.17.0.1", "cgroupfs", "1")
SETTINGS = AgentSettings("http://127.0.0.1:4566", Path("/tmp"), Credentials("AKIA", "secret"))


@pytest.fixture
def v1(tmp_path: Path) -> TaskCgroups:
    for tree in ("cpu", "memory", "devices"):
        (tmp_path / tree).mkdir()
    return TaskCgroups(1, "/ecs", tmp_path)


def contents(directory: Path) -> dict[str, str]:
    return {f.name: f.read_text() for f in directory.iterdir()}


def test_version_1_has_a_group_per_controller(v1: TaskCgroups) -> None:
    assert v1.make(TASK) == "/ecs/0123abcd"
    assert contents(v1.root / "cpu/ecs/0123abcd") == {
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
        "cpu.shares": "512",
    }
    limit = {"memory.limit_in_bytes": str(256 * MIB)}
    assert contents(v1.root / "memory/ecs/0123abcd") == limit


def test_version_2_has_one_group_and_hands_its_controllers_down(tmp_path: Path) -> None:
    cgroups = TaskCgroups(2, "/node1/ecs", tmp_path)
    cgroups.check()
    for directory in ("", "node1", "node1/ecs"):
        control = tmp_path / directory / "cgroup.subtree_control"
        assert control.read_text() == "+cpu +memory"
    assert cgroups.make(TASK) == "/node1/ecs/0123abcd"
    assert contents(tmp_path / "node1/ecs/0123abcd") == {
        "cpu.max": "50000 100000",
        "memory.max": str(256 * MIB),
    }


def test_a_fargate_task_has_no_swap(tmp_path: Path) -> None:
    fargate = msgspec.structs.replace(TASK, launch_type="FARGATE")
    for version, tree, file, value in (
        (1, "memory/", "memory.memsw.limit_in_bytes", str(256 * MIB)),
        (2, "", "memory.swap.max", "0"),
    ):
        cgroups = TaskCgroups(version, "/ecs", tmp_path / str(version))
        swap = cgroups.root / f"{tree}ecs/0123abcd" / file
        swap.parent.mkdir(parents=True)
        swap.write_text("max")
        cgroups.make(TASK)
        assert swap.read_text() == "max"
        cgroups.make(fargate)
        assert swap.read_text() == value


def test_what_is_in_force_is_not_written_again(v1: TaskCgroups) -> None:
    """The kernel refuses a limit below what is used; an agent that comes back asks nothing new."""
    v1.make(TASK)
    limit = v1.root / "memory/ecs/0123abcd/memory.limit_in_bytes"
    limit.write_text(f"{256 * MIB}\n")
    v1.make(TASK)
    assert limit.read_text().endswith("\n")


def test_a_task_without_a_limit_has_no_group(v1: TaskCgroups) -> None:
    free = msgspec.structs.replace(TASK, cpu=0.0, memory=0)
    assert v1.make(free) == ""
    assert v1.remove(free)
    assert not (v1.root / "cpu/ecs").exists()


def test_a_group_goes_with_its_task_in_every_tree(v1: TaskCgroups) -> None:
    """The Engine makes it in the trees that Homeport needs not."""
    left = v1.root / "devices/ecs/0123abcd/container"
    left.mkdir(parents=True)
    assert v1.remove(TASK)
    assert not left.parent.exists()
    assert v1.remove(TASK), "again is fine"
    (left / "process").mkdir(parents=True)
    assert not v1.remove(TASK), "something is still in it"


def test_empty_groups_that_nobody_came_back_for_are_swept(v1: TaskCgroups) -> None:
    empty, used = (v1.root / "memory/ecs" / name for name in ("empty", "used"))
    empty.mkdir(parents=True)
    (used / "container").mkdir(parents=True)
    v1.sweep(time.time())
    assert empty.exists(), "it is new"
    v1.sweep(time.time() + 3700)
    assert not empty.exists()
    assert used.exists()


def test_a_hosts_owner_is_told_why_there_is_none(tmp_path: Path) -> None:
    systemd = msgspec.structs.replace(ENGINE, cgroup_driver="systemd")
    with pytest.raises(CgroupsUnusable, match="cgroup driver is systemd"):
        usable(SETTINGS, systemd, tmp_path)
    with pytest.raises(CgroupsUnusable, match="can't be written"):
        usable(SETTINGS, ENGINE, Path("/proc/nothing"))
    assert look(SETTINGS, systemd, tmp_path) is None
    assert look(SETTINGS, ENGINE, tmp_path) == TaskCgroups(1, "/ecs", tmp_path)


IN_GROUP = Surroundings(cgroup_parent="/ecs/0123abcd")


def test_without_a_group_the_tasks_limits_bound_each_container() -> None:
    alone = create_body(TASK, PayloadContainer("a", memory=64), (), "default", Surroundings())[
        "HostConfig"
    ]
    assert (alone["Memory"], alone["NanoCpus"]) == (64 * MIB, 500_000_000)
    body = create_body(TASK, PayloadContainer("a", memory=64), (), "default", IN_GROUP)
    assert body["HostConfig"]["CgroupParent"] == "/ecs/0123abcd"
    assert body["HostConfig"]["Memory"] == 64 * MIB
    assert "NanoCpus" not in body["HostConfig"]
    bare = create_body(TASK, PayloadContainer("a"), (), "default", IN_GROUP)
    assert "Memory" not in bare["HostConfig"]


def test_the_parent_group_is_a_setting() -> None:
    environment = {
        "HOMEPORT_AGENT_ENDPOINT": "http://127.0.0.1:4566",
        "HOMEPORT_AGENT_DATA_DIR": "/tmp",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    assert from_environment(environment).cgroup_parent == "/ecs"
    parent = {"HOMEPORT_AGENT_CGROUP_PARENT": "/node1/ecs/"}
    assert from_environment(environment | parent).cgroup_parent == "/node1/ecs"
    for wrong in ("ecs", "/", "/../ecs"):
        with pytest.raises(SettingsError):
            from_environment(environment | {"HOMEPORT_AGENT_CGROUP_PARENT": wrong})


def test_a_fargate_container_may_open_many_files_as_far_as_the_host_goes() -> None:
    fargate = msgspec.structs.replace(TASK, launch_type="FARGATE")

    def limits(task: PayloadTask, most: int, host_config: str = "{}") -> object:
        container = PayloadContainer(
            "a", docker_config=PayloadDockerConfig(host_config=host_config)
        )
        around = Surroundings(cgroup_parent="/ecs/0123abcd", open_files=most)
        return create_body(task, container, (), "default", around)["HostConfig"].get("Ulimits")

    assert limits(fargate, 1_000_000) == [{"Name": "nofile", "Soft": 65535, "Hard": 65535}]
    assert limits(fargate, 20_000) == [{"Name": "nofile", "Soft": 20_000, "Hard": 20_000}]
    own = '{"Ulimits": [{"Name": "nofile", "Soft": 9, "Hard": 10}]}'
    assert limits(fargate, 20_000, own) == [{"Name": "nofile", "Soft": 9, "Hard": 10}]
    assert limits(TASK, 1_000_000) is None
