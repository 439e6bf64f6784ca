"""A killed container of a service behind a load balancer: how long until it is replaced.

Times run from the Engine's own ``die`` event. "Own share" is what Homeport adds until the Engine
is asked for the replacement: the agent hears of the death, the control plane decides and places,
the agent is told and asks. It ends when the agent's request leaves for the Engine, as a relay
between the two notes (aim: 100 ms); the Engine needs the create answered before it can be asked
to start, so that both requests are shown. RUNNING is what DescribeTasks says. The first answer of
the replacement is the first answer through the load balancer that carries its host name. Beside
them, in the same run, ``docker run -d`` of the same image.
"""

from __future__ import annotations

import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine import header, milliseconds, wait_until_quiet
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane, eventually
from docker_engine import docker
from images import busybox_image
from web_service import WebService, create_web_service

ROUNDS = 10
SETTLE_SECONDS = 11.0  # longer than what counts as a quick end, so that nothing is held back
ENGINE_SOCKET = "/var/run/docker.sock"
DEADLINE_SECONDS = 30.0
LOOK_SECONDS = 0.005
SERVE_HOST_NAME = (
    "mkdir -p /www; hostname > /www/index.html; trap 'exit 0' TERM; httpd -f -p 80 -h /www & wait"
)


@dataclass
class Lines:
    """What a child process prints, line by line, with a deadline."""

    process: subprocess.Popen[str]
    _queue: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line)

    def next(self) -> str:
        return self._queue.get(timeout=DEADLINE_SECONDS)

    def forget(self) -> None:
        """What was printed until now."""
        while not self._queue.empty():
            self._queue.get()


@contextmanager
def child(*command: str) -> Iterator[Lines]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Lines(process)
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def engine_relay() -> Iterator[Lines]:
    """While it is open, what is started here reaches the Engine through the relay."""
    with tempfile.TemporaryDirectory(prefix="homeport-benchmark-") as directory:
        listen = f"{directory}/docker.sock"
        program = str(Path(__file__).with_name("engine_proxy.py"))
        with child(sys.executable, program, listen, ENGINE_SOCKET) as requests:
            assert requests.next() == "listening\n"
            before = os.environ.get("DOCKER_HOST")
            os.environ["DOCKER_HOST"] = f"unix://{listen}"
            try:
                yield requests
            finally:
                del os.environ["DOCKER_HOST"]
                if before is not None:
                    os.environ["DOCKER_HOST"] = before


def engine_events(cluster: str) -> Any:
    return child(
        *("docker", "events", "--format", "{{json .}}"),
        *("--filter", "type=container"),
        *("--filter", f"label=com.amazonaws.ecs.cluster={cluster}"),
    )


def times_of_engine(events: Lines, victim: str) -> tuple[dict[str, float], str]:
    """Epoch seconds of the victim's die and the replacement's create and start; its id."""
    times: dict[str, float] = {}
    replacement = ""
    while "start" not in times:
        event = json.loads(events.next())
        action, at = event["Action"], event["timeNano"] / 1e9
        if action == "die" and event["id"] == victim:
            times["die"] = at
        elif action == "create" and "die" in times:
            times["create"], replacement = at, event["id"]
        elif action == "start" and event["id"] == replacement:
            times["start"] = at
    return times, replacement


def times_of_requests(requests: Lines) -> dict[str, float]:
    """Epoch seconds of the agent's requests for the replacement."""
    times: dict[str, float] = {}
    while "start request" not in times:
        at, _, path = requests.next().split()
        name = path.partition("?")[0].rpartition("/")[2]
        if name in ("create", "start"):
            times[f"{name} request"] = float(at)
    return times


def docker_run() -> float:
    name = f"homeport-benchmark-{uuid.uuid4().hex[:12]}"
    command = ("sh", "-c", SERVE_HOST_NAME)
    began = time.monotonic()
    docker("run", "-d", "--name", name, "-m", "32m", "-p", "80", busybox_image(), *command)
    seconds = time.monotonic() - began
    docker("rm", "-f", name)
    return seconds


@dataclass
class Watch(threading.Thread):
    """Asks the load balancer again and again until a certain host has answered."""

    url: str
    host_name: str
    answered_at: float = 0.0
    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self.answered_at and time.monotonic() < deadline:
            self.sent += 1
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    if answer.read().decode().strip() == self.host_name:
                        self.answered_at = time.time()
            except (urllib.error.URLError, OSError) as error:
                self.failed.append(str(error))
            time.sleep(LOOK_SECONDS)


def until_running(plane: ControlPlane, service: WebService, before: set[str]) -> float:
    """Epoch seconds when DescribeTasks shows the replacement RUNNING."""
    ecs = plane.client("ecs")

    def new_task() -> Any:
        arns = ecs.list_tasks(cluster=plane.cluster, serviceName=service.name)["taskArns"]
        return next(iter(set(arns) - before), None)

    arn = eventually("there is a replacement", new_task, DEADLINE_SECONDS, every=LOOK_SECONDS)

    def runs() -> bool:
        (task,) = ecs.describe_tasks(cluster=plane.cluster, tasks=[arn])["tasks"]
        return bool(task["lastStatus"] == "RUNNING")

    eventually("the replacement runs", runs, DEADLINE_SECONDS, every=LOOK_SECONDS)
    return time.time()


def kill_one(
    plane: ControlPlane, service: WebService, events: Lines, requests: Lines
) -> tuple[dict[str, float], Watch]:
    before = {task["taskArn"] for task in service.tasks()}
    victim = plane.containers()[0]["Id"]
    events.forget()
    requests.forget()
    docker("kill", victim)
    # Nothing asks anything until the replacement starts: the own share is measured undisturbed.
    times, replacement = times_of_engine(events, victim)
    times |= times_of_requests(requests)
    watch = Watch(service.url, replacement[:12])
    watch.start()
    times["RUNNING"] = until_running(plane, service, before)
    watch.join(DEADLINE_SECONDS + 5)
    assert watch.answered_at, "the replacement has not answered through the load balancer"
    times["answer"] = watch.answered_at
    eventually("both are healthy", lambda: len(service.healthy_targets()) == 2, DEADLINE_SECONDS)
    return times, watch


def report(measured: list[dict[str, float]], alone: list[float], watches: list[Watch]) -> None:
    def since_die(name: str) -> list[float]:
        return [times[name] - times["die"] for times in measured]

    rows = {
        "die to create request": (since_die("create request"), "own share; aim 100 ms"),
        "die to start request": (since_die("start request"), "with the Engine's create; aim 100"),
        "die to RUNNING": (since_die("RUNNING"), ""),
        "die to its first answer": (since_die("answer"), "through the load balancer"),
        "docker run -d alone": (alone, "the same image, in between"),
    }
    for name, (seconds, note) in rows.items():
        print(f"   {name:24s} {milliseconds(seconds)}  {note}")
    ratio = statistics.median(since_die("RUNNING")) / statistics.median(alone)
    failed = [text for watch in watches for text in watch.failed]
    print(f"   die to RUNNING / docker run -d: {ratio:.2f}")
    print(
        f"   requests while waiting for it: {sum(w.sent for w in watches)}, failed {len(failed)}"
        f"{': ' + failed[0] if failed else ''}"
    )


def main() -> None:
    header("A killed container and its replacement")
    measured, watches, alone = [], [], []
    with engine_relay() as requests, running() as plane:
        service = create_web_service(plane, command=SERVE_HOST_NAME)
        with engine_events(plane.cluster) as events:
            for _ in range(ROUNDS):
                time.sleep(SETTLE_SECONDS)
                alone.append(docker_run())
                wait_until_quiet()
                times, watch = kill_one(plane, service, events, requests)
                measured.append(times)
                watches.append(watch)
    report(measured, alone, watches)


if __name__ == "__main__":
    main()
