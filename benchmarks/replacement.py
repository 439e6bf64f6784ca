"""A killed container of a service behind a load balancer: how long until it is replaced.

Beside the times of the replacement, in the same run, ``docker run -d`` of the same image. "Own
share" is what Homeport adds: from the Engine's ``die`` event to the moment the Engine is asked
to create the replacement, which is the replacement's ``create`` event less what a create takes,
so it is an upper bound. Aim: 100 ms.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from machine import header, milliseconds
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane, eventually
from docker_engine import docker
from images import busybox_image
from web_service import SERVE, WebService, create_web_service

ROUNDS = 10
SETTLE_SECONDS = 11.0
"""Longer than what counts as a quick end, so that no replacement is held back."""


class Events:
    """The Engine's own event stream: (nanoseconds, action, container id)."""

    def __init__(self, cluster: str) -> None:
        self._process = subprocess.Popen(
            [
                *("docker", "events", "--format", "{{json .}}"),
                *("--filter", "type=container"),
                *("--filter", f"label=com.amazonaws.ecs.cluster={cluster}"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )

    def after_kill(self) -> dict[str, float]:
        """Epoch seconds of the victim's die and the replacement's create and start."""
        times: dict[str, float] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            action = event["Action"]
            if action == "die" or (action in ("create", "start") and "die" in times):
                times.setdefault(action, event["timeNano"] / 1e9)
            if "start" in times:
                return times
        raise AssertionError("the Engine's events ended")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


def docker_run() -> float:
    name = f"homeport-benchmark-{uuid.uuid4().hex[:12]}"
    began = time.monotonic()
    docker("run", "-d", "--name", name, "-m", "32m", "-p", "80", busybox_image(), "sh", "-c", SERVE)
    seconds = time.monotonic() - began
    docker("rm", "-f", name)
    return seconds


def kill_one(plane: ControlPlane, service: WebService, events: Events) -> dict[str, float]:
    before = {task["taskArn"] for task in service.tasks()}
    victim = plane.containers()[0]["Id"]
    subprocess.run(["docker", "kill", victim], check=True, capture_output=True, timeout=30)
    times = events.after_kill()

    def replaced() -> Any:
        new = [t for t in service.tasks() if t["taskArn"] not in before]
        return new if new and new[0]["lastStatus"] == "RUNNING" else None

    eventually("the replacement runs", replaced, 30, every=0.005)
    times["running"] = time.time()
    eventually("it receives traffic", lambda: len(service.healthy_targets()) == 2, 30, every=0.005)
    urllib.request.urlopen(service.url, timeout=5).read()
    times["traffic"] = time.time()
    return times


def main() -> None:
    header("A killed container and its replacement")
    with running() as plane:
        service = create_web_service(plane)
        events = Events(plane.cluster)
        measured, alone = [], []
        try:
            for _ in range(ROUNDS):
                time.sleep(SETTLE_SECONDS)
                alone.append(docker_run())
                measured.append(kill_one(plane, service, events))
        finally:
            events.close()
    spans = {
        "own share (die to create)": [t["create"] - t["die"] for t in measured],
        "die to start": [t["start"] - t["die"] for t in measured],
        "die to RUNNING": [t["running"] - t["die"] for t in measured],
        "die to traffic": [t["traffic"] - t["die"] for t in measured],
        "docker run -d alone": alone,
    }
    for name, seconds in spans.items():
        aim = "  (aim 100 ms)" if name.startswith("own") else ""
        print(f"   {name:26s} {milliseconds(seconds)}{aim}")
    ratio = statistics.median(spans["die to RUNNING"]) / statistics.median(alone)
    print(f"   die to RUNNING / docker run -d: {ratio:.2f}")


if __name__ == "__main__":
    main()
