"""ECS Exec: a command in a running container, from ``homeport exec`` and from AWS's own CLI."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from control_plane import ControlPlane, eventually
from roles import task_role
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

PATIENT = "trap 'exit 0' TERM; while true; do sleep 1; done"
SECONDS = 60


def start(plane: ControlPlane, *containers: dict[str, object]) -> Running:
    """A task with execute command enabled, once its agents are reachable."""
    definition = register(plane, *(containers or (container(command=PATIENT),)))
    task = run(plane, definition, enableExecuteCommand=True)
    task.reaches("RUNNING")
    return reachable(task)


def reachable(task: Running) -> Running:
    def look() -> bool:
        agents = [a for c in task.describe()["containers"] for a in c["managedAgents"]]
        assert {a["name"] for a in agents} == {"ExecuteCommandAgent"}
        return all(a["lastStatus"] == "RUNNING" for a in agents)

    eventually("the containers' agents run", look, SECONDS)
    return task


@pytest.fixture(scope="module")
def task(shared_control_plane: ControlPlane) -> Iterator[Running]:
    """One that most tests share: what they run in it leaves nothing behind."""
    task = start(shared_control_plane)
    yield task
    task.stop()


def command_line(task: Running, *command: str, name: str = "") -> list[str]:
    options = ["--cluster", task.plane.cluster, *(["--container", name] if name else [])]
    return [sys.executable, "-m", "homeport", "exec", task.arn, *options, "--", *command]


def homeport_exec(
    task: Running, *command: str, input: bytes = b"", name: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """``homeport exec`` without a terminal."""
    return subprocess.run(
        command_line(task, *command, name=name),
        env=task.plane.environment(),
        input=input,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


@dataclass
class Terminal:
    """A program on a pseudo terminal, and all that it has printed."""

    descriptor: int
    process: subprocess.Popen[bytes]
    printed: bytes = b""

    def types(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def shows(self, text: str) -> None:
        """Wait until ``text`` was printed since the last time."""
        deadline = time.monotonic() + SECONDS
        while text.encode() not in self.printed:
            assert time.monotonic() < deadline, f"{text!r} was not printed: {self.printed!r}"
            if select.select([self.descriptor], [], [], 0.5)[0]:
                try:
                    self.printed += os.read(self.descriptor, 65536)
                except OSError as error:
                    raise AssertionError(f"it ended: {self.printed!r}") from error
        self.printed = self.printed.partition(text.encode())[2]

    def ends(self) -> int:
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def terminal(plane: ControlPlane, arguments: list[str]) -> Iterator[Terminal]:
    """Run a program on a terminal of 100 columns and 30 rows."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    def own_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        arguments,
        env={**plane.environment(), "TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=own_the_terminal,
    )
    os.close(its)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_a_command_prints_its_output_and_gives_its_exit_code(task: Running) -> None:
    ran = homeport_exec(task, "sh", "-c", "echo out; echo error >&2; exit 7")
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"out\n", b"error\n", 7)


def test_the_command_runs_as_root_in_that_container(task: Running) -> None:
    ran = homeport_exec(task, "sh", "-c", "id -u; cat /proc/1/cmdline; hostname")
    (container_facts,) = task.containers().values()
    assert ran.stdout.startswith(b"0\n")
    assert PATIENT.encode() in ran.stdout
    assert container_facts["Config"]["Hostname"].encode() in ran.stdout


def test_bytes_pass_unchanged_in_both_directions(task: Running) -> None:
    noise = os.urandom(1_000_000)
    ran = homeport_exec(task, "cat", input=noise)
    assert ran.returncode == 0
    assert ran.stdout == noise


def test_a_program_that_is_not_there_says_so(task: Running) -> None:
    ran = homeport_exec(task, "no-such-program")
    assert ran.returncode in (126, 127)
    assert b"no-such-program" in ran.stdout + ran.stderr


def test_an_interactive_shell_has_a_terminal_that_follows_the_clients(
    shared_control_plane: ControlPlane, task: Running
) -> None:
    with terminal(shared_control_plane, command_line(task, "sh")) as shell:
        shell.shows("# ")
        shell.types("stty size\r")
        shell.shows("30 100")
        shell.resize(120, 50)
        os.kill(shell.process.pid, signal.SIGWINCH)
        shell.types('until stty size | grep "^50 120$"; do sleep 0.1; done; echo w""ide\r')
        shell.shows("wide")
        shell.types('echo sl""eeps; sleep 600\r')
        shell.shows("sleeps")
        shell.types("\x03")
        shell.shows("# ")
        shell.types("exit 3\r")
        assert shell.ends() == 3


def test_several_sessions_at_once_are_apart(task: Running) -> None:
    results: dict[int, bytes] = {}

    def session(number: int) -> None:
        script = f"read line; sleep 1; echo {number} $line"
        results[number] = homeport_exec(task, "sh", "-c", script, input=b"%d\n" % number).stdout

    sessions = [threading.Thread(target=session, args=(n,)) for n in range(3)]
    for thread in sessions:
        thread.start()
    for thread in sessions:
        thread.join(SECONDS)
    assert results == {n: b"%d %d\n" % (n, n) for n in range(3)}


def test_what_a_client_that_is_killed_began_ends(
    shared_control_plane: ControlPlane, task: Running
) -> None:
    client = subprocess.Popen(
        command_line(task, "sleep", "1234"),
        env=shared_control_plane.environment(),
        stdin=subprocess.PIPE,
    )

    def sleeping() -> bool:
        return b"sleep 1234" in homeport_exec(task, "ps").stdout

    eventually("the command runs", sleeping, SECONDS)
    client.kill()
    client.wait()
    eventually("the command has ended", lambda: not sleeping(), SECONDS)


def test_aws_execute_command_opens_a_shell(
    shared_control_plane: ControlPlane, task: Running, tmp_path: Path
) -> None:
    """The AWS CLI as it is. In the place of session-manager-plugin, which can't be had from a
    package registry, a client of the suite's own that was written from the protocol."""
    plugin = tmp_path / "session-manager-plugin"
    script = Path(__file__).with_name("session_manager_plugin.py")
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    plugin.chmod(0o755)
    environment = shared_control_plane.environment()
    ran = subprocess.run(
        [
            str(Path(sys.executable).with_name("aws")),
            *("ecs", "execute-command", "--cluster", shared_control_plane.cluster),
            *("--task", task.arn, "--interactive", "--command", "/bin/sh"),
        ],
        env={**environment, "PATH": f"{tmp_path}:{environment['PATH']}"},
        input=b'echo he""llo\nstty size\nexit\n',
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for printed in (b"hello\r\n", b"43 132", b"Exiting session with sessionId: ecs-execute-"):
        assert printed in ran.stdout, ran.stdout


def test_of_several_containers_one_is_named(shared_control_plane: ControlPlane) -> None:
    task = start(
        shared_control_plane,
        container("one", f"echo one > /name; {PATIENT}"),
        container("two", f"echo two > /name; {PATIENT}"),
    )
    for name in ("one", "two"):
        assert homeport_exec(task, "cat", "/name", name=name).stdout == f"{name}\n".encode()
    ran = homeport_exec(task, "true")
    assert ran.returncode == 1
    assert b"The container must be specified" in ran.stderr
    task.stop()


def test_fargate_tasks_are_no_different(shared_control_plane: ControlPlane) -> None:
    subnets = shared_control_plane.client("ec2").describe_subnets()["Subnets"]
    definition = register(
        shared_control_plane,
        container(command=PATIENT),
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
    )
    address = {"subnets": [subnets[0]["SubnetId"]], "assignPublicIp": "ENABLED"}
    task = run(
        shared_control_plane,
        definition,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": address},
        enableExecuteCommand=True,
    )
    task.reaches("RUNNING")
    (interface,) = reachable(task).describe()["containers"][0]["networkInterfaces"]
    own = interface["privateIpv4Address"]
    assert own.encode() in homeport_exec(task, "busybox", "ip", "addr").stdout
    task.stop()


def test_a_task_without_execute_command_is_refused_in_awss_words(
    shared_control_plane: ControlPlane,
) -> None:
    task = run(shared_control_plane, register(shared_control_plane, container(command=PATIENT)))
    task.reaches("RUNNING")
    ecs = shared_control_plane.client("ecs")
    with pytest.raises(ClientError, match="execute command was not enabled when the task was run"):
        ecs.execute_command(
            cluster=shared_control_plane.cluster, task=task.arn, command="sh", interactive=True
        )
    assert homeport_exec(task, "true").returncode == 1
    task.stop()


def test_a_tasks_role_needs_the_permission(shared_control_plane: ControlPlane) -> None:
    iam = shared_control_plane.client("iam")
    ecs = shared_control_plane.client("ecs")
    role = task_role(shared_control_plane)
    definition = register(shared_control_plane, container(command=PATIENT), taskRoleArn=role)
    task = run(shared_control_plane, definition, enableExecuteCommand=True)
    task.reaches("RUNNING")
    (described,) = reachable(task).describe()["containers"]
    assert "AccessDeniedException" in described["managedAgents"][0]["reason"]
    with pytest.raises(ecs.exceptions.TargetNotConnectedException):
        ecs.execute_command(
            cluster=shared_control_plane.cluster, task=task.arn, command="sh", interactive=True
        )
    statement = {"Effect": "Allow", "Action": "ssmmessages:*Channel", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role.rsplit("/", 1)[-1],
        PolicyName="exec",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )

    def answers() -> bool:
        return homeport_exec(task, "echo", "let in").stdout == b"let in\n"

    eventually("the container is connected", answers, SECONDS)
    (described,) = task.describe()["containers"]
    assert "reason" not in described["managedAgents"][0]
    task.stop()


def test_a_session_is_copied_where_its_cluster_says(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    ecs, logs, s3 = plane.client("ecs"), plane.client("logs"), plane.client("s3")
    logs.create_log_group(logGroupName="/sessions")
    s3.create_bucket(Bucket="sessions")
    places = {"cloudWatchLogGroupName": "/sessions", "s3BucketName": "sessions"}
    where = {"logging": "OVERRIDE", "logConfiguration": {**places, "s3KeyPrefix": "exec"}}
    ecs.update_cluster(cluster=plane.cluster, configuration={"executeCommandConfiguration": where})
    role = task_role(
        plane, "ssmmessages:*", "logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject"
    )
    definition = register(plane, container(command=PATIENT), taskRoleArn=role)
    task = run(plane, definition, enableExecuteCommand=True)
    task.reaches("RUNNING")
    reachable(task)
    assert homeport_exec(task, "sh", "-c", "echo one; echo two").returncode == 0

    def stream() -> str:
        streams = logs.describe_log_streams(logGroupName="/sessions")["logStreams"]
        return streams[0]["logStreamName"] if streams else ""

    name = eventually("the session has a stream", stream, SECONDS)
    assert name.startswith("ecs-execute-command-")

    def lines() -> list[str]:
        events = logs.get_log_events(logGroupName="/sessions", logStreamName=name)["events"]
        return [event["message"] for event in events]

    eventually("its lines are there", lambda: lines() == ["one", "two"], SECONDS)

    def whole() -> bytes:
        listed = s3.list_objects_v2(Bucket="sessions").get("Contents", ())
        assert all(o["Key"] == f"exec/{name}.log" for o in listed)
        return (
            s3.get_object(Bucket="sessions", Key=listed[0]["Key"])["Body"].read() if listed else b""
        )

    assert eventually("the object is there", whole, SECONDS) == b"one\ntwo\n"
    none = {"executeCommandConfiguration": {"logging": "NONE"}}
    ecs.update_cluster(cluster=plane.cluster, configuration=none)
    task.stop()


def test_a_session_can_be_listed_and_ended_by_others(
    shared_control_plane: ControlPlane, task: Running
) -> None:
    with terminal(shared_control_plane, command_line(task, "sh")) as shell:
        shell.shows("# ")
        listed = shared_control_plane.aws("ssm", "describe-sessions", "--state", "Active")
        (session,) = listed["Sessions"]
        assert task.arn.rsplit("/", 1)[-1] in session["Target"]
        shared_control_plane.aws("ssm", "terminate-session", "--session-id", session["SessionId"])
        shell.ends()


def test_a_session_ends_when_its_task_stops(shared_control_plane: ControlPlane) -> None:
    task = start(shared_control_plane)
    with terminal(shared_control_plane, command_line(task, "sh")) as shell:
        shell.shows("# ")
        task.stop()
        assert shell.ends() != 0
    (stopped,) = task.reaches("STOPPED")["containers"]
    assert [a["lastStatus"] for a in stopped["managedAgents"]] == ["STOPPED"]


def test_containers_are_reachable_again_after_either_side_was_killed(
    shared_control_plane: ControlPlane, task: Running
) -> None:
    shared_control_plane.kill_agent()

    def answers() -> bool:
        return homeport_exec(task, "echo", "back").stdout == b"back\n"

    eventually("the agent is back", answers, SECONDS)
    shared_control_plane.kill()
    shared_control_plane.start()
    eventually("the control plane is back", answers, SECONDS)
