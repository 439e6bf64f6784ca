"""A second agent, as ``homeport agent`` on another machine would be: its own data and zone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from control_plane import ControlPlane, eventually


@contextmanager
def second_host(
    plane: ControlPlane,
    directory: Path,
    zone: str = "us-east-1b",
    keys: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Joins the cluster; gives the container instance's ARN. ``keys``: an access key as IAM gave
    it, instead of root's."""
    ecs = plane.client("ecs")
    before = set(ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"])
    environment = plane.environment() | {
        "HOMEPORT_AGENT_CLUSTER": plane.cluster,
        "HOMEPORT_AGENT_DATA_DIR": str(directory / "second-agent"),
        "HOMEPORT_AGENT_AVAILABILITY_ZONE": zone,
        "HOMEPORT_AGENT_ATTRIBUTES": json.dumps({"rack": "two"}),
    }
    if keys is not None:
        environment |= {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        }
    with open(directory / "second-agent.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "homeport.agent"], env=environment, stdout=log, stderr=log
        )
    try:

        def joined() -> str | None:
            arns = ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"]
            new = set(arns) - before
            return new.pop() if new else None

        yield eventually("the second host joins", joined, 30)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
