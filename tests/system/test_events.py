"""``homeport events`` tells what happens to tasks and services, as EventBridge would."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from tasks import container, register, run

pytestmark = pytest.mark.docker


def events(plane: ControlPlane, *arguments: str) -> list[dict[str, Any]]:
    said = subprocess.run(
        [sys.executable, "-m", "homeport", "events", *arguments],
        env=plane.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def of(plane: ControlPlane, arn: str) -> list[dict[str, Any]]:
    return [e for e in events(plane, "--last", "5000") if e["resources"] == [arn]]


def test_a_task_tells_its_life_and_nothing_is_lost_in_a_crash(control_plane: ControlPlane) -> None:
    plane = control_plane
    task = run(plane, register(plane, container(command="exit 3")))
    task.reaches("STOPPED")
    told = of(plane, task.arn)
    assert told[0]["detail"]["lastStatus"] == "PENDING"
    last = told[-1]
    assert (last["source"], last["detail-type"]) == ("aws.ecs", "ECS Task State Change")
    assert last["detail"]["stopCode"] == "EssentialContainerExited"
    assert last["detail"]["containers"][0]["exitCode"] == 3
    plane.kill()
    plane.start()
    assert of(plane, task.arn) == told


def test_following_tells_what_comes(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    following = subprocess.Popen(
        [sys.executable, "-m", "homeport", "events", "--follow"],
        env=plane.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert following.stdout is not None
        ecs = plane.client("ecs")
        ecs.create_service(
            cluster=plane.cluster,
            serviceName="told",
            taskDefinition=register(plane, container()),
            desiredCount=1,
        )
        names: list[str] = []
        while "RUNNING" not in names:
            detail = json.loads(following.stdout.readline())["detail"]
            if "containerInstanceArn" in detail and "taskArn" not in detail:
                continue
            names.append(detail.get("eventName") or detail.get("lastStatus") or "")
        assert names.index("SERVICE_DEPLOYMENT_IN_PROGRESS") < names.index("PENDING")
        ecs.delete_service(cluster=plane.cluster, service="told", force=True)
    finally:
        following.terminate()
        following.wait(10)

    def is_gone() -> bool:
        answer = plane.client("ecs").describe_services(cluster=plane.cluster, services=["told"])
        return bool(answer["services"][0]["status"] == "INACTIVE")

    eventually("it is INACTIVE", is_gone, 40)


def test_without_a_homeport_it_says_so(shared_control_plane: ControlPlane) -> None:
    environment = shared_control_plane.environment() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    said = subprocess.run(
        [sys.executable, "-m", "homeport", "events"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert said.returncode == 1
    assert "does not answer" in said.stderr
