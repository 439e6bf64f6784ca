"""Why a task stopped: every stopCode and stoppedReason that Homeport gives, in AWS's words.

The table is "Stopped task error messages" and "Task lifecycle", ECS developer guide; what is not
in this file can't happen here and is listed in docs/task-life-cycle.md.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World

from homeport.domain.load_balancing import TargetHealth
from homeport.domain.task_definition import ContainerDefinition
from homeport.store.schema import TARGET_HEALTH, TARGETS, TASKS


@pytest.fixture
def world() -> World:
    world = World()
    world.register("a")
    return world


def why(world: World, arn: str) -> tuple[str, str]:
    task = world("DescribeTasks", tasks=[arn])["tasks"][0]
    return task["stopCode"], task["stoppedReason"]


def run(world: World) -> str:
    """A standalone task that runs."""
    arn = str(world("RunTask", taskDefinition="web")["tasks"][0]["taskArn"])
    world.report(arn, "RUNNING")
    return arn


def serve(world: World, count: int = 1, **request: Any) -> list[str]:
    """The running tasks of a new service."""
    world(
        "CreateService",
        **{"serviceName": "web", "taskDefinition": "web", "desiredCount": count, **request},
    )
    world.settle()
    arns = list(world("ListTasks", serviceName="web")["taskArns"])
    for arn in arns:
        world.report(arn, "RUNNING")
    world.settle()
    return arns


def deployment(world: World) -> str:
    return world.service("web").deployments[0].id


def exited(name: str, code: int, **more: Any) -> dict[str, Any]:
    return {"containerName": name, "status": "STOPPED", "exitCode": code, **more}


@pytest.mark.parametrize("code", [0, 1, 137])
def test_an_essential_container_ended(world: World, code: int) -> None:
    arn = run(world)
    world.report(arn, "STOPPED", containers=[exited("web", code)])
    assert why(world, arn) == ("EssentialContainerExited", "Essential container in task exited")
    container = world("DescribeTasks", tasks=[arn])["tasks"][0]["containers"][0]
    assert container["exitCode"] == code


def test_it_ran_out_of_memory(world: World) -> None:
    arn = run(world)
    reason = "OutOfMemoryError: Container killed due to memory usage"
    world.report(arn, "STOPPED", containers=[exited("web", 137, reason=reason)])
    assert why(world, arn) == ("EssentialContainerExited", "Essential container in task exited")
    container = world("DescribeTasks", tasks=[arn])["tasks"][0]["containers"][0]
    assert (container["exitCode"], container["reason"]) == (137, reason)


@pytest.mark.parametrize(
    "reason",
    [
        "CannotPullContainerError: Error response from daemon: no such image",
        "CannotCreateContainerError: Error response from daemon: x",
        "CannotStartContainerError: Error response from daemon: x",
        "CannotCreateVolumeError: x",
        "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
    ],
)
def test_it_never_started(world: World, reason: str) -> None:
    arn = str(world("RunTask", taskDefinition="web")["tasks"][0]["taskArn"])
    stopped = {"containerName": "web", "status": "STOPPED", "reason": reason}
    world.report(arn, "STOPPED", containers=[stopped])
    assert why(world, arn) == ("TaskFailedToStart", "Task failed to start")
    assert world.task(arn).containers[0].reason == reason


def test_it_never_started_and_only_the_task_says_why(world: World) -> None:
    arn = str(world("RunTask", taskDefinition="web")["tasks"][0]["taskArn"])
    reason = f"TaskDependencyError: Task dependencies cannot be resolved, taskArn: {arn}"
    world.report(arn, "STOPPED", reason=reason, containers=[])
    assert why(world, arn) == ("TaskFailedToStart", reason)


@pytest.mark.parametrize("reason", [None, "", "maintenance"])
def test_somebody_stopped_it(world: World, reason: str | None) -> None:
    arn = run(world)
    world("StopTask", task=arn, reason=reason)
    assert why(world, arn) == ("UserInitiated", reason or "Task stopped by user")
    world.report(arn, "STOPPED")
    assert why(world, arn) == ("UserInitiated", reason or "Task stopped by user")


def test_its_instance_was_deregistered_by_force(world: World) -> None:
    arn = run(world)
    instance = world.task(arn).container_instance_arn
    world("DeregisterContainerInstance", containerInstance=instance, force=True)
    assert why(world, arn) == (
        "UserInitiated",
        "Container instance deregistration forced by user",
    )


def test_its_service_was_scaled_in(world: World) -> None:
    arns = serve(world, 2)
    world("UpdateService", service="web", desiredCount=1)
    world.settle()
    stopped = [arn for arn in arns if world.task(arn).desired_status == "STOPPED"]
    assert [why(world, arn) for arn in stopped] == [
        (
            "ServiceSchedulerInitiated",
            f"Scaling activity initiated by (deployment {deployment(world)})",
        )
    ]


def test_its_revision_was_replaced(world: World) -> None:
    (old,) = serve(world)
    first = deployment(world)
    world.define("web", 2)
    world("UpdateService", service="web", taskDefinition="web:2")
    world.settle()
    (new,) = set(world("ListTasks", serviceName="web")["taskArns"]) - {old}
    world.report(new, "RUNNING")
    world.settle()
    assert why(world, old) == (
        "ServiceSchedulerInitiated",
        f"Scaling activity initiated by (deployment {first})",
    )


def test_its_service_was_deleted(world: World) -> None:
    (arn,) = serve(world)
    world("DeleteService", service="web", force=True)
    world.settle()
    assert why(world, arn) == (
        "ServiceSchedulerInitiated",
        f"Scaling activity initiated by (deployment {deployment(world)})",
    )


def test_its_load_balancer_found_it_unhealthy(world: World) -> None:
    group = world.target_group("blue")
    balancer = {"targetGroupArn": group, "containerName": "web", "containerPort": 80}
    world.define("web", 1)
    world(
        "CreateService",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        loadBalancers=[balancer],
        deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100},
    )
    world.settle()
    (arn,) = world("ListTasks", serviceName="web")["taskArns"]
    binding = {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}
    running = {"containerName": "web", "status": "RUNNING", "networkBindings": [binding]}
    world.report(arn, "RUNNING", containers=[running])
    world.settle()
    with world.store.transaction() as tx:
        for target in tx.all(TARGETS):
            tx.put(
                TARGET_HEALTH,
                TargetHealth(
                    key=target.key, target_group_arn=group, state="unhealthy", changed_at=world.now
                ),
            )
    world.settle()
    assert why(world, arn) == (
        "ServiceSchedulerInitiated",
        f"Task failed ELB health checks in (target-group {group})",
    )


def test_its_container_health_check_failed(world: World) -> None:
    checked = ContainerDefinition("web", "web:1", memory=64, has_health_check=True)
    world.define("web", 1, containers=(checked,))
    (arn,) = serve(
        world, deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100}
    )
    sick = (
        msgspec.structs.replace(c, health_status="UNHEALTHY") for c in world.task(arn).containers
    )
    world.put(TASKS, msgspec.structs.replace(world.task(arn), containers=tuple(sick)))
    world.settle()
    assert why(world, arn) == (
        "ServiceSchedulerInitiated",
        "Task failed container health checks",
    )


def test_its_instance_drains(world: World) -> None:
    (arn,) = serve(
        world, deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100}
    )
    instance = world.task(arn).container_instance_arn
    world("UpdateContainerInstancesState", containerInstances=[instance], status="DRAINING")
    world.settle()
    code, reason = why(world, arn)
    assert code == "ServiceSchedulerInitiated"
    assert "container instance is in DRAINING state" in reason


def test_the_agent_is_away_and_the_reason_stays(world: World) -> None:
    (arn,) = serve(world)
    instance = world.task(arn).container_instance_arn
    assert instance is not None
    world.connect(instance, False)
    world("UpdateService", service="web", desiredCount=0)
    world.settle()
    reason = f"Scaling activity initiated by (deployment {deployment(world)})"
    assert world.task(arn).last_status != "STOPPED"
    assert why(world, arn) == ("ServiceSchedulerInitiated", reason)
    world("DeregisterContainerInstance", containerInstance=instance, force=True)
    assert world.task(arn).last_status == "STOPPED"
    assert why(world, arn) == ("ServiceSchedulerInitiated", reason)


def test_a_task_that_runs_has_neither(world: World) -> None:
    task = world("DescribeTasks", tasks=[run(world)])["tasks"][0]
    assert (task["stopCode"], task["stoppedReason"]) == (None, None)


def test_a_reason_is_at_most_1024_characters(world: World) -> None:
    arn = run(world)
    assert world.refused("StopTask", task=arn, reason="x" * 1025)[0] == "InvalidParameterException"
    assert world("StopTask", task=arn, reason="x" * 1024)["task"]["stoppedReason"] == "x" * 1024
    assert world.refused("StopTask", task=ARNS.ecs("task/default/none")) == (
        "InvalidParameterException",
        "The referenced task was not found.",
    )
