"""A task on a real Engine is what its definition says, from pull to exit code."""

from __future__ import annotations

import re
import urllib.request

import pytest

from control_plane import ControlPlane, eventually, free_port
from tasks import container, register, run

pytestmark = pytest.mark.docker


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


def test_a_container_carries_the_official_agents_name_and_labels(plane: ControlPlane) -> None:
    definition = register(plane, container())
    family, revision = definition.split(":")
    task = run(plane, definition)
    seen = task.reaches("RUNNING")
    real = task.containers()["main"]
    assert re.fullmatch(rf"/ecs-{family}-{revision}-main-[0-9a-f]{{20}}", real["Name"])
    labels = real["Config"]["Labels"]
    assert labels["com.amazonaws.ecs.task-arn"] == task.arn
    assert labels["com.amazonaws.ecs.task-definition-family"] == family
    assert labels["com.amazonaws.ecs.task-definition-version"] == revision
    assert labels["com.amazonaws.ecs.cluster"] == plane.cluster
    assert seen["containers"][0]["runtimeId"] == real["Id"]
    assert seen["containers"][0]["lastStatus"] == "RUNNING"
    assert seen["startedAt"] >= seen["createdAt"]
    task.stop()


def test_a_dynamic_host_port_is_reachable_at_the_instances_address(plane: ControlPlane) -> None:
    definition = register(
        plane,
        container(
            command="mkdir -p /w; echo hello > /w/index.html; exec httpd -f -p 80 -h /w",
            portMappings=[{"containerPort": 80}],
        ),
    )
    task = run(plane, definition)
    seen = task.reaches("RUNNING")
    (binding,) = seen["containers"][0]["networkBindings"]
    assert binding["containerPort"] == 80
    assert 32768 <= binding["hostPort"] <= 60999
    ecs = plane.client("ecs")
    instance = ecs.describe_container_instances(
        cluster=plane.cluster, containerInstances=[seen["containerInstanceArn"]]
    )["containerInstances"][0]
    assert instance["agentConnected"]
    assert instance["runningTasksCount"] >= 1
    url = f"http://127.0.0.1:{binding['hostPort']}/"
    assert urllib.request.urlopen(url, timeout=10).read() == b"hello\n"
    task.stop()


def test_an_exit_code_is_reported_as_it_was(plane: ControlPlane) -> None:
    task = run(plane, register(plane, container(command="exit 3")))
    seen = task.reaches("STOPPED")
    assert seen["stopCode"] == "EssentialContainerExited"
    assert seen["stoppedReason"] == "Essential container in task exited"
    assert seen["containers"][0]["exitCode"] == 3
    assert seen["desiredStatus"] == "STOPPED"


def test_environment_command_and_entry_point_reach_the_process(plane: ControlPlane) -> None:
    definition = register(
        plane,
        container(
            command='[ "$COLOUR" = blue ] && [ "$0" = zero ] && [ "$PLACE" = here ]',
            entryPoint=["sh", "-c"],
            environment=[{"name": "COLOUR", "value": "green"}, {"name": "PLACE", "value": "here"}],
        )
        | {"command": ['[ "$COLOUR" = blue ] && [ "$0" = zero ] && [ "$PLACE" = here ]', "zero"]},
    )
    overrides = {
        "containerOverrides": [
            {"name": "main", "environment": [{"name": "COLOUR", "value": "blue"}]}
        ]
    }
    task = run(plane, definition, overrides=overrides)
    assert task.reaches("STOPPED")["containers"][0]["exitCode"] == 0
    assert run(plane, definition).reaches("STOPPED")["containers"][0]["exitCode"] == 1


def test_cpu_and_memory_limits_are_set_on_the_container(plane: ControlPlane) -> None:
    definition = register(
        plane, container(cpu=256, memory=32, memoryReservation=16), cpu="512", memory="64"
    )
    task = run(plane, definition)
    task.reaches("RUNNING")
    limits = task.containers()["main"]["HostConfig"]
    assert limits["CpuShares"] == 256
    assert limits["Memory"] == 32 * 1024 * 1024
    assert limits["MemoryReservation"] == 16 * 1024 * 1024
    task.stop()


def test_a_container_that_takes_too_much_memory_is_killed_and_says_so(plane: ControlPlane) -> None:
    eat = "x=$(yes 0123456789 | head -c 64000000); echo ${#x}"
    task = run(plane, register(plane, container(command=eat, memory=16)))
    (seen,) = task.reaches("STOPPED")["containers"]
    assert seen["exitCode"] == 137
    assert seen["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_a_side_container_may_end_an_essential_one_ends_the_task(plane: ControlPlane) -> None:
    definition = register(
        plane,
        container("main", command="sleep 2"),
        container("init", command="exit 0", essential=False),
        container("side", command="trap 'exit 7' TERM; sleep 600 & wait", essential=False),
    )
    task = run(plane, definition)
    task.reaches("RUNNING")
    seen = task.reaches("STOPPED")
    codes = {c["name"]: c.get("exitCode") for c in seen["containers"]}
    assert codes == {"main": 0, "init": 0, "side": 7}
    assert seen["stoppedReason"] == "Essential container in task exited"


def test_stop_timeout_is_how_long_a_container_may_take(plane: ControlPlane) -> None:
    stubborn = container(command="trap '' TERM; while :; do sleep 0.1; done", stopTimeout=2)
    polite = container(command="trap 'exit 0' TERM; sleep 600 & wait", stopTimeout=30)
    first, second = run(plane, register(plane, stubborn)), run(plane, register(plane, polite))
    for task in (first, second):
        task.reaches("RUNNING")
        task.stop("enough")
    seen = first.reaches("STOPPED")
    assert seen["containers"][0]["exitCode"] == 137
    assert (seen["stopCode"], seen["stoppedReason"]) == ("UserInitiated", "enough")
    took = (seen["stoppedAt"] - seen["stoppingAt"]).total_seconds()
    assert 2 <= took < 20
    seen = second.reaches("STOPPED")
    assert seen["containers"][0]["exitCode"] == 0


def test_an_image_that_cannot_be_pulled_says_why(plane: ControlPlane) -> None:
    missing = container() | {"image": "127.0.0.1:1/no/such:image"}
    seen = run(plane, register(plane, missing)).reaches("STOPPED", 60)
    assert seen["stopCode"] == "TaskFailedToStart"
    assert seen["stoppedReason"] == "Task failed to start"
    reason = seen["containers"][0]["reason"]
    assert reason.startswith("CannotPullContainerError: ")
    assert "127.0.0.1:1" in reason


def test_a_program_that_does_not_exist_says_so(plane: ControlPlane) -> None:
    wrong = container() | {"command": ["/no/such/program"]}
    seen = run(plane, register(plane, wrong)).reaches("STOPPED")
    assert seen["stopCode"] == "TaskFailedToStart"
    assert "CannotStartContainerError" in seen["containers"][0]["reason"]
    assert "/no/such/program" in seen["containers"][0]["reason"]


def test_host_mode_uses_the_hosts_own_ports(plane: ControlPlane) -> None:
    port = free_port()
    definition = register(
        plane,
        container(
            command=f"mkdir /w; echo host > /w/index.html; exec httpd -f -p {port} -h /w",
            portMappings=[{"containerPort": port}],
        ),
        networkMode="host",
    )
    task = run(plane, definition)
    (binding,) = task.reaches("RUNNING")["containers"][0]["networkBindings"]
    assert binding["hostPort"] == port
    assert task.containers()["main"]["HostConfig"]["NetworkMode"] == "host"
    answer = plane.client("ecs").run_task(cluster=plane.cluster, taskDefinition=definition)
    assert [f["reason"] for f in answer["failures"]] == ["RESOURCE:PORTS"]
    task.stop()
    task.reaches("STOPPED")
    again = run(plane, definition)
    again.reaches("RUNNING")
    again.stop()


def test_what_does_not_fit_is_refused_with_the_reason(plane: ControlPlane) -> None:
    huge = register(plane, container(memory=10_000_000))
    answer = plane.client("ecs").run_task(cluster=plane.cluster, taskDefinition=huge)
    assert answer["tasks"] == []
    assert [f["reason"] for f in answer["failures"]] == ["RESOURCE:MEMORY"]


def test_volumes_are_shared_between_containers(plane: ControlPlane) -> None:
    definition = register(
        plane,
        container(
            "main",
            command="while [ ! -e /data/done ]; do sleep 0.1; done; exit 5",
            mountPoints=[{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}],
        ),
        container(
            "writer",
            command="touch /data/done",
            essential=False,
            mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}],
        ),
        volumes=[{"name": "data"}],
    )
    seen = run(plane, definition).reaches("STOPPED")
    assert {c["name"]: c["exitCode"] for c in seen["containers"]}["main"] == 5


def test_container_health_comes_from_the_engine(plane: ControlPlane) -> None:
    definition = register(
        plane,
        container(
            healthCheck={
                "command": ["CMD-SHELL", "test -e /tmp"],
                "interval": 5,
                "timeout": 2,
                "retries": 2,
            }
        ),
    )
    task = run(plane, definition)
    task.reaches("RUNNING")

    eventually("it is healthy", lambda: task.describe()["healthStatus"] == "HEALTHY", 30)
    assert task.describe()["containers"][0]["healthStatus"] == "HEALTHY"
    task.stop()
