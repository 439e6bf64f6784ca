"""DescribeTasks calls per second on one core, SigV4 on, and what one call costs by step.

The API has one core to itself, the client the other. Aim: 3,000 calls a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from machine import header

SECONDS = 4.0
ROUNDS = 5
CONNECTIONS = 16
AIM = 3000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, with_steps: bool) -> None:
        self.port = free_port()
        cores = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("api_server.py")),
                str(cores[0]),
                "steps" if with_steps else "plain",
                str(self.port),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.facts: dict[str, Any] = json.loads(self.process.stdout.readline())

    def close(self) -> dict[str, float]:
        output, _ = self.process.communicate("", timeout=30)
        seconds: dict[str, float] = json.loads(output.splitlines()[-1])
        return seconds


def signed(server: Server, count: int) -> bytes:
    url = f"http://127.0.0.1:{server.port}/"
    body = json.dumps({"cluster": "default", "tasks": server.facts["tasks"][:count]})
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.DescribeTasks",
            "Host": f"127.0.0.1:{server.port}",
        },
    )
    credentials = Credentials(server.facts["access_key_id"], server.facts["secret_access_key"])
    SigV4Auth(credentials, "ecs", "us-east-1").add_auth(request)
    lines = ["POST / HTTP/1.1", *(f"{k}: {v}" for k, v in request.headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request, self.until = request, until
        self.calls, self.buffer = 0, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        assert head.startswith(b"HTTP/1.1 200"), self.buffer[:500]
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = b""
        self.calls += 1
        if time.monotonic() < self.until:
            self.transport.write(self.request)
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()


async def rate(server: Server, request: bytes, connections: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(
            lambda: Client(request, began + seconds), "127.0.0.1", server.port
        )
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    return sum(client.calls for client in clients) / (time.monotonic() - began)


def main() -> None:
    header("DescribeTasks calls per second, one core, SigV4 on")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[-1]})
    plain = Server(with_steps=False)
    rates = {}
    for count in (1, 10):
        request = signed(plain, count)
        asyncio.run(rate(plain, request, CONNECTIONS, 1.0))
        measured = [asyncio.run(rate(plain, request, CONNECTIONS, SECONDS)) for _ in range(ROUNDS)]
        rates[count] = statistics.median(measured)
        print(
            f"   {count:2d} task(s) a call: {rates[count]:6.0f} calls/s  "
            f"(rounds: {', '.join(f'{r:.0f}' for r in measured)}; aim {AIM})"
        )
    plain.close()
    stepped = Server(with_steps=True)
    calls_per_second = asyncio.run(rate(stepped, signed(stepped, 1), 1, SECONDS))
    seconds = stepped.close()
    calls = calls_per_second * SECONDS
    print("   one call, 1 task, microseconds by step:")
    inside = {
        s: 1e6 * seconds.get(s, 0.0) / calls for s in ("sigv4", "decode", "handler", "encode")
    }
    total = 1e6 / rates[1]
    http = total - sum(inside.values())
    for step, cost in {"http": http, **inside}.items():
        print(f"     {step:8s} {cost:7.1f}  {100 * cost / total:4.0f} %")
    print(f"     {'total':8s} {total:7.1f}")


if __name__ == "__main__":
    main()
