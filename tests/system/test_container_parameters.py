"""What a container definition says is so inside the container, and the Engine agrees."""

from __future__ import annotations

import contextlib
import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from conftest import running
from control_plane import ControlPlane, eventually, free_port
from docker_engine import docker
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


TASK_MEMBERS = ("volumes", "networkMode", "pidMode", "ipcMode")


def said(plane: ControlPlane, command: str, *others: dict[str, Any], **more: Any) -> str:
    """What the command prints in a container of a task; it must end with 0."""
    task_members = {k: more.pop(k) for k in TASK_MEMBERS if k in more}
    definition = register(plane, container(command=command, **more), *others, **task_members)
    task = run(plane, definition)
    seen = task.reaches("STOPPED")
    output = docker("logs", task.containers()["main"]["Id"])
    codes = {c["name"]: c.get("exitCode") for c in seen["containers"]}
    assert codes["main"] == 0, (output, seen["containers"])
    return output.strip()


def inspected(plane: ControlPlane, **more: Any) -> dict[str, Any]:
    """``docker inspect`` of a running container."""
    task = run(plane, register(plane, container(**more)))
    try:
        task.reaches("RUNNING")
        return task.containers()["main"]
    finally:
        task.stop()


def test_execution_environment(plane: ControlPlane) -> None:
    assert said(plane, "echo $AWS_EXECUTION_ENV") == "AWS_ECS_EC2"


def test_user(plane: ControlPlane) -> None:
    assert said(plane, "id -u", user="1234") == "1234"


def test_working_directory(plane: ControlPlane) -> None:
    assert said(plane, "pwd", workingDirectory="/tmp") == "/tmp"


def test_hostname(plane: ControlPlane) -> None:
    assert said(plane, "hostname", hostname="harbour") == "harbour"


def test_readonly_root_filesystem(plane: ControlPlane) -> None:
    command = "if touch /x 2>/dev/null; then echo writable; else echo readonly; fi"
    assert said(plane, command, readonlyRootFilesystem=True) == "readonly"
    assert said(plane, command) == "writable"


def test_tmpfs(plane: ControlPlane) -> None:
    tmpfs = [{"containerPath": "/scratch", "size": 7, "mountOptions": ["noexec"]}]
    line = said(plane, "grep ' /scratch ' /proc/mounts", linuxParameters={"tmpfs": tmpfs})
    assert line.startswith("tmpfs /scratch tmpfs")
    assert "noexec" in line
    assert "size=7168k" in line


def test_shared_memory_size(plane: ControlPlane) -> None:
    line = said(plane, "grep ' /dev/shm ' /proc/mounts", linuxParameters={"sharedMemorySize": 9})
    assert "size=9216k" in line


def test_ulimits(plane: ControlPlane) -> None:
    limits = [{"name": "nofile", "softLimit": 321, "hardLimit": 654}]
    assert said(plane, "ulimit -n; ulimit -Hn", ulimits=limits).split() == ["321", "654"]


def test_capabilities(plane: ControlPlane) -> None:
    command = "grep CapEff /proc/self/status"
    usual = int(said(plane, command).split()[1], 16)
    changed = said(
        plane,
        command,
        linuxParameters={"capabilities": {"add": ["SYS_TIME"], "drop": ["CHOWN"]}},
    )
    effective = int(changed.split()[1], 16)
    chown, sys_time = 1 << 0, 1 << 25
    assert usual & chown
    assert not usual & sys_time
    assert effective & sys_time
    assert not effective & chown


def test_privileged(plane: ControlPlane) -> None:
    """Where the machine itself forbids it, the task says so in the Engine's words."""
    task = run(plane, register(plane, container(privileged=True)))
    eventually("it runs or has failed", lambda: _is_over_the_start(task), 30)
    assert task.containers()["main"]["HostConfig"]["Privileged"] is True
    task.stop()


def _is_over_the_start(task: Running) -> bool:
    return task.describe()["lastStatus"] in ("RUNNING", "STOPPED")


def test_init_process(plane: ControlPlane) -> None:
    assert said(plane, "echo $$") == "1"
    started = inspected(plane, linuxParameters={"initProcessEnabled": True})
    assert started["HostConfig"]["Init"] is True


def test_devices(plane: ControlPlane) -> None:
    devices = [{"hostPath": "/dev/null", "containerPath": "/dev/void", "permissions": ["read"]}]
    assert said(plane, "test -c /dev/void && echo there", linuxParameters={"devices": devices}) == (
        "there"
    )


def test_extra_hosts_and_dns(plane: ControlPlane) -> None:
    hosts = [{"hostname": "lighthouse", "ipAddress": "10.9.8.7"}]
    seen = said(
        plane,
        "cat /etc/hosts /etc/resolv.conf",
        extraHosts=hosts,
        dnsServers=["10.1.1.1"],
        dnsSearchDomains=["harbour.test"],
    )
    assert "10.9.8.7\tlighthouse" in seen
    assert "nameserver 10.1.1.1" in seen
    assert "search harbour.test" in seen


def test_links(plane: ControlPlane) -> None:
    db = container("db", "sleep 5", essential=False)
    seen = said(plane, "cat /etc/hosts", db, links=["db:database"])
    assert "database" in seen


def test_system_controls(plane: ControlPlane) -> None:
    controls = [{"namespace": "net.core.somaxconn", "value": "321"}]
    assert said(plane, "cat /proc/sys/net/core/somaxconn", systemControls=controls) == "321"


def test_docker_labels_and_security_options(plane: ControlPlane) -> None:
    seen = inspected(
        plane,
        dockerLabels={"team": "harbour"},
        dockerSecurityOptions=["no-new-privileges"],
        pseudoTerminal=True,
        interactive=True,
    )
    assert seen["Config"]["Labels"]["team"] == "harbour"
    assert seen["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert seen["Config"]["Tty"] is True
    assert seen["Config"]["OpenStdin"] is True


def test_disable_networking(plane: ControlPlane) -> None:
    assert said(plane, "ls /sys/class/net", disableNetworking=True) == "lo"


def test_network_mode_none(plane: ControlPlane) -> None:
    assert said(plane, "ls /sys/class/net", networkMode="none") == "lo"


def answer(port: int) -> str:
    """What the port serves, or nothing."""
    with contextlib.suppress(OSError):
        return str(urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode().strip())
    return ""


def test_a_range_of_ports(plane: ControlPlane) -> None:
    """As many host ports in a row, told as one range, and each leads to its own."""
    serve = "mkdir /w; for p in 8000 8001 8002; do echo $p > /w/index.html; cp -r /w /w$p; "
    serve += "httpd -p $p -h /w$p; done; sleep 600"
    mapping = {"containerPortRange": "8000-8002"}
    task = run(plane, register(plane, container(command=serve, portMappings=[mapping])))
    seen = task.reaches("RUNNING")
    (binding,) = seen["containers"][0]["networkBindings"]
    assert binding["containerPortRange"] == "8000-8002"
    assert "containerPort" not in binding
    assert "hostPort" not in binding
    first, _, last = binding["hostPortRange"].partition("-")
    assert int(last) - int(first) == 2

    for number in range(3):
        wanted, port = str(8000 + number), int(first) + number
        eventually(f"port {port} answers", lambda w=wanted, p=port: answer(p) == w, 20)
    task.stop()


def test_static_and_udp_ports(plane: ControlPlane) -> None:
    port = free_port()
    mappings = [
        {"containerPort": 80, "hostPort": port},
        {"containerPort": 5353, "protocol": "udp"},
    ]
    serve = "mkdir /w; echo ahoy > /w/index.html; exec httpd -f -p 80 -h /w"
    task = run(plane, register(plane, container(command=serve, portMappings=mappings)))
    tcp, udp = task.reaches("RUNNING")["containers"][0]["networkBindings"]
    assert (tcp["containerPort"], tcp["hostPort"], tcp["protocol"]) == (80, port, "tcp")
    assert (udp["containerPort"], udp["protocol"]) == (5353, "udp")
    published = task.containers()["main"]["NetworkSettings"]["Ports"]
    assert published["5353/udp"][0]["HostPort"] == str(udp["hostPort"])
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        pytest.raises(OSError, match="in use"),
    ):
        other.bind(("0.0.0.0", udp["hostPort"]))
    eventually("it answers", lambda: answer(port) == "ahoy", 20)
    task.stop()


def test_log_configuration(plane: ControlPlane) -> None:
    logging = {"logDriver": "json-file", "options": {"max-size": "1m"}}
    seen = inspected(plane, logConfiguration=logging)
    assert seen["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}


def test_host_volumes(plane: ControlPlane, tmp_path: Path) -> None:
    (tmp_path / "greeting").write_text("ahoy\n")
    said_there = said(
        plane,
        "cat /there/greeting; echo back > /there/answer",
        mountPoints=[{"sourceVolume": "there", "containerPath": "/there"}],
        volumes=[{"name": "there", "host": {"sourcePath": str(tmp_path)}}],
    )
    assert said_there == "ahoy"
    assert (tmp_path / "answer").read_text() == "back\n"


def test_docker_volumes(plane: ControlPlane) -> None:
    """Of the task: gone with it. Shared: made once if that is asked for, and kept."""
    shared = f"homeport-test-{uuid.uuid4().hex[:8]}"
    mounts = [
        {"sourceVolume": "own", "containerPath": "/own"},
        {"sourceVolume": shared, "containerPath": "/shared"},
    ]
    volumes = [
        {"name": "own", "dockerVolumeConfiguration": {"scope": "task", "labels": {"a": "b"}}},
        {
            "name": shared,
            "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True},
        },
    ]
    write = "touch /own/x; echo kept > /shared/list; cat /shared/list"
    try:
        assert said(plane, write, mountPoints=mounts, volumes=volumes) == "kept"
        again = said(plane, "ls /own; cat /shared/list", mountPoints=mounts, volumes=volumes)
        assert again == "kept", "the task's own volume is a new one"
        volumes[1]["dockerVolumeConfiguration"] = {"scope": "shared"}
        assert said(plane, "cat /shared/list", mountPoints=mounts, volumes=volumes) == "kept"
    finally:
        ids = [c["Id"] for c in plane.containers(running_only=False)]
        docker("rm", "--force", *ids)
        docker("volume", "rm", shared)
    definition = register(plane, container(mountPoints=mounts), volumes=volumes)
    seen = run(plane, definition).reaches("STOPPED")
    assert shared in seen["containers"][0]["reason"]


@pytest.fixture(scope="module")
def efs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the local agent has for the file system fs-1, and in it fsap-1's."""
    root = tmp_path_factory.mktemp("efs")
    (root / "shared" / "point").mkdir(parents=True)
    return root


@pytest.fixture(scope="module")
def efs_plane(efs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    mapping = {"fs-1": str(efs), "fsap-1": str(efs / "shared" / "point")}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOMEPORT_AGENT_EFS", json.dumps(mapping))
        yield from running(tmp_path_factory.mktemp("efs-plane"))


def efs_volume(**more: Any) -> dict[str, Any]:
    return {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", **more}}


DATA = [{"sourceVolume": "data", "containerPath": "/data"}]


def test_efs_volumes(efs_plane: ControlPlane, efs: Path) -> None:
    (efs / "greeting").write_text("ahoy\n")
    write = "cat /data/greeting; echo back > /data/shared/answer"
    assert said(efs_plane, write, mountPoints=DATA, volumes=[efs_volume()]) == "ahoy"
    assert (efs / "shared" / "answer").read_text() == "back\n"
    below = [efs_volume(rootDirectory="/shared")]
    assert said(efs_plane, "cat /data/answer", mountPoints=DATA, volumes=below) == "back"


def test_efs_access_points(efs_plane: ControlPlane, efs: Path) -> None:
    (efs / "shared" / "point" / "list").write_text("cargo\n")
    volume = efs_volume(
        transitEncryption="ENABLED", authorizationConfig={"accessPointId": "fsap-1"}
    )
    assert said(efs_plane, "cat /data/list", mountPoints=DATA, volumes=[volume]) == "cargo"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fileSystemId": "fs-2"}, 'Failed to resolve "fs-2.efs.us-east-1.amazonaws.com"'),
        ({"rootDirectory": "/none"}, "No such file or directory"),
        ({"rootDirectory": "/out"}, "No such file or directory"),
        ({"rootDirectory": "/../../etc"}, "No such file or directory"),
    ],
    ids=["not mapped", "no such directory", "a link that leads out", "dots that lead out"],
)
def test_an_efs_volume_that_cannot_be_mounted_says_so(
    efs_plane: ControlPlane, efs: Path, more: dict[str, Any], words: str
) -> None:
    with contextlib.suppress(FileExistsError):
        (efs / "out").symlink_to("/etc")
    definition = register(efs_plane, container(mountPoints=DATA), volumes=[efs_volume(**more)])
    seen = run(efs_plane, definition).reaches("STOPPED")
    assert seen["stopCode"] == "TaskFailedToStart"
    reason = seen["containers"][0]["reason"]
    assert reason.startswith(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
    )
    assert words in reason


def test_swap(plane: ControlPlane) -> None:
    seen = inspected(plane, memory=32, linuxParameters={"maxSwap": 16, "swappiness": 60})
    assert seen["HostConfig"]["MemorySwap"] == 48 * 1024 * 1024
    assert seen["HostConfig"]["MemorySwappiness"] == 60


def test_pid_and_ipc_of_the_host(plane: ControlPlane) -> None:
    definition = register(plane, container(), pidMode="host", ipcMode="host")
    task = run(plane, definition)
    task.reaches("RUNNING")
    seen = task.containers()["main"]["HostConfig"]
    assert (seen["PidMode"], seen["IpcMode"]) == ("host", "host")
    task.stop()


def test_processes_of_the_task(plane: ControlPlane) -> None:
    """pidMode task: the containers see one another's processes, and nobody else's."""
    look = (
        "while ! ps | grep -q '[s]leep 4321'; do sleep 0.2; done; ps | grep -c '[h]omeport'; true"
    )
    other = container("other", "exec sleep 4321", essential=False)
    assert said(plane, look, other, pidMode="task") == "0"
    alone = "sleep 0.5; ps | grep -c '[s]leep 4321'; true"
    assert said(plane, alone, other) == "0"


def test_shared_memory_of_the_task(plane: ControlPlane) -> None:
    """ipcMode task: one /dev/shm and one set of kernel parameters; none: no /dev/shm at all."""
    controls = [{"namespace": "kernel.msgmax", "value": "4321"}]
    other = container(
        "other", "echo cargo > /dev/shm/list; sleep 5", essential=False, systemControls=controls
    )
    look = "while ! test -e /dev/shm/list; do sleep 0.2; done; cat /dev/shm/list; "
    look += "cat /proc/sys/kernel/msgmax"
    assert said(plane, look, other, ipcMode="task").split() == ["cargo", "4321"]
    assert said(plane, "grep -c ' /dev/shm ' /proc/mounts; true", ipcMode="none") == "0"


def test_volumes_from(plane: ControlPlane) -> None:
    data = container(
        "data",
        "echo cargo > /hold/list; sleep 5",
        essential=False,
        mountPoints=[{"sourceVolume": "hold", "containerPath": "/hold"}],
    )
    command = "while ! test -e /hold/list; do sleep 0.2; done; cat /hold/list"
    seen = said(
        plane,
        command,
        data,
        volumesFrom=[{"sourceContainer": "data"}],
        volumes=[{"name": "hold"}],
    )
    assert seen == "cargo"


def test_overrides(plane: ControlPlane) -> None:
    definition = register(plane, container(command="echo $WORD", cpu=64))
    override = {
        "name": "main",
        "command": ["sh", "-c", "echo over $WORD"],
        "environment": [{"name": "WORD", "value": "board"}],
        "memory": 24,
        "cpu": 96,
    }
    task: Running = run(plane, definition, overrides={"containerOverrides": [override]})
    task.reaches("STOPPED")
    seen = task.containers()["main"]
    assert docker("logs", seen["Id"]).strip() == "over board"
    assert seen["HostConfig"]["Memory"] == 24 * 1024 * 1024
    assert seen["HostConfig"]["CpuShares"] == 96


def test_a_definition_is_described_as_it_was_registered(plane: ControlPlane) -> None:
    definition = register(
        plane, container(ulimits=[{"name": "core", "softLimit": 0, "hardLimit": 0}])
    )
    described = plane.client("ecs").describe_task_definition(taskDefinition=definition)
    (seen,) = described["taskDefinition"]["containerDefinitions"]
    assert seen["ulimits"] == [{"name": "core", "softLimit": 0, "hardLimit": 0}]
    assert seen["essential"] is True
    assert json.dumps(seen["environment"]) == "[]"
