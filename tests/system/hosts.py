"""Several hosts on one machine: a network namespace, a process namespace and a Docker Engine each.

Every host is on one bridge with an address of its own, and runs a real agent beside its Engine,
so what crosses between tasks of two hosts crosses a network. Needs root. Whatever is made here
is removed again, by name.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane import ControlPlane, eventually
from images import busybox_archive, busybox_image

FORWARDED = "DOCKER-USER"


@dataclass
class Host:
    """One host; ``arn`` of its container instance once it has joined."""

    name: str
    address: str
    directory: Path
    pid: int = 0
    arn: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def socket(self) -> str:
        return f"unix://{self.directory}/docker.sock"

    def docker(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run the docker client against this host's Engine."""
        done = subprocess.run(
            ["docker", "--host", self.socket, *arguments],
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def container(self, task_arn: str, name: str) -> str:
        """The id of a container of a task."""
        labels = "com.amazonaws.ecs."
        found = self.docker(
            *("ps", "--quiet", "--no-trunc"),
            *("--filter", f"label={labels}task-arn={task_arn}"),
            *("--filter", f"label={labels}container-name={name}"),
        ).split()
        assert len(found) == 1, f"{name} of {task_arn} on {self.name}: {found}"
        return found[0]

    def inside(self, task_arn: str, name: str, command: str) -> str:
        """The output of a shell command in a container of a task."""
        return self.docker("exec", self.container(task_arn, name), "sh", "-c", command)


@dataclass
class Network:
    """The bridge that hosts share. ``address`` is this machine's own on it."""

    name: str
    prefix: str

    @property
    def address(self) -> str:
        return f"{self.prefix}.1"


@contextmanager
def network() -> Iterator[Network]:
    """A bridge of its own, on a block that no interface of this machine has."""
    taken = sh("ip", "-4", "-o", "address", "show")
    prefix = next(
        f"10.20{n}.{m}" for n in range(6) for m in range(9) if f"10.20{n}.{m}." not in taken
    )
    made = Network(f"hp{uuid.uuid4().hex[:8]}", prefix)
    rules = [(FORWARDED, "-i", made.name), (FORWARDED, "-o", made.name)]
    try:
        sh("ip", "link", "add", made.name, "type", "bridge")
        sh("ip", "address", "add", f"{made.address}/24", "dev", made.name)
        sh("ip", "link", "set", made.name, "up")
        for rule in rules:
            sh("iptables", "-w", "10", "-I", *rule, "-j", "ACCEPT")
        yield made
    finally:
        for rule in rules:
            sh("iptables", "-w", "10", "-D", *rule, "-j", "ACCEPT", check=False)
        sh("ip", "link", "del", made.name, check=False)


@contextmanager
def hosts(
    on: Network, plane: ControlPlane, directory: Path, count: int, **agent: str
) -> Iterator[list[Host]]:
    """So many hosts, joined to the plane's cluster. ``agent``: more of its environment."""
    with ExitStack() as stack:
        started = [stack.enter_context(_host(on, directory, number + 1)) for number in range(count)]
        for host in started:
            host.docker(
                "import", "--change", 'CMD ["sh"]', "-", busybox_image(), stdin=busybox_archive()
            )
            _start_agent(host, plane, agent)
        for host in started:
            host.arn = eventually(f"{host.name} joins", lambda host=host: _joined(plane, host), 60)
        yield started


@contextmanager
def _host(on: Network, directory: Path, number: int) -> Iterator[Host]:
    host = Host(
        name=f"{on.name}n{number}",
        address=f"{on.prefix}.{10 + number}",
        directory=directory / f"host{number}",
    )
    host.directory.mkdir()
    veth = f"{on.name}v{number}"[-15:]
    try:
        _connect(on, host, veth)
        _start_engine(host, number)
        yield host
    finally:
        for process in reversed(host.processes):
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        sh("ip", "link", "del", veth, check=False)
        sh("ip", "netns", "del", host.name, check=False)
        sh("ip", "neigh", "flush", "dev", on.name, check=False)
        _unmount(host.directory)
        shutil.rmtree(host.directory / "docker", ignore_errors=True)


def _connect(on: Network, host: Host, veth: str) -> None:
    sh("ip", "netns", "add", host.name)
    sh(*f"ip link add {veth} type veth peer name eth0 netns {host.name}".split())
    sh("ip", "link", "set", veth, "master", on.name, "up")
    inside = ("ip", "-n", host.name)
    sh(*inside, "link", "set", "lo", "up")
    sh(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
    sh(*inside, "link", "set", "eth0", "up")
    sh(*inside, "route", "add", "default", "via", on.address)
    sh(*inside, "route", "add", "blackhole", "169.254.0.0/16")


def _start_engine(host: Host, number: int) -> None:
    state = host.directory / "docker"
    log = open(host.directory / "dockerd.log", "wb")  # noqa: SIM115
    unshare = subprocess.Popen(
        [
            *("nsenter", f"--net=/run/netns/{host.name}", "--"),
            *("unshare", "--pid", "--fork", "--kill-child=SIGKILL"),
            *("--mount-proc", "--mount", "--propagation", "private"),
            *("dockerd", "--data-root", str(state / "data"), "--exec-root", str(state / "exec")),
            *("--pidfile", str(state / "docker.pid"), "--host", host.socket),
            *("--bip", f"172.{20 + number}.0.1/24", "--cgroup-parent", f"/{host.name}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    host.processes.append(unshare)
    eventually(f"the Engine of {host.name} answers", lambda: _answers(host), 60)
    children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
    host.pid = int(children[0])


def _answers(host: Host) -> bool:
    asked = ["docker", "--host", host.socket, "version"]
    return subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode == 0


def _start_agent(host: Host, plane: ControlPlane, agent: dict[str, str]) -> None:
    """In the namespaces of the host's Engine: it is the same host."""
    environment = plane.environment() | {
        "HOMEPORT_AGENT_CLUSTER": plane.cluster,
        "HOMEPORT_AGENT_DATA_DIR": str(host.directory / "agent"),
        "HOMEPORT_AGENT_DOCKER_URL": host.socket,
        "HOMEPORT_AGENT_HOST_ADDRESS": host.address,
        "HOMEPORT_AGENT_CGROUP_PARENT": f"/{host.name}/ecs",
        "HOMEPORT_AGENT_ATTRIBUTES": json.dumps({"host": host.name}),
        **agent,
    }
    log = open(host.directory / "agent.log", "ab")  # noqa: SIM115
    host.processes.append(
        subprocess.Popen(
            [
                *("nsenter", "--target", str(host.pid), "--net", "--pid", "--mount", "--"),
                *(sys.executable, "-m", "homeport.agent"),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    )


def _joined(plane: ControlPlane, host: Host) -> str | None:
    ecs = plane.client("ecs")
    arns = ecs.list_container_instances(
        cluster=plane.cluster, filter=f"attribute:host == {host.name}"
    )["containerInstanceArns"]
    if not arns:
        return None
    described: list[dict[str, Any]] = ecs.describe_container_instances(
        cluster=plane.cluster, containerInstances=arns
    )["containerInstances"]
    return str(arns[0]) if described[0]["agentConnected"] else None


def _unmount(directory: Path) -> None:
    """What a killed Engine has left mounted in this machine's own view."""
    for line in Path("/proc/mounts").read_text().splitlines():
        if (mounted := line.split()[1]).startswith(f"{directory}/"):
            sh("umount", "--lazy", mounted, check=False)


def sh(*command: str, check: bool = True) -> str:
    """Run a network tool of this machine."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env={"PATH": path}
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
