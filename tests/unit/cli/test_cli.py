"""What is typed, and what is said when it can't be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeport import diagnosis
from homeport.cli import app
from homeport.cli.agent import parse_attributes
from homeport.cli.up import parse_listen

runner = CliRunner()


def test_env_prints_what_any_aws_tool_needs(tmp_path: Path) -> None:
    keys = {"access_key_id": "AKIA", "secret_access_key": "a'b", "region": "eu-west-1"}
    (tmp_path / "credentials.json").write_text(json.dumps(keys))
    endpoint = {"endpoint_url": "http://127.0.0.1:1", "pid": 1}
    (tmp_path / "endpoint.json").write_text(json.dumps(endpoint))
    said = runner.invoke(app, ["env", "--data", str(tmp_path)])
    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:1",
        "export AWS_ACCESS_KEY_ID=AKIA",
        "export AWS_SECRET_ACCESS_KEY='a'\"'\"'b'",
        "export AWS_REGION=eu-west-1",
        "export AWS_DEFAULT_REGION=eu-west-1",
    ]


def test_env_says_how_to_start_homeport_when_none_runs(tmp_path: Path) -> None:
    said = runner.invoke(app, ["env", "--data", str(tmp_path)])
    assert said.exit_code == 1
    assert f"homeport up --data {tmp_path}" in said.stderr


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.invoke(app, ["version"]).stdout.startswith("homeport 0.")


@pytest.mark.parametrize("text", ["4566", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000"])
def test_a_wrong_address_is_refused_with_an_example(text: str) -> None:
    said = runner.invoke(app, ["up", "--listen", text])
    assert said.exit_code == 2
    assert "127.0.0.1:4566" in said.stderr


def test_addresses_and_attributes_are_read() -> None:
    assert parse_listen("[::1]:80") == ("::1", 80)
    assert parse_listen(":4566") == ("127.0.0.1", 4566)
    assert parse_attributes(["rack=two", "a=b=c"]) == (("rack", "two"), ("a", "b=c"))


def test_a_missing_engine_is_named_with_the_way_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis.shutil, "which", lambda program: None)
    (finding,) = diagnosis.check_docker(f"unix://{tmp_path}/none")
    assert (finding.status, "apt-get install docker.io" in finding.mend) == ("missing", True)

    def denied(url: str, path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(diagnosis, "_engine_says", denied)
    (finding,) = diagnosis.check_docker("unix:///run/docker.sock")
    assert "usermod -aG docker" in finding.mend


def test_a_data_directory_that_others_can_read_is_missing_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = diagnosis.check_data_dir(tmp_path)
    assert (finding.status, finding.mend) == ("missing", f"chmod 700 {tmp_path}")
    assert diagnosis.check_data_dir(tmp_path / "new").status == "ok"


def test_an_old_python_is_missing() -> None:
    assert diagnosis.check_python((3, 10)).status == "missing"
    assert diagnosis.check_python((3, 13)).status == "ok"


def test_a_busy_port_and_missing_programs_are_said() -> None:
    findings = list(diagnosis.check_programs(lambda program: None))
    assert {f.status for f in findings} == {"optional"}
    assert all(f.mend.startswith("apt-get install") for f in findings)


def test_a_wrong_credentials_file_ends_the_agent_with_words(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    keys.chmod(0o644)
    said = runner.invoke(
        app, ["agent", "--endpoint", "http://127.0.0.1:1", "--credentials-file", str(keys)]
    )
    assert said.exit_code == 2
    assert f"chmod 600 {keys}" in said.stderr
