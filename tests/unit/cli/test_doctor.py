"""What ``homeport doctor`` says of a machine, and how a program may ask."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeport import diagnosis
from homeport.cli import app
from homeport.diagnosis import Finding

runner = CliRunner()
NO_SYSTEMD = (1, "System has not been booted with systemd")


def found(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", lambda data, host, port: list(findings))


def test_something_optional_missing_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, Finding("nft", "optional", "needed for x", "apt-get install nftables"))
    said = runner.invoke(app, ["doctor"])
    assert said.exit_code == 0
    assert said.stdout == "! nft: needed for x\n    mend: apt-get install nftables\n"


def test_something_required_missing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, Finding("Python", "ok", "3.11"), Finding("Envoy", "missing", "no", "do"))
    said = runner.invoke(app, ["doctor"])
    assert said.exit_code == 1
    assert said.stdout == "✓ Python: 3.11\n✗ Envoy: no\n    mend: do\n"


def test_json_has_the_same_findings_and_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, Finding("Python", "ok", "3.11"), Finding("Envoy", "missing", "no", "do"))
    said = runner.invoke(app, ["doctor", "--json"])
    assert said.exit_code == 1
    assert json.loads(said.stdout) == [
        {"subject": "Python", "status": "ok", "detail": "3.11"},
        {"subject": "Envoy", "status": "missing", "detail": "no", "mend": "do"},
    ]


def test_a_machine_is_asked_without_changing_it(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there"
    said = runner.invoke(app, ["doctor", "--json", "--data", str(data)])
    subjects = {finding["subject"] for finding in json.loads(said.stdout)}
    assert {"Python", "Docker Engine", "Envoy", "Data directory", "Clock"} <= subjects
    assert list(tmp_path.iterdir()) == []


class Engine(threading.Thread):
    """A socket that answers as an Engine does, one request a connection."""

    def __init__(self, path: Path, answers: dict[str, object]) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._answers = answers

    def run(self) -> None:
        for _ in self._answers:
            connection, _ = self._socket.accept()
            with connection:
                path = connection.recv(4096).split()[1].decode()
                body = json.dumps(self._answers[path]).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)


def test_the_engine_is_asked_at_its_socket(tmp_path: Path) -> None:
    network = {"IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]}}
    path = tmp_path / "engine.sock"
    Engine(path, {"/version": {"Version": "20.10.24"}, "/networks/bridge": network}).start()
    engine, bridge = diagnosis.check_docker(f"unix://{path}")
    assert (engine.status, engine.detail) == ("ok", f"20.10.24 at unix://{path}")
    assert (bridge.status, bridge.detail) == ("ok", "targets are reached at 172.17.0.1")


def test_an_engine_without_a_bridge(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    answers = {"/version": {"Version": "24"}, "/networks/bridge": {"message": "not found"}}
    Engine(path, answers).start()
    _, bridge = diagnosis.check_docker(f"unix://{path}")
    assert (bridge.status, bridge.subject) == ("optional", "Docker bridge")


def test_no_engine_says_how_to_get_one(tmp_path: Path) -> None:
    (finding,) = diagnosis.check_docker(f"unix://{tmp_path}/none")
    assert finding.status == "missing"
    assert "No such file" in finding.detail
    assert finding.mend


def test_a_port_in_use_names_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        finding = diagnosis.check_port("127.0.0.1", taken.getsockname()[1])
    assert (finding.status, finding.detail) == ("optional", "Address already in use")
    assert "--listen" in finding.mend


def test_a_clock_before_the_installation_is_wrong() -> None:
    finding = diagnosis.check_clock(1000.0, 2000.0, lambda command: NO_SYSTEMD)
    assert (finding.status, "1970-01-01" in finding.detail) == ("missing", True)
    assert diagnosis.check_clock(3000.0, 2000.0, lambda command: NO_SYSTEMD).status == "ok"


def test_a_clock_that_nobody_keeps_right_is_said() -> None:
    assert diagnosis.check_clock(3.0, 2.0, lambda command: (0, "no")).status == "optional"
    assert diagnosis.check_clock(3.0, 2.0, lambda command: (0, "yes")).status == "ok"


@pytest.mark.parametrize(("limit", "status"), [(256, "optional"), (4096, "ok"), (-1, "ok")])
def test_too_few_open_files_are_said(limit: int, status: str) -> None:
    finding = diagnosis.check_open_files(limit)
    assert finding.status == status
    assert ("ulimit -n" in finding.mend) == (status == "optional")


def test_too_few_inotify_instances_are_said(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    assert diagnosis.check_inotify(limit).status == "optional"
    limit.write_text("16\n")
    assert "sysctl -w" in diagnosis.check_inotify(limit).mend
    limit.write_text("128\n")
    assert diagnosis.check_inotify(limit).status == "ok"


def test_another_cgroup_driver_leaves_out_fargate(tmp_path: Path) -> None:
    for driver, status in (("cgroupfs", "ok"), ("systemd", "optional")):
        path = tmp_path / driver
        Engine(path, {"/info": {"CgroupDriver": driver}}).start()
        finding = diagnosis.check_cgroup_driver(f"unix://{path}")
        assert finding.status == status
    assert "FARGATE tasks do not run" in finding.detail
    assert "native.cgroupdriver=cgroupfs" in finding.mend
    assert diagnosis.check_cgroup_driver(f"unix://{tmp_path}/none").status == "optional"
