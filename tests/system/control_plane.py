"""Starts a real ``homeport up`` for a test and talks to it as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import docker_engine

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 20.0


def free_port() -> int:
    """A TCP port of the loopback that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(
    what: str, look: Callable[[], T | None], timeout_seconds: float = 60.0, every: float = 0.1
) -> T:
    """The first true value that ``look`` returns; fails naming what was awaited."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(every)
    raise AssertionError(f"not within {timeout_seconds} s: {what}")


@dataclass
class ControlPlane:
    """One ``homeport up`` on a data directory and a port of its own."""

    data_dir: Path
    cluster: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ()
    host: str = "127.0.0.1"

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = open(self.data_dir / "up.log", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "homeport",
                "up",
                "--data",
                str(self.data_dir / "state"),
                "--listen",
                f"{self.host}:{self.port}",
                "--cluster",
                self.cluster,
                *self.options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        eventually("the control plane answers", self.answers, START_SECONDS, every=0.05)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data_dir / "up.log").read_text()[-3000:]
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.host, self.port)) == 0

    def kill(self) -> None:
        """``kill -9``: no goodbye of any kind."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def agent_pids(self) -> list[int]:
        """The local agent: the child of ``up`` that runs the agent's module."""
        assert self.process is not None
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "homeport.local_agent"],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in found.stdout.split()]

    def kill_agent(self) -> None:
        """``kill -9`` of the local agent; returns once it has been started again."""
        (pid,) = eventually("the local agent runs", self.agent_pids, 60)
        os.kill(pid, signal.SIGKILL)
        eventually(
            "the local agent runs again", lambda: set(self.agent_pids()) - {pid}, START_SECONDS
        )

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_SECONDS)

    def credentials(self) -> dict[str, str]:
        document = json.loads((self.data_dir / "state" / "credentials.json").read_text())
        return {
            "aws_access_key_id": document["access_key_id"],
            "aws_secret_access_key": document["secret_access_key"],
            "region_name": document["region"],
        }

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, **self.credentials())

    def environment(self) -> dict[str, str]:
        """What ``homeport env`` exports."""
        keys = self.credentials()
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
            "AWS_REGION": keys["region_name"],
            "AWS_DEFAULT_REGION": keys["region_name"],
            "AWS_PAGER": "",
        }

    def aws(self, *arguments: str) -> Any:
        """Run the AWS CLI; returns its JSON output (None if it printed nothing)."""
        result = self.aws_cli(*arguments)
        assert result.returncode == 0, f"aws {' '.join(arguments)}\n{result.stderr}"
        return json.loads(result.stdout) if result.stdout.strip() else None

    def aws_cli(
        self, *arguments: str, keys: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI, with root's key or with one that IAM or STS gave."""
        environment = self.environment()
        if keys is not None:
            environment["AWS_ACCESS_KEY_ID"] = keys["AccessKeyId"]
            environment["AWS_SECRET_ACCESS_KEY"] = keys["SecretAccessKey"]
            environment["AWS_SESSION_TOKEN"] = keys.get("SessionToken", "")
        return subprocess.run(
            [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def wait_for_instance(self) -> None:
        """Create the cluster, and wait until the local agent has joined it and is connected."""
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName=self.cluster)

        def connected() -> bool:
            arns = ecs.list_container_instances(cluster=self.cluster)["containerInstanceArns"]
            if not arns:
                return False
            described = ecs.describe_container_instances(
                cluster=self.cluster, containerInstances=arns
            )["containerInstances"]
            return any(i["agentConnected"] for i in described)

        eventually("the local agent is connected", connected, 30)

    def containers(self, *, running_only: bool = True) -> list[dict[str, Any]]:
        """The containers of this cluster that Docker itself reports."""
        return docker_engine.containers_of_cluster(self.cluster, running_only=running_only)

    def clean_up(self) -> None:
        """Stop everything this control plane made, by its own label and data directory."""
        addresses: set[str] = set()
        if docker_engine.closed_addresses():
            with contextlib.suppress(BotoCoreError, ClientError):  # there may be no cluster
                addresses = self._addresses_of_tasks()
        self.stop()
        docker_engine.remove_containers_of_cluster(self.cluster)
        docker_engine.open_addresses(addresses)

    def _addresses_of_tasks(self) -> set[str]:
        """Of every task that can be described: what an agent that was killed has left closed."""
        if self.process is None or self.process.poll() is not None:
            return set()
        ecs = self.client("ecs")
        found = set()
        for status in ("RUNNING", "STOPPED"):
            pages = ecs.get_paginator("list_tasks").paginate(
                cluster=self.cluster, desiredStatus=status
            )
            for page in pages:
                arns = page["taskArns"]
                tasks = (
                    ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else ()
                )
                for task in tasks:
                    details = (d for a in task["attachments"] for d in a["details"])
                    found |= {d["value"] for d in details if d["name"] == "privateIPv4Address"}
        return found
