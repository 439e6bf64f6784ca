"""Lines per second from a container to CloudWatch Logs through the Engine's awslogs driver.

A task prints numbered lines as fast as it can; the driver blocks, so that nothing may be lost.
Seconds run from the container's start to the ingestion of its last line. Every line is read back
and must be there, once and in its place. Beside it, taking turns, the same task with the Engine's
json-file driver, from its start to its end. Aim: 100,000 lines per second, none lost.
"""

from __future__ import annotations

import statistics
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from machine import header, wait_until_quiet
from plane import running

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import ControlPlane, eventually
from tasks import Running, container, register, run

LINES = 500_000
ROUNDS = 5
LINE_BYTES = 100
DEADLINE_SECONDS = 300.0
PRINT = (
    f"busybox awk 'BEGIN {{ for (i = 1; i <= {LINES}; i++)"
    f' printf "%09d {"x" * (LINE_BYTES - 10)}\\n", i }}\''
)


def printed(plane: ControlPlane, logging: dict[str, Any]) -> Running:
    """The task, once it has ended."""
    definition = register(plane, container(command=PRINT, logConfiguration=logging))
    task = run(plane, definition)
    ended = task.reaches("STOPPED", DEADLINE_SECONDS)
    assert ended["containers"][0].get("exitCode") == 0, ended
    return task


def times(task: Running) -> tuple[float, float]:
    """Epoch seconds of the container's start and end."""
    state = task.containers()["main"]["State"]
    return epoch(state["StartedAt"]), epoch(state["FinishedAt"])


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def awslogs(plane: ControlPlane) -> float:
    """Lines per second."""
    group = f"/benchmark/{uuid.uuid4().hex[:8]}"
    plane.client("logs").create_log_group(logGroupName=group)
    options = {
        "awslogs-group": group,
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "app",
        "mode": "blocking",
    }
    task = printed(plane, {"logDriver": "awslogs", "options": options})
    last = read_back(plane, group, f"app/main/{task.arn.rpartition('/')[2]}")
    plane.client("logs").delete_log_group(logGroupName=group)
    return LINES / (last - times(task)[0])


def read_back(plane: ControlPlane, group: str, stream: str) -> float:
    """When the last line was taken (epoch seconds); every line must be there in its place."""
    logs = plane.client("logs")
    newest = {"logGroupName": group, "logStreamName": stream, "limit": 1}

    def complete() -> bool:
        (event,) = logs.get_log_events(**newest)["events"]
        return int(event["message"][:9]) == LINES

    eventually("the last line", complete, DEADLINE_SECONDS)
    where = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    page = logs.get_log_events(**where)
    number = last = 0
    while page["events"]:
        for event in page["events"]:
            number += 1
            assert int(event["message"][:9]) == number, (number, event)
        last = page["events"][-1]["ingestionTime"]
        page = logs.get_log_events(**where, nextToken=page["nextForwardToken"])
    assert number == LINES, f"{LINES - number} of {LINES} lines are lost"
    return last / 1000


def json_file(plane: ControlPlane) -> float:
    """Lines per second."""
    started, ended = times(printed(plane, {"logDriver": "json-file", "options": {}}))
    return LINES / (ended - started)


def main() -> None:
    header(
        f"Log lines through the Engine's drivers: {LINES:,} of {LINE_BYTES} bytes, one container"
    )
    measured: dict[str, list[float]] = {"awslogs": [], "json-file": []}
    with running() as plane:
        for _ in range(ROUNDS):
            wait_until_quiet()
            measured["awslogs"].append(awslogs(plane))
            wait_until_quiet()
            measured["json-file"].append(json_file(plane))
    for name, rates in measured.items():
        shown = " ".join(f"{rate:,.0f}" for rate in rates)
        print(f"   {name:10s} {statistics.median(rates):>9,.0f} lines/s   ({shown})")
    ratio = statistics.median(measured["awslogs"]) / statistics.median(measured["json-file"])
    print(
        f"   awslogs / json-file: {ratio:.2f}; lost: 0 of {ROUNDS * LINES:,}; aim 100,000 lines/s"
    )


if __name__ == "__main__":
    main()
