"""What is said at the end."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from .clean_up import LABEL
from .control_plane import ControlPlane
from .requests import Requests
from .screen import Screen
from .service import NAME, WebService

FAILURES_SHOWN = 5


def summarize(console: Console, screen: Screen, requests: Requests) -> None:
    """Requests, latency, seconds per step, the first failures."""
    answers = ", ".join(f"{count} from {version}" for version, count in requests.versions().items())
    lines = [
        "",
        f"Requests sent:   {requests.sent} ({answers})",
        f"Requests failed: {len(requests.failures)}",
        f"Latency:         {requests.percentile(50):.1f} ms median, "
        f"{requests.percentile(99):.1f} ms p99",
        "Seconds per step:",
        *(f"  {step.seconds or 0:6.1f}  {step.title}" for step in screen.steps),
        *(f"  failed: {failure}" for failure in requests.failures[:FAILURES_SHOWN]),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def how_to_go_on(
    console: Console, plane: ControlPlane, service: WebService, images: Mapping[str, str]
) -> None:
    """What to type to explore what was kept, and to end it."""
    pid = plane.process.pid if plane.process else 0
    cluster = f"--cluster {plane.cluster}"
    console.print(
        f"\nIt keeps running. The page: {service.url} (also {service.dns_url})\n"
        f'  eval "$(homeport env --data {plane.data_dir})"\n'
        f"  aws ecs describe-services {cluster} --services {NAME}\n"
        "When you are done:\n"
        f"  aws ecs delete-service {cluster} --service {NAME} --force\n"
        f"  aws ecs wait services-inactive {cluster} --services {NAME}\n"
        f"  kill -INT {pid}; tail --pid={pid} -f /dev/null\n"
        f"  docker ps -aq --filter label={LABEL}={plane.cluster} | xargs -r docker rm -f\n"
        f"  docker rmi {' '.join(images.values())}\n"
        f"  rm -r {plane.data_dir}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
