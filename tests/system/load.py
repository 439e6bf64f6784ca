"""Steady traffic against a load balancer: bounded, counted, nothing hidden."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import aiohttp

REQUEST_TIMEOUT_SECONDS = 10.0
LONGEST_SECONDS = 240.0


@dataclass
class Load:
    """Requests ``url`` at ``rate`` a second from ``workers`` connections until left.

    Every request that is not answered 200 counts as failed; ``bodies`` counts the answers.
    """

    url: str
    rate: float = 600.0
    workers: int = 12
    bodies: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    sent: int = 0

    def __enter__(self) -> Load:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(REQUEST_TIMEOUT_SECONDS + 5)

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(*(self._worker(session) for _ in range(self.workers)))

    async def _worker(self, session: aiohttp.ClientSession) -> None:
        end = time.monotonic() + LONGEST_SECONDS
        pause = self.workers / self.rate
        due = time.monotonic()
        while not self._stop.is_set() and time.monotonic() < end:
            await self._request(session)
            due = max(due + pause, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _request(self, session: aiohttp.ClientSession) -> None:
        self.sent += 1
        try:
            async with session.get(self.url) as response:
                body = (await response.text()).strip()
                if response.status == 200:
                    self.bodies[body] += 1
                else:
                    self.failures.append(f"{response.status} {body[:80]}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(repr(error))
