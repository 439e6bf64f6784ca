"""What containers print is in CloudWatch Logs, shipped by the Engine's own awslogs driver."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

AWS_CLI_2 = "/usr/bin/aws"
"""``logs tail`` is of version 2, which is no Python package; Debian has it."""


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


@pytest.fixture
def group(plane: ControlPlane) -> str:
    """A log group of the test's own."""
    name = f"/test/{uuid.uuid4().hex[:8]}"
    plane.client("logs").create_log_group(logGroupName=name)
    return name


def awslogs(group: str, **options: str) -> dict[str, Any]:
    """A logConfiguration; in blocking mode unless the test says otherwise."""
    given = {key.replace("_", "-"): value for key, value in options.items()}
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": group,
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "app",
            "mode": "blocking",
            **given,
        },
    }


def events(plane: ControlPlane, group: str, **more: Any) -> list[dict[str, Any]]:
    """All of a group's events."""
    pages = (
        plane.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, **more)
    )
    return [event for page in pages for event in page["events"]]


def come(plane: ControlPlane, group: str, count: int) -> list[dict[str, Any]]:
    """The events of a group once they are so many: the Engine's driver sends the last lines of a
    container while it is already said to have ended."""

    def look() -> list[dict[str, Any]] | None:
        found = events(plane, group)
        return found if len(found) >= count else None

    return eventually(f"{count} events in {group}", look, 60)


def printed(
    plane: ControlPlane, group: str, count: int, command: str, **more: Any
) -> list[dict[str, Any]]:
    """The events of a task that has run to its end; there must be ``count``, and come no more."""
    task = run(plane, register(plane, container(command=command, **more)))
    ended = task.reaches("STOPPED", 60)
    assert ended["containers"][0].get("exitCode") == 0, ended
    found = come(plane, group, count)
    assert len(found) == count
    return found


def test_what_a_container_prints_is_in_the_stream_of_its_task(
    plane: ControlPlane, group: str
) -> None:
    """Both outputs, in order, with the time at which it was printed."""
    before = datetime.now(UTC).timestamp() * 1000
    command = "for i in 1 2 3; do echo line $i; done; sleep 0.1; echo 'to: stderr é' >&2"
    task = run(plane, register(plane, container(command=command, logConfiguration=awslogs(group))))
    task.reaches("STOPPED", 60)
    come(plane, group, 4)
    found = plane.client("logs").get_log_events(
        logGroupName=group,
        logStreamName=f"app/main/{task.arn.rpartition('/')[2]}",
        startFromHead=True,
    )["events"]
    assert [e["message"] for e in found] == ["line 1", "line 2", "line 3", "to: stderr é"]
    assert all(before <= e["timestamp"] <= e["ingestionTime"] for e in found)


def test_a_line_is_there_seconds_after_it_was_printed(plane: ControlPlane, group: str) -> None:
    command = "echo ready; sleep 600"
    task = run(plane, register(plane, container(command=command, logConfiguration=awslogs(group))))
    (line,) = eventually("the line is there", lambda: events(plane, group), 30)
    assert line["message"] == "ready"
    assert line["ingestionTime"] - line["timestamp"] < 4_500, "the driver's own default is 5 s"
    assert task.describe()["lastStatus"] == "RUNNING"
    task.stop()


def test_without_a_prefix_the_stream_is_named_after_the_container(
    plane: ControlPlane, group: str
) -> None:
    logging = awslogs(group)
    del logging["options"]["awslogs-stream-prefix"]
    task = run(plane, register(plane, container(command="echo hi", logConfiguration=logging)))
    task.reaches("STOPPED", 60)
    (line,) = come(plane, group, 1)
    assert line["logStreamName"] == task.containers()["main"]["Id"]


def test_lines_that_belong_together_are_one_event(plane: ControlPlane, group: str) -> None:
    command = "echo 'INFO start'; echo '  at a()'; echo '  at b()'; echo 'INFO end'"
    found = printed(
        plane, group, 2, command, logConfiguration=awslogs(group, awslogs_multiline_pattern="^INFO")
    )
    assert [e["message"] for e in found] == ["INFO start\n  at a()\n  at b()\n", "INFO end\n"]


def test_lines_are_joined_up_to_the_next_date(plane: ControlPlane, group: str) -> None:
    command = "echo '[Nov 21, 2026 08:00:00] one'; echo more; echo '[Nov 21, 2026 08:00:01] two'"
    logging = awslogs(group, awslogs_datetime_format="\\[%b %d, %Y %H:%M:%S\\]")
    found = printed(plane, group, 2, command, logConfiguration=logging)
    assert [len(e["message"].splitlines()) for e in found] == [2, 1]


def test_a_group_that_is_missing_fails_the_start(plane: ControlPlane) -> None:
    logging = awslogs("/test/nobody-made-it")
    task = run(plane, register(plane, container(logConfiguration=logging)))
    stopped = task.reaches("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "TaskFailedToStart",
        "Task failed to start",
    )
    assert stopped["containers"][0]["reason"] == (
        "CannotStartContainerError: Error response from daemon: failed to initialize logging "
        "driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified "
        "log group does not exist."
    )


def test_the_instances_credentials_may_not_create_groups(plane: ControlPlane) -> None:
    """As with the managed policy of instances on AWS."""
    logging = awslogs("/test/instance-makes-it", awslogs_create_group="true")
    stopped = run(plane, register(plane, container(logConfiguration=logging))).reaches("STOPPED")
    reason = stopped["containers"][0]["reason"]
    assert "failed to create Cloudwatch log group: AccessDeniedException: User: " in reason
    assert "is not authorized to perform: logs:CreateLogGroup" in reason


EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def execution_role(plane: ControlPlane, *actions: str) -> str:
    """The ARN of a new execution role: with AWS's managed policy, and with more actions."""
    iam, name = plane.client("iam"), f"execution-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    iam.attach_role_policy(RoleName=name, PolicyArn=EXECUTION_POLICY)
    if actions:
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document(allowed))
    return str(role["Arn"])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_execution_role_ships_and_makes_the_group_if_it_may(plane: ControlPlane) -> None:
    group = f"/test/made-{uuid.uuid4().hex[:8]}"
    logging = awslogs(group, awslogs_create_group="true")
    box = container(command="echo made by the role", logConfiguration=logging)
    may_not = execution_role(plane)
    stopped = run(plane, register(plane, box, executionRoleArn=may_not)).reaches("STOPPED")
    reason = stopped["containers"][0]["reason"]
    task_id = stopped["taskArn"].rpartition("/")[2]
    session = f"arn:aws:sts::123456789012:assumed-role/{may_not.rpartition('/')[2]}/{task_id}"
    assert (
        "failed to create Cloudwatch log group: AccessDeniedException: User: "
        f"{session} is not authorized to perform: logs:CreateLogGroup on resource: "
        f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    ) in reason
    may = execution_role(plane, "logs:CreateLogGroup")
    task = run(plane, register(plane, box, executionRoleArn=may))
    task.reaches("STOPPED", 60)
    (line,) = come(plane, group, 1)
    assert line["message"] == "made by the role"


def test_a_role_that_may_not_write_logs_is_refused(plane: ControlPlane, group: str) -> None:
    role = execution_role(plane)
    name = role.rpartition("/")[2]
    plane.client("iam").detach_role_policy(RoleName=name, PolicyArn=EXECUTION_POLICY)
    box = container(logConfiguration=awslogs(group))
    stopped = run(plane, register(plane, box, executionRoleArn=role)).reaches("STOPPED")
    assert (
        "is not authorized to perform: logs:CreateLogStream" in stopped["containers"][0]["reason"]
    )


def test_a_fargate_task_ends_before_it_starts_when_its_group_is_missing(
    plane: ControlPlane, group: str
) -> None:
    """Whatever the delivery mode; with the group there it runs, and its lines come."""
    role = execution_role(plane)
    stopped = fargate(plane, role, awslogs("/test/nobody", mode="non-blocking")).reaches("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "TaskFailedToStart",
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The "
        "specified log group does not exist. : exit status 1",
    )
    task = fargate(plane, role, awslogs(group, mode="non-blocking"))
    (line,) = eventually("the line is there", lambda: events(plane, group), 60)
    assert line["message"] == "hello"
    task.stop()


def fargate(plane: ControlPlane, role: str, logging: dict[str, Any]) -> Running:
    """A FARGATE task that says hello."""
    definition = register(
        plane,
        container(command="echo hello; sleep 600", logConfiguration=logging),
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
    )
    subnet = plane.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet], "assignPublicIp": "ENABLED"}}
    return run(plane, definition, launchType="FARGATE", networkConfiguration=network)


def test_delivery_does_not_block_unless_the_account_or_the_definition_says_so(
    plane: ControlPlane, group: str
) -> None:
    logging = awslogs(group)
    del logging["options"]["mode"]
    definition = register(plane, container(logConfiguration=logging))
    options = options_of(run(plane, definition))
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "10m")
    ecs = plane.client("ecs")
    ecs.put_account_setting_default(name="defaultLogDriverMode", value="blocking")
    try:
        options = options_of(run(plane, definition))
    finally:
        ecs.delete_account_setting(name="defaultLogDriverMode")
    assert options["mode"] == "blocking"
    assert "max-buffer-size" not in options
    given = awslogs(group, mode="non-blocking", max_buffer_size="2m")
    options = options_of(run(plane, register(plane, container(logConfiguration=given))))
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "2m")


def options_of(task: Running) -> dict[str, str]:
    """The log options that the Engine was given."""
    task.reaches("RUNNING")
    options: dict[str, str] = task.containers()["main"]["HostConfig"]["LogConfig"]["Config"]
    task.stop()
    return options


def test_no_line_of_many_is_lost(plane: ControlPlane, group: str) -> None:
    lines = 100_000
    command = f"seq 1 {lines} | sed 's/$/ {'x' * 60}/'"
    found = printed(plane, group, lines, command, logConfiguration=awslogs(group))
    assert [int(e["message"].split()[0]) for e in found] == list(range(1, lines + 1))


def test_a_killed_control_plane_has_lost_no_line_that_it_had_taken(
    control_plane: ControlPlane,
) -> None:
    plane = control_plane
    group = "/test/kill"
    plane.client("logs").create_log_group(logGroupName=group)
    command = "i=0; while true; do i=$((i+1)); echo $i; sleep 0.01; done"
    task = run(plane, register(plane, container(command=command, logConfiguration=awslogs(group))))
    seen: set[str] = set()
    for _ in range(3):
        taken = more_than(plane, group, len(seen) + 100)
        plane.kill()
        plane.start()
        seen = messages(plane, group)
        assert taken <= seen
    eventually("the same container's lines come", lambda: messages(plane, group) > seen, 60)
    assert task.describe()["lastStatus"] == "RUNNING"
    task.stop()


def more_than(plane: ControlPlane, group: str, count: int) -> set[str]:
    """The messages of a group once there are more than ``count``."""

    def look() -> set[str] | None:
        seen = messages(plane, group)
        return seen if len(seen) > count else None

    return eventually(f"more than {count} lines", look, 60)


def messages(plane: ControlPlane, group: str) -> set[str]:
    return {event["message"] for event in events(plane, group)}


@contextmanager
def tail(plane: ControlPlane, group: str) -> Iterator[queue.Queue[str]]:
    """The lines of ``aws logs tail --follow``."""
    command = [AWS_CLI_2, "--endpoint-url", plane.endpoint, "logs", "tail", group, "--follow"]
    with subprocess.Popen(
        command, env=plane.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)

        threading.Thread(target=read, daemon=True).start()
        try:
            yield lines
        finally:
            process.kill()


def test_aws_logs_tail_follows_a_service(plane: ControlPlane, group: str) -> None:
    """Every line of its task, once and in order; a task that starts later is followed too."""
    command = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.5; done"
    definition = register(plane, container(command=command, logConfiguration=awslogs(group)))
    name = f"tick-{uuid.uuid4().hex[:8]}"
    ecs = plane.client("ecs")
    ecs.create_service(
        cluster=plane.cluster, serviceName=name, taskDefinition=definition, desiredCount=1
    )
    shown: list[str] = []
    try:
        with tail(plane, group) as lines:
            while len(shown) < 20:  # the client asks every five seconds: several answers
                shown.append(lines.get(timeout=60))
            streams = {line.split()[1] for line in shown}
            ticks = [int(line.split()[-1]) for line in shown]
            ecs.update_service(cluster=plane.cluster, service=name, desiredCount=2)
            while len(streams) < 2:
                shown.append(lines.get(timeout=60))
                streams.add(shown[-1].split()[1])
    finally:
        ecs.delete_service(cluster=plane.cluster, service=name, force=True)
    assert ticks == list(range(1, 21))
    assert all(re.fullmatch(r"app/main/[0-9a-f]{32}", stream) for stream in streams)
    assert len(set(shown)) == len(shown), "each line once"
