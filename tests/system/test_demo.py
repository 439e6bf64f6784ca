"""The first thing a newcomer types."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiodocker
import pytest

from control_plane import eventually
from docker_engine import docker
from homeport.demo.image import build

pytestmark = pytest.mark.docker

DEMO = (sys.executable, "-m", "homeport", "demo")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """The demo's temporary directory; afterwards no process and no name of it may be left."""
    yield tmp_path
    assert str(tmp_path) not in Path("/etc/hosts").read_text()
    assert processes_naming(tmp_path) == []


def left_in_the_engine(said: str) -> list[str]:
    """Containers and images of the demo that said this (others may run at the same time)."""
    named = re.search(r"^State and logs: .*/homeport-demo-(\w{6})-", said, re.MULTILINE)
    assert named is not None, said
    cluster = f"label=com.amazonaws.ecs.cluster=demo-{named.group(1)}"
    containers = docker("ps", "--all", "--quiet", "--filter", cluster).split()
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    return containers + [image for image in images if image.endswith(f"-{named.group(1)}")]


def processes_naming(directory: Path) -> list[str]:
    """Command lines of running processes that name the directory: control plane, Envoy."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{directory}/homeport-demo-" in command:
                found.append(command)
    return found


def environment(directory: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(directory)}


def start(directory: Path, log: Path) -> subprocess.Popen[bytes]:
    with open(log, "wb") as output:
        return subprocess.Popen(
            DEMO,
            env=environment(directory),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def test_the_demo_ends_with_no_failed_request_and_leaves_nothing(machine: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--requests", "1500"],
        env=environment(machine),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sent = re.search(r"Requests sent: +(\d+) \((\d+) from v1, (\d+) from v2\)", done.stdout)
    assert sent is not None
    assert int(sent.group(1)) >= 1500
    assert int(sent.group(2)) + int(sent.group(3)) == int(sent.group(1))
    assert int(sent.group(3)) > 0
    assert re.search(r"Requests failed: 0\b", done.stdout)
    assert re.search(r"Latency: +[\d.]+ ms median, [\d.]+ ms p99", done.stdout)
    for step in ("Kill one container; it is replaced", "Roll to web:2", "Roll back to web:1"):
        assert re.search(rf"^ +[\d.]+  {step}$", done.stdout, re.MULTILINE), step
    assert re.search(r"task \w{8}  web:2  RUNNING  on \w{8} port \d+  target healthy", done.stdout)
    assert left_in_the_engine(done.stdout) == []
    assert list(machine.iterdir()) == []


def test_ctrl_c_cleans_up_even_when_it_is_repeated(machine: Path) -> None:
    log = machine / "output"
    demo = start(machine, log)
    eventually("requests are sent", lambda: "... Steady requests" in log.read_text(), 60)
    demo.send_signal(signal.SIGINT)
    eventually("it cleans up", lambda: "... Clean up" in log.read_text(), 30)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(90) == 130, log.read_text()
    assert "ok  Clean up" in log.read_text()
    assert left_in_the_engine(log.read_text()) == []
    assert list(machine.iterdir()) == [log]


def test_a_failure_names_a_log_that_is_still_there_and_leaves_nothing_else(machine: Path) -> None:
    log = machine / "output"
    demo = start(machine, log)
    eventually("requests are sent", lambda: "... Steady requests" in log.read_text(), 60)
    (pid,) = subprocess.run(
        ["pgrep", "-P", str(demo.pid), "-f", "homeport up"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    os.kill(int(pid), signal.SIGKILL)
    assert demo.wait(90) == 1, log.read_text()
    said = re.search(r"Homeport ended by itself with exit code -9. Log: (\S+)", log.read_text())
    assert said is not None, log.read_text()
    assert "Homeport is ready" in Path(said.group(1)).read_text()
    kept = {path.suffix for path in Path(said.group(1)).parent.iterdir()}
    assert kept == {".log"}
    assert left_in_the_engine(log.read_text()) == []


def test_without_an_engine_the_demo_says_so_and_leaves_nothing(machine: Path) -> None:
    done = subprocess.run(
        DEMO,
        env={**environment(machine), "DOCKER_HOST": f"unix://{machine}/none.sock"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "homeport doctor" in done.stderr
    assert list(machine.iterdir()) == []


@pytest.fixture
async def container() -> AsyncIterator[str]:
    """The id of a running container of the demo's image."""
    engine = aiodocker.Docker()
    try:
        reference = await build(engine, "v1", uuid.uuid4().hex[:6])
    finally:
        await engine.close()
    container_id = docker("run", "--detach", reference).strip()
    yield container_id
    docker("rm", "--force", container_id)
    docker("rmi", reference)


async def test_sigterm_lets_a_request_in_flight_finish(container: str) -> None:
    address = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container).strip()
    request = eventually("the page is served", lambda: connected(address), 10)
    with request:
        request.sendall(b"GET / HTTP/1.1\r\n")
        eventually("it has begun", lambda: docker("top", container).count("httpd -f") > 1, 10)
        docker("kill", "--signal", "TERM", container)
        eventually("nobody new is served", lambda: not connected(address), 10)
        request.sendall(b"Host: x\r\n\r\n")
        request.settimeout(10)
        answer = b"".join(iter(lambda: request.recv(4096), b""))
    assert answer.endswith(f"{container[:12]} answers with v1\n".encode())
    assert docker("wait", container).strip() == "0"


def connected(address: str) -> socket.socket | None:
    """A connection to its port 80; None if it is refused."""
    try:
        return socket.create_connection((address, 80), timeout=5)
    except OSError:
        return None
