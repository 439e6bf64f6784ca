"""A service keeps what it promised: count, revision, place, and its word when it cannot."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from load import Load
from second_host import second_host
from tasks import container, register, run
from web_service import WebService, create_web_service, web_container
from web_service import register as register_web

pytestmark = pytest.mark.docker


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


class Service:
    """A service without a load balancer."""

    def __init__(self, plane: ControlPlane, definition: str, count: int, **more: Any) -> None:
        self.plane, self.ecs = plane, plane.client("ecs")
        self.name = f"s-{uuid.uuid4().hex[:8]}"
        self.ecs.create_service(
            cluster=plane.cluster,
            serviceName=self.name,
            taskDefinition=definition,
            desiredCount=count,
            **more,
        )

    def update(self, **changes: Any) -> None:
        self.ecs.update_service(cluster=self.plane.cluster, service=self.name, **changes)

    def describe(self) -> dict[str, Any]:
        answer = self.ecs.describe_services(cluster=self.plane.cluster, services=[self.name])
        service: dict[str, Any] = answer["services"][0]
        return service

    def events(self) -> list[str]:
        return [event["message"] for event in self.describe()["events"]]

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(
            cluster=self.plane.cluster, serviceName=self.name, desiredStatus=status
        )["taskArns"]
        if not arns:
            return []
        answer = self.ecs.describe_tasks(cluster=self.plane.cluster, tasks=arns)
        tasks: list[dict[str, Any]] = answer["tasks"]
        return tasks

    def runs(self, count: int) -> None:
        eventually(f"{count} tasks run", lambda: self.describe()["runningCount"] == count, 30)

    def delete(self) -> None:
        self.ecs.delete_service(cluster=self.plane.cluster, service=self.name, force=True)
        eventually("it is INACTIVE", lambda: self.describe()["status"] == "INACTIVE", 30)


def test_a_service_is_scaled_up_and_down(plane: ControlPlane) -> None:
    service = Service(plane, register(plane, container()), 1)
    service.runs(1)
    service.update(desiredCount=3)
    service.runs(3)
    assert len(service.tasks()) == 3
    service.update(desiredCount=1)
    service.runs(1)
    eventually("two have stopped", lambda: len(service.tasks("STOPPED")) == 2, 30)
    reasons = {t["stoppedReason"].partition(" (")[0] for t in service.tasks("STOPPED")}
    assert reasons == {"Scaling activity initiated by"}
    service.delete()
    assert service.describe()["runningCount"] == 0


def test_a_task_that_dies_is_replaced_by_a_new_one(plane: ControlPlane) -> None:
    service = Service(plane, register(plane, container()), 1)
    service.runs(1)
    (first,) = service.tasks()
    docker("kill", first["containers"][0]["runtimeId"])
    eventually(
        "another task runs",
        lambda: [t for t in service.tasks() if t["taskArn"] != first["taskArn"]],
        30,
    )
    (stopped,) = service.tasks("STOPPED")
    assert stopped["containers"][0]["exitCode"] == 137
    service.delete()


def test_tasks_that_keep_failing_are_started_ever_more_slowly(plane: ControlPlane) -> None:
    service = Service(plane, register(plane, container(command="exit 1")), 1)
    unable = f"(service {service.name}) is unable to consistently start tasks successfully."
    eventually(
        "the service says so", lambda: any(unable in message for message in service.events()), 60
    )
    assert service.describe()["runningCount"] == 0
    service.delete()


def test_what_cannot_be_placed_is_said_in_an_event(plane: ControlPlane) -> None:
    service = Service(plane, register(plane, container(memory=10_000_000)), 1)
    message = eventually("an event says why", service.events, 30)[0]
    assert message.startswith(
        f"(service {service.name}) was unable to place a task because no container instance met "
        "all of its requirements."
    )
    assert "insufficient memory available" in message
    service.delete()


def test_homeport_why_says_what_holds_up_a_service(plane: ControlPlane) -> None:
    port = [{"containerPort": 80, "hostPort": 22}]
    service = Service(
        plane,
        register(plane, container(memory=10_000_000, portMappings=port)),
        2,
        placementConstraints=[{"type": "memberOf", "expression": "attribute:rack == nine"}],
    )
    eventually("an event says why", service.events, 30)
    lines = why(plane, service.name)
    assert lines[0] == f"Service {service.name}: 2 desired, 0 running, 0 pending"
    assert any("10000000 MiB are asked for" in line for line in lines)
    assert "    host port 22 is taken" in lines
    assert "    constraint not satisfied: memberOf attribute:rack == nine" in lines
    service.delete()


def test_homeport_why_says_what_became_of_a_task(plane: ControlPlane) -> None:
    task = run(plane, register(plane, container(command="exit 3")))
    task.reaches("STOPPED")
    lines = why(plane, task.arn)
    assert lines[0].endswith(": STOPPED")
    assert "  EssentialContainerExited: Essential container in task exited" in lines
    assert "  container main: STOPPED, exit code 3" in lines


def why(plane: ControlPlane, name: str) -> list[str]:
    said = subprocess.run(
        [sys.executable, "-m", "homeport", "why", name, "--cluster", plane.cluster],
        env=plane.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


def test_an_update_is_rolled_back_by_updating_to_the_earlier_revision(
    control_plane: ControlPlane,
) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    second = register_web(control_plane, "v2")
    with Load(service.url, rate=200) as load:
        for definition, version in ((second, "v2"), ("web:1", "v1")):
            ecs.update_service(
                cluster=control_plane.cluster, service=service.name, taskDefinition=definition
            )
            service.wait_completed()
            seen = load.bodies[version]
            eventually("it answers", lambda v=version, n=seen: load.bodies[v] > n + 50)
    assert load.failures == []
    assert service.describe()["taskDefinition"].endswith("/web:1")


@pytest.mark.parametrize(
    "command",
    ["exit 1", "/no/such/program", "mkdir /www; exec httpd -f -p 81 -h /www"],
    ids=["crashes", "does not start", "never becomes healthy"],
)
def test_a_bad_revision_trips_the_circuit_breaker_and_is_rolled_back(
    control_plane: ControlPlane, command: str
) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    good = service.describe()["deployments"][0]["id"]
    bad = register(control_plane, web_container("v2", command))
    with Load(service.url, rate=200) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 100)
        ecs.update_service(
            cluster=control_plane.cluster,
            service=service.name,
            taskDefinition=bad,
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": True, "rollback": True}
            },
        )
        eventually("the deployment fails", lambda: _event(service, "deployment failed"), 120)
        service.wait_completed()
        before = load.bodies["v1"]
        eventually("traffic flows", lambda: load.bodies["v1"] > before + 100)
    assert load.failures == []
    assert set(load.bodies) == {"v1"}
    described = service.describe()
    assert described["taskDefinition"].endswith("/web:1")
    assert [d["id"] for d in described["deployments"]] == [good]
    assert _event(service, f"rolling back to deployment {good}.")

    def history() -> list[str]:
        answer = ecs.list_service_deployments(cluster=control_plane.cluster, service=service.name)
        return [d["status"] for d in answer["serviceDeployments"]]

    eventually("it is history", lambda: history() == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], 10)


def test_a_deployment_is_stopped_by_hand_and_rolled_back(control_plane: ControlPlane) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    ecs.update_service(
        cluster=control_plane.cluster,
        service=service.name,
        taskDefinition=register(
            control_plane, web_container("v2", "mkdir /www; exec httpd -f -p 81 -h /www")
        ),
    )

    def deployment() -> dict[str, Any]:
        listed = ecs.list_service_deployments(cluster=control_plane.cluster, service=service.name)
        newest: dict[str, Any] = listed["serviceDeployments"][0]
        return newest

    eventually("it is in progress", lambda: deployment()["status"] == "IN_PROGRESS", 10)
    with Load(service.url, rate=200) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 100)
        ecs.stop_service_deployment(
            serviceDeploymentArn=deployment()["serviceDeploymentArn"], stopType="ROLLBACK"
        )
        eventually("it is over", lambda: deployment()["status"] == "ROLLBACK_SUCCESSFUL", 60)
    assert load.failures == []
    assert set(load.bodies) == {"v1"}
    assert service.describe()["taskDefinition"].endswith("/web:1")


def _event(service: WebService, words: str) -> bool:
    return any(words in event["message"] for event in service.describe()["events"])


def test_without_rollback_a_failed_deployment_stays_as_it_is(control_plane: ControlPlane) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    ecs.update_service(
        cluster=control_plane.cluster,
        service=service.name,
        taskDefinition=register(control_plane, web_container("v2", "exit 1")),
        deploymentConfiguration=breaker,
    )

    def failed() -> bool:
        primary = service.describe()["deployments"][0]
        return bool(primary["rolloutState"] == "FAILED")

    eventually("the deployment fails", failed, 120)
    primary, old = service.describe()["deployments"]
    assert primary["rolloutStateReason"] == (
        "ECS deployment circuit breaker: tasks failed to start."
    )
    assert primary["failedTasks"] == 3
    assert (old["status"], old["runningCount"]) == ("ACTIVE", 2)
    ecs.update_service(cluster=control_plane.cluster, service=service.name, taskDefinition="web:1")
    service.wait_completed()


def test_two_hosts_share_the_tasks(control_plane: ControlPlane, tmp_path: Path) -> None:
    definition = register(control_plane, container())
    with second_host(control_plane, tmp_path) as second:
        spread = Service(
            control_plane,
            definition,
            4,
            placementStrategy=[{"type": "spread", "field": "attribute:ecs.availability-zone"}],
        )
        spread.runs(4)
        zones = [t["availabilityZone"] for t in spread.tasks()]
        assert sorted(zones) == ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]
        bound = Service(
            control_plane,
            definition,
            2,
            placementConstraints=[{"type": "memberOf", "expression": "attribute:rack == two"}],
        )
        bound.runs(2)
        assert {t["containerInstanceArn"] for t in bound.tasks()} == {second}
        alone = Service(
            control_plane, definition, 3, placementConstraints=[{"type": "distinctInstance"}]
        )
        alone.runs(2)
        eventually("the third has no place", lambda: any("unable" in e for e in alone.events()))
        assert len({t["containerInstanceArn"] for t in alone.tasks()}) == 2
        for service in (spread, bound, alone):
            service.delete()


def test_a_draining_host_is_emptied(control_plane: ControlPlane, tmp_path: Path) -> None:
    ecs = control_plane.client("ecs")
    with second_host(control_plane, tmp_path) as second:
        service = Service(
            control_plane,
            register(control_plane, container()),
            2,
            placementStrategy=[{"type": "spread", "field": "instanceId"}],
            deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 200},
        )
        service.runs(2)
        assert second in {t["containerInstanceArn"] for t in service.tasks()}
        ecs.update_container_instances_state(
            cluster=control_plane.cluster, containerInstances=[second], status="DRAINING"
        )

        def moved() -> bool:
            running = [t for t in service.tasks() if t["lastStatus"] == "RUNNING"]
            return len(running) == 2 and second not in {t["containerInstanceArn"] for t in running}

        eventually("both tasks run on the other host", moved, 90)
        service.delete()


def test_a_daemon_has_one_task_on_every_host_that_it_is_for(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    ecs = control_plane.client("ecs")
    first = register(control_plane, container())
    ecs.create_service(
        cluster=control_plane.cluster,
        serviceName="lamp",
        taskDefinition=first,
        schedulingStrategy="DAEMON",
    )
    lamp = Service.__new__(Service)
    lamp.plane, lamp.ecs, lamp.name = control_plane, ecs, "lamp"
    lamp.runs(1)
    with second_host(control_plane, tmp_path) as second:
        lamp.runs(2)
        assert lamp.describe()["desiredCount"] == 2
        assert len({t["containerInstanceArn"] for t in lamp.tasks()}) == 2
        newer = register(control_plane, container(command="sleep 500"))
        lamp.update(taskDefinition=newer)

        def all_new() -> bool:
            tasks = [t for t in lamp.tasks() if t["lastStatus"] == "RUNNING"]
            return len(tasks) == 2 and all(
                t["taskDefinitionArn"].endswith(f"/{newer}") for t in tasks
            )

        eventually("both hosts run the new revision", all_new, 60)
        ecs.update_container_instances_state(
            cluster=control_plane.cluster, containerInstances=[second], status="DRAINING"
        )
        eventually(
            "the draining host's task stops",
            lambda: (
                [t for t in lamp.tasks() if t["containerInstanceArn"] != second] == lamp.tasks()
            ),
            30,
        )
        lamp.runs(1)
        ecs.delete_service(cluster=control_plane.cluster, service="lamp")
        eventually("it is INACTIVE", lambda: lamp.describe()["status"] == "INACTIVE", 30)


def test_a_protected_task_outlives_scaling_in_and_a_deployment(plane: ControlPlane) -> None:
    service = Service(plane, register(plane, container()), 2)
    service.runs(2)
    kept = service.tasks()[0]["taskArn"]
    answer = service.ecs.update_task_protection(
        cluster=plane.cluster, tasks=[kept], protectionEnabled=True, expiresInMinutes=10
    )
    assert answer["protectedTasks"][0]["protectionEnabled"] is True
    service.update(desiredCount=0)
    eventually("one has stopped", lambda: len(service.tasks()) == 1, 30)
    assert service.tasks()[0]["taskArn"] == kept
    eventually(
        "an event says why", lambda: any("protected tasks" in e for e in service.events()), 10
    )
    service.ecs.update_task_protection(cluster=plane.cluster, tasks=[kept], protectionEnabled=False)
    eventually("the last has stopped", lambda: not service.tasks(), 30)
    service.delete()
