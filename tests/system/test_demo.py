"""The first thing a newcomer types."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane import eventually
from docker_engine import docker

pytestmark = pytest.mark.docker

DEMO = (sys.executable, "-m", "homeport", "demo")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """The demo's temporary directory; afterwards nothing of any demo run in it may be left."""
    before = demo_leftovers()
    yield tmp_path
    assert demo_leftovers() <= before
    assert str(tmp_path) not in Path("/etc/hosts").read_text()
    assert processes_naming(tmp_path) == []


def demo_leftovers() -> set[str]:
    """Ids of containers and images that demos made (this machine may run others' as well)."""
    containers = docker(
        *("ps", "--all", "--format"),
        '{{.ID}} {{.Label "com.amazonaws.ecs.cluster"}}',
    ).splitlines()
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return {c for c in containers if " demo-" in c} | {
        i for i in images if i.startswith("homeport-demo:")
    }


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
