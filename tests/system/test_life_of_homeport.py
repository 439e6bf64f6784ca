"""Starting, stopping and starting again, as a person does it."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest

from control_plane import ControlPlane, eventually
from homeport.diagnosis import check_port
from tasks import container, register, run
from web_service import create_web_service

pytestmark = pytest.mark.docker


def envoys(plane: ControlPlane) -> list[str]:
    found = subprocess.run(
        ["pgrep", "-f", str(plane.data_dir / "state" / "traffic")],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.split()


def test_ctrl_c_leaves_tasks_running_and_the_next_start_adopts_them(
    control_plane: ControlPlane,
) -> None:
    service = create_web_service(control_plane)
    before = {c["Id"] for c in control_plane.containers()}
    assert envoys(control_plane)
    control_plane.stop()
    assert {c["Id"] for c in control_plane.containers()} == before
    assert not envoys(control_plane), "Ctrl-C ends Envoy"
    assert control_plane.agent_pids() == []
    control_plane.start()
    control_plane.client("elbv2").get_waiter("load_balancer_available").wait(
        LoadBalancerArns=[service.load_balancer_arn], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    eventually("both targets are healthy", lambda: len(service.healthy_targets()) == 2, 30)
    assert urllib.request.urlopen(service.url, timeout=5).read() == b"v1\n"
    assert {c["Id"] for c in control_plane.containers()} == before


def test_stop_tasks_stops_every_task(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path, options=("--stop-tasks",))
    try:
        plane.start()
        plane.wait_for_instance()
        run(plane, register(plane, container())).reaches("RUNNING")
        plane.stop()
        assert plane.containers() == []
    finally:
        plane.clean_up()


def test_one_homeport_per_data_directory(control_plane: ControlPlane) -> None:
    state = str(control_plane.data_dir / "state")
    second = subprocess.run(
        [sys.executable, "-m", "homeport", "up", "--data", state, "--listen", "127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "Another homeport already runs" in second.stderr


def test_a_port_that_is_taken_is_said_in_one_line(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    second = subprocess.run(
        [
            *(sys.executable, "-m", "homeport", "up", "--no-agent"),
            *("--data", str(tmp_path / "other")),
            *("--listen", f"127.0.0.1:{control_plane.port}"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {control_plane.port}" in second.stderr
    assert "Traceback" not in second.stderr


def test_doctor_knows_a_homeport_when_it_meets_one(control_plane: ControlPlane) -> None:
    finding = check_port("127.0.0.1", control_plane.port)
    assert (finding.status, finding.detail) == ("ok", "a Homeport answers there")


def test_without_authentication_any_credentials_do(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path, options=("--no-auth", "--no-agent"))
    try:
        plane.start()
        client = boto3.client(
            "ecs",
            endpoint_url=plane.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        assert client.create_cluster()["cluster"]["status"] == "ACTIVE"
    finally:
        plane.clean_up()


def test_credentials_are_their_owners_alone(control_plane: ControlPlane) -> None:
    state = control_plane.data_dir / "state"
    for path in (state / "credentials.json", state / "homeport.sqlite", state / "agent.log"):
        assert path.stat().st_mode & 0o077 == 0, path
    secret = control_plane.credentials()["aws_secret_access_key"]
    for log in (state / "agent.log", control_plane.data_dir / "up.log"):
        assert secret not in log.read_text()
    listing = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True)
    assert secret not in listing.stdout


def test_a_load_balancers_name_is_known_while_it_exists(control_plane: ControlPlane) -> None:
    service = create_web_service(control_plane)
    elbv2 = control_plane.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    port = service.url.rsplit(":", 1)[1]
    named = f"http://{balancer['DNSName']}:{port}"
    said = subprocess.run(
        ["curl", "-s", "-m", "5", named], capture_output=True, text=True, check=False
    )
    assert said.stdout == "v1\n"
    hosts = Path("/etc/hosts")
    try:
        hosts.open("r+").close()
    except OSError:
        return  # an ordinary user: only curl and browsers know the name, as documented
    assert urllib.request.urlopen(named, timeout=5).read() == b"v1\n"
    control_plane.stop()
    assert balancer["DNSName"] not in hosts.read_text()
