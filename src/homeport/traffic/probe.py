"""One health check: an HTTP request to a target, told as what it showed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Literal

import httptools

from homeport.domain.load_balancing import Target, TargetGroup

Outcome = int | Literal["timeout", "failed"]
"""A status code, no answer in time, or no answer at all (refused, reset, malformed)."""

READ_BYTES = 16384
LARGEST_HEAD_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Probe:
    """How to check one target; times in seconds. Equal probes need no restart."""

    address: str
    port: int
    tls: bool
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


def probe_of(group: TargetGroup, target: Target) -> Probe:
    """The check that a target group wants for one of its targets."""
    port = group.health_check_port
    return Probe(
        address=target.address,
        port=target.port if port == "traffic-port" else int(port),
        tls=group.health_check_protocol == "HTTPS",
        path=group.health_check_path,
        interval=group.health_check_interval_seconds,
        timeout=group.health_check_timeout_seconds,
        healthy_threshold=group.healthy_threshold_count,
        unhealthy_threshold=group.unhealthy_threshold_count,
        matcher=group.matcher_http_code,
    )


async def run_probe(probe: Probe) -> Outcome:
    """Check once. Redirects are not followed, the body is not read."""
    try:
        async with asyncio.timeout(probe.timeout):
            return await _status_code(probe)
    except TimeoutError:
        return "timeout"
    except (OSError, EOFError, httptools.HttpParserError):
        return "failed"


class _Head:
    """Filled by the parser."""

    complete = False

    def on_headers_complete(self) -> None:
        self.complete = True


async def _status_code(probe: Probe) -> int:
    reader, writer = await asyncio.open_connection(
        probe.address, probe.port, ssl=_unverified() if probe.tls else None
    )
    try:
        writer.write(_request(probe))
        head = _Head()
        parser = httptools.HttpResponseParser(head)
        read = 0
        while not head.complete:
            data = await reader.read(READ_BYTES)
            read += len(data)
            if not data or read > LARGEST_HEAD_BYTES:
                raise EOFError
            with contextlib.suppress(httptools.HttpParserUpgrade):
                parser.feed_data(data)
        return int(parser.get_status_code())
    finally:
        writer.transport.abort()


def _request(probe: Probe) -> bytes:
    lines = (
        f"GET {probe.path} HTTP/1.1",
        f"Host: {probe.address}:{probe.port}",
        "Connection: close",
        "User-Agent: ELB-HealthChecker/2.0",
        "Accept-Encoding: gzip, compressed",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def _unverified() -> ssl.SSLContext:
    """An ALB does not check its targets' certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
