"""A tiny HTTP/1.1 target: ``python traffic_backend.py ADDRESS PORT NAME [KEEP_ALIVE_SECONDS]``.

Answers its name to every request; ``/slow?SECONDS`` answers after a while; ``/headers`` answers
the request as received; ``/status/CODE`` answers that code. It closes idle connections after
the keep-alive time, as real servers do.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial


async def answer(
    name: str,
    keep_alive: float,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    try:
        while True:
            async with asyncio.timeout(keep_alive):
                head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            status, body = 200, name
            if path.startswith("/slow?"):
                await asyncio.sleep(float(path.partition("?")[2]))
            elif path.startswith("/headers"):
                body = head.decode()
            elif path.startswith("/status/"):
                status = int(path.rpartition("/")[2])
            data = body.encode()
            start = f"HTTP/1.1 {status} X\r\nServer: target\r\nContent-Length: {len(data)}\r\n\r\n"
            writer.write(start.encode() + data)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()


async def main() -> None:
    address, port, name, *rest = sys.argv[1:]
    keep_alive = float(rest[0]) if rest else 5.0
    server = await asyncio.start_server(
        partial(answer, name, keep_alive), address, int(port), backlog=1024
    )
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
