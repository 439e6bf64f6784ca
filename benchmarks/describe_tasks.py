"""DescribeTasks calls per second on one core, SigV4 on, and what one call costs by step.

The API process has one core to itself, the client the other. The client repeats requests that
botocore's own signer signed once (a signature is good for 15 minutes; the server checks each
anew), over connections that stay open; the first answer is looked at, all are counted by status
and length. Aim: 3,000 calls a second.

Two numbers, because the machine may be shared: calls per second by the clock, and the CPU time
of the API process for one call, which other programs hardly touch. A clock inside costs time of
its own, so that the steps come from a run of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from machine import header

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "system"))
from control_plane import free_port

SECONDS = 3.0
ROUNDS = 5
WARM_UP_SECONDS = 1.0
CONNECTIONS = 16
ANSWER_SECONDS = 10.0
AIM = 3000
TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))  # the API has the first, the client the last
STEPS = ("http", "sigv4", "decode", "authorize", "handler", "encode")


@dataclass(frozen=True)
class Round:
    """One measurement."""

    calls: int
    seconds: float
    server_cpu_seconds: float
    client_cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        return 1e6 * self.server_cpu_seconds / self.calls


class Server:
    """``api_server.py`` on the first core."""

    def __init__(self, mode: str) -> None:
        self.port = free_port()
        program = str(Path(__file__).with_name("api_server.py"))
        self.process = subprocess.Popen(
            [sys.executable, program, str(CORES[0]), mode, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.facts: dict[str, Any] = json.loads(self.process.stdout.readline())

    def cpu_seconds(self) -> float:
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def close(self) -> dict[str, Any]:
        """What it measured inside."""
        output, _ = self.process.communicate("", timeout=30)
        inside: dict[str, Any] = json.loads(output.splitlines()[-1])
        return inside


def signed(server: Server, count: int) -> bytes:
    """The bytes of one DescribeTasks request for ``count`` tasks."""
    host = f"127.0.0.1:{server.port}"
    body = json.dumps({"cluster": "default", "tasks": server.facts["tasks"][:count]})
    request = AWSRequest(
        method="POST",
        url=f"http://{host}/",
        data=body,
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.DescribeTasks",
            "Host": host,
            "User-Agent": "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux lang/python#3.11 cfg/retry",
            "Accept-Encoding": "identity",
        },
    )
    credentials = Credentials(server.facts["access_key_id"], server.facts["secret_access_key"])
    SigV4Auth(credentials, "ecs", server.facts["region"]).add_auth(request)
    lines = ["POST / HTTP/1.1", *(f"{k}: {v}" for k, v in request.headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def looked_at(answer: bytes, count: int) -> None:
    """Fail unless the answer really describes the tasks."""
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert len(document["tasks"]) == count, document
    assert not document["failures"], document["failures"]
    assert all(task["lastStatus"] == "RUNNING" for task in document["tasks"])


class Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.calls, self.buffer, self.first = 0, b"", b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"the server hung up: {self.buffer[:500]!r}"))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.transport.abort()
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.first = self.first or self.buffer
        self.buffer = b""
        self.calls += 1
        if time.monotonic() < self.until:
            self.transport.write(self.request)
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()


async def load(server: Server, request: bytes, seconds: float) -> tuple[int, float, bytes]:
    """Calls, seconds, and the first answer."""
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(
            lambda: Client(request, began + seconds), "127.0.0.1", server.port
        )
        clients.append(client)
    async with asyncio.timeout(seconds + ANSWER_SECONDS):
        await asyncio.gather(*(client.done for client in clients))
    return sum(c.calls for c in clients), time.monotonic() - began, clients[0].first


def one_round(server: Server, request: bytes, seconds: float) -> tuple[Round, bytes]:
    server_before, client_before = server.cpu_seconds(), time.process_time()
    calls, took, first = uvloop.run(load(server, request, seconds))
    measured = Round(
        calls,
        took,
        server.cpu_seconds() - server_before,
        time.process_time() - client_before,
    )
    return measured, first


def measure(server: Server, count: int, rounds: int = ROUNDS) -> list[Round]:
    """After a warm-up whose answer is looked at."""
    request = signed(server, count)
    _, first = one_round(server, request, WARM_UP_SECONDS)
    looked_at(first, count)
    return [one_round(server, request, SECONDS)[0] for _ in range(rounds)]


def report(count: int, rounds: list[Round]) -> None:
    rate = statistics.median(r.rate for r in rounds)
    cpu = statistics.median(r.cpu_microseconds for r in rounds)
    busy = 100 * statistics.median(r.client_cpu_seconds / r.seconds for r in rounds)
    print(
        f"   {count:2d} task(s) a call: {rate:6.0f} calls/s (aim {AIM}); "
        f"{cpu:.0f} us of the API's CPU a call = {1e6 / cpu:.0f} calls per CPU second"
    )
    listed = ", ".join(f"{r.rate:.0f}" for r in rounds)
    print(f"      rounds of {SECONDS:.0f} s: {listed}; the client used {busy:.0f} % of its core")


def steps_of(count: int) -> dict[str, float]:
    """CPU microseconds of one call by step; ``http`` is the server and everything not named."""
    server = Server("steps")
    measure(server, count, rounds=2)
    inside = server.close()
    calls, seconds = inside["calls"], inside["seconds"]
    steps = {step: 1e6 * seconds.get(step, 0.0) / calls for step in STEPS[1:]}
    return {"http": 1e6 * sum(seconds.values()) / calls - sum(steps.values()), **steps}


def floor() -> float:
    """CPU microseconds of one call of the same HTTP server around an app that does nothing."""
    server = Server("floor")
    request = signed(server, 1)
    one_round(server, request, WARM_UP_SECONDS)
    rounds = [one_round(server, request, SECONDS)[0] for _ in range(2)]
    server.close()
    return statistics.median(r.cpu_microseconds for r in rounds)


def main() -> None:
    header("DescribeTasks calls per second, one core for the API, SigV4 on, 100 tasks in the store")
    if len(CORES) == 1:
        print("   (one core only: API and client share it)")
    os.sched_setaffinity(0, {CORES[-1]})
    plain = Server("plain")
    for count in (1, 10):
        report(count, measure(plain, count))
    plain.close()
    by_count = {count: steps_of(count) for count in (1, 10)}
    print("   CPU microseconds of one call by step (with the steps' clock, which adds a few):")
    print(f"     {'':10s}{'1 task':>9s}{'10 tasks':>10s}")
    for step in STEPS:
        print(f"     {step:10s}{by_count[1][step]:9.1f}{by_count[10][step]:10.1f}")
    print(f"     {'total':10s}{sum(by_count[1].values()):9.1f}{sum(by_count[10].values()):10.1f}")
    print(f"   of http, the HTTP server around an empty app: {floor():.1f} us")


if __name__ == "__main__":
    main()
