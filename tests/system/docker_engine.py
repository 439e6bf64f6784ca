"""What the tests ask the Docker Engine directly, to compare with what the API says."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    """Run the docker client."""
    result = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, timeout=120, check=False
    )
    assert result.returncode == 0, f"docker {' '.join(arguments)}\n{result.stderr.decode()}"
    return result.stdout.decode()


def containers_of_cluster(cluster: str, *, running_only: bool = True) -> list[dict[str, Any]]:
    """``docker inspect`` of every container with the cluster's label (name or ARN)."""
    ids: set[str] = set()
    listing = docker(
        "ps",
        *([] if running_only else ["--all"]),
        "--no-trunc",
        "--filter",
        "label=com.amazonaws.ecs.cluster",
        "--format",
        '{{.ID}} {{.Label "com.amazonaws.ecs.cluster"}}',
    )
    for line in listing.splitlines():
        container_id, _, label = line.partition(" ")
        if label == cluster or label.endswith(f"/{cluster}"):
            ids.add(container_id)
    return json.loads(docker("inspect", *sorted(ids))) if ids else []


def remove_containers_of_cluster(cluster: str) -> None:
    """Remove the containers that a test made, and only those."""
    ids = [c["Id"] for c in containers_of_cluster(cluster, running_only=False)]
    if ids:
        docker("rm", "--force", "--volumes", *ids)


def closed_addresses() -> set[str]:
    """The addresses of tasks that have gone, which agents keep closed for a while."""
    shown = subprocess.run(
        ["ip", "-4", "-json", "route", "show", "type", "unreachable", "proto", "238"],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return {route["dst"] for route in json.loads(shown.stdout or "[]")}


def open_addresses(addresses: set[str]) -> None:
    """Open those of them that a test has made: their agents may have been killed."""
    for address in addresses & closed_addresses():
        delete = ["ip", "route", "del", "unreachable", f"{address}/32", "metric", "4096"]
        subprocess.run(delete, capture_output=True, timeout=20, check=False)
