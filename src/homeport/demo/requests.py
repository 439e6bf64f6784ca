"""Steady requests to the load balancer: counted, timed, none repeated."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

TIMEOUT_SECONDS = 10.0
_PAGE = re.compile(r"(\S+) answers with (\S+)")


@dataclass
class Requests:
    """What was sent and what came back. ``run`` goes on until ``stop`` is called.

    ``answers``: how many pages named this (host name, version).
    """

    url: str
    per_second: float
    connections: int = 8
    sent: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    _stopping: bool = False

    async def run(self) -> None:
        """Every answer that is not the page counts as failed."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        connector = aiohttp.TCPConnector(limit=self.connections)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
            await asyncio.gather(*(self._worker(http) for _ in range(self.connections)))

    def stop(self) -> None:
        """Requests on their way are finished."""
        self._stopping = True

    def versions(self) -> dict[str, int]:
        """How many answers came from each version."""
        counts: Counter[str] = Counter()
        for (_, version), count in self.answers.items():
            counts[version] += count
        return dict(sorted(counts.items()))

    def of_host(self, host: str) -> int:
        """How many answers came from this host name."""
        return sum(count for (name, _), count in self.answers.items() if name == host)

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        if len(self.latencies) < 2:
            return 0.0
        return 1000 * statistics.quantiles(self.latencies, n=100)[percent - 1]

    async def _worker(self, http: aiohttp.ClientSession) -> None:
        pause = self.connections / self.per_second
        due = time.monotonic()
        while not self._stopping:
            await self._request(http)
            due = max(due + pause, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _request(self, http: aiohttp.ClientSession) -> None:
        self.sent += 1
        began = time.monotonic()
        try:
            async with http.get(self.url) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return
        found = _PAGE.search(text)
        if answer.status != 200 or found is None:
            self.failures.append(f"{answer.status} {text[:80]!r}")
            return
        self.latencies.append(time.monotonic() - began)
        self.answers[found.group(1), found.group(2)] += 1
