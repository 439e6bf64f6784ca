"""Runs tasks through the public API and reads what became of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from control_plane import ControlPlane, eventually
from docker_engine import containers_of_cluster
from images import busybox_image


def container(name: str = "main", command: str = "sleep 600", **more: Any) -> dict[str, Any]:
    """A container definition that runs a shell command on busybox."""
    return {
        "name": name,
        "image": busybox_image(),
        "memory": 16,
        "command": ["sh", "-c", command],
        "stopTimeout": 2,
        **more,
    }


@dataclass
class Running:
    """A task by its ARN."""

    plane: ControlPlane
    arn: str

    def describe(self) -> dict[str, Any]:
        answer = self.plane.client("ecs").describe_tasks(
            cluster=self.plane.cluster, tasks=[self.arn]
        )
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def reaches(self, status: str, timeout_seconds: float = 30) -> dict[str, Any]:
        """The task once its lastStatus is ``status``."""

        def look() -> dict[str, Any] | None:
            task = self.describe()
            return task if task["lastStatus"] == status else None

        try:
            return eventually(f"{self.arn} is {status}", look, timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.describe()}") from None

    def stop(self, reason: str = "") -> None:
        self.plane.client("ecs").stop_task(cluster=self.plane.cluster, task=self.arn, reason=reason)

    def containers(self) -> dict[str, dict[str, Any]]:
        """``docker inspect`` of its containers, running or not, by name in the definition."""
        found = containers_of_cluster(self.plane.cluster, running_only=False)
        labels = "com.amazonaws.ecs."
        return {
            c["Config"]["Labels"][f"{labels}container-name"]: c
            for c in found
            if c["Config"]["Labels"][f"{labels}task-arn"] == self.arn
        }


def register(plane: ControlPlane, *containers: dict[str, Any], **more: Any) -> str:
    """A task definition of a family of its own; returns ``family:revision``."""
    definition = plane.client("ecs").register_task_definition(
        family=f"t-{uuid.uuid4().hex[:10]}", containerDefinitions=list(containers), **more
    )["taskDefinition"]
    return f"{definition['family']}:{definition['revision']}"


def run(plane: ControlPlane, definition: str, **more: Any) -> Running:
    """RunTask of one task."""
    answer = plane.client("ecs").run_task(cluster=plane.cluster, taskDefinition=definition, **more)
    assert not answer["failures"], answer["failures"]
    return Running(plane, answer["tasks"][0]["taskArn"])
