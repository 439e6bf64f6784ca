"""What a container learns at 169.254.170.2: its metadata, and its task role's credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from roles import task_role
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

V4 = "$ECS_CONTAINER_METADATA_URI_V4"
V3 = "$ECS_CONTAINER_METADATA_URI"
CREDENTIALS = "http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


def inside(task: Running, command: str, name: str = "main") -> str:
    """The output of a shell command in a running container."""
    return docker("exec", task.containers()[name]["Id"], "sh", "-c", command)


def asked(task: Running, url: str) -> Any:
    """The JSON document that a container gets from a URL (a shell expression)."""
    return json.loads(inside(task, f'wget -q -O - "{url}"'))


@pytest.mark.parametrize("network_mode", ["bridge", "host"])
def test_a_container_reads_its_tasks_metadata(
    shared_control_plane: ControlPlane, network_mode: str
) -> None:
    plane = shared_control_plane
    definition = register(
        plane,
        container(portMappings=[{"containerPort": 7070}]),
        container("side", essential=False),
        networkMode=network_mode,
        cpu="256",
        memory="64",
    )
    task = run(plane, definition, group="a-group")
    described = task.reaches("RUNNING")
    own = asked(task, V4)
    assert own["Name"] == "main"
    assert own["DockerId"] == task.containers()["main"]["Id"]
    assert own["KnownStatus"] == "RUNNING"
    assert own["Type"] == "NORMAL"
    assert own["ContainerARN"] == described["containers"][0]["containerArn"]
    assert own["Ports"][0]["ContainerPort"] == 7070
    assert own["Networks"][0]["NetworkMode"] == network_mode
    whole = asked(task, f"{V4}/task")
    assert whole["TaskARN"] == task.arn
    assert f"{whole['Family']}:{whole['Revision']}" == definition
    assert whole["Cluster"] == plane.cluster
    assert whole["KnownStatus"] == "RUNNING"
    assert whole["LaunchType"] == "EC2"
    assert whole["Limits"] == {"CPU": 0.25, "Memory": 64}
    assert {c["Name"] for c in whole["Containers"]} == {"main", "side"}
    assert asked(task, V3)["Name"] == "main"
    stats = asked(task, f"{V4}/stats")
    assert stats["memory_stats"]["usage"] > 0
    task.stop()


def test_task_tags_and_statistics_of_all_containers(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    task = run(plane, register(plane, container()), tags=[{"key": "team", "value": "blue"}])
    task.reaches("RUNNING")
    tagged = asked(task, f"{V4}/taskWithTags")
    assert tagged["TaskTags"] == {"team": "blue"}
    stats = asked(task, f"{V4}/task/stats")
    assert set(stats) == {task.containers()["main"]["Id"]}
    task.stop()


def test_a_container_gets_its_task_role_and_not_its_execution_role(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    role, puller = task_role(plane), task_role(plane)
    definition = register(
        plane,
        container(),
        taskRoleArn=role,
        executionRoleArn=puller,
    )
    task = run(plane, definition)
    task.reaches("RUNNING")
    given = asked(task, CREDENTIALS)
    assert given["RoleArn"] == role
    assert given["AccessKeyId"].startswith("ASIA")
    assert set(given) == {"RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert puller.rpartition("/")[2] not in inside(task, "env")
    assert inside(task, "env").count("CREDENTIALS") == 1
    task.stop()


def test_an_unknown_id_is_refused(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    task = run(plane, register(plane, container()))
    task.reaches("RUNNING")
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in inside(task, "env")
    for path in ("v4/0123456789abcdef0123456789abcdef", "v2/credentials/" + "0" * 36):
        answer = inside(task, f"wget -q -O - http://169.254.170.2/{path} 2>&1 || true")
        assert "HTTP/1.1 404" in answer or "HTTP/1.1 400" in answer
    task.stop()


def test_credentials_come_back_after_the_agent_was_killed(control_plane: ControlPlane) -> None:
    role = task_role(control_plane)
    definition = register(control_plane, container(), taskRoleArn=role)
    task = run(control_plane, definition)
    task.reaches("RUNNING")
    assert asked(task, CREDENTIALS)["RoleArn"] == role
    files = control_plane.data_dir / "state" / "agent" / "tasks"
    assert all("ASIA" not in f.read_text() for f in files.glob("*.json"))
    control_plane.kill_agent()
    eventually(
        "the credentials are served again",
        lambda: '"RoleArn"' in inside(task, f"wget -q -O - {CREDENTIALS} 2>/dev/null || true"),
    )
