"""Stands between the agent and the Docker Engine and notes when it is asked for something.

``engine_proxy.py LISTEN ENGINE``, both paths of unix sockets. Passes every byte on, and prints
``EPOCH-SECONDS METHOD PATH`` for each POST, before it is passed on. A process of its own, so that
nothing else a benchmark does delays it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

import uvloop

CHUNK = 65536
_POST = re.compile(rb"^POST (\S+) HTTP/1\.1\r\n")


async def pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, note: bool
) -> None:
    """Until either side is closed."""
    try:
        while chunk := await reader.read(CHUNK):
            # A client sends the head of a request in one write of its own, as aiohttp does.
            if note and (post := _POST.match(chunk)):
                print(f"{time.time():.6f} POST {post[1].decode()}", flush=True)
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except (ConnectionError, OSError):
        writer.close()


async def serve(listen: str, engine: str) -> None:
    """Until the process is ended."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(engine)
        await asyncio.gather(
            pass_on(reader, to_engine, note=True), pass_on(from_engine, writer, note=False)
        )
        to_engine.close()
        writer.close()

    server = await asyncio.start_unix_server(connection, listen)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2]))
