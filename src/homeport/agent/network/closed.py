"""What answers at an address of this host whose task is gone: "unreachable", at once.

Under each interface's own route lies a route of this kind with a worse metric. When the interface
goes, however it goes, nobody's packets leave by the default route for some stranger to answer: a
load balancer that has not heard of it yet fails to connect, and takes another target. Such routes
are swept away long after the last one who knew the address has forgotten it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection
from typing import Any

from ..commands import CommandFailed, ip, run

logger = logging.getLogger(__name__)

METRIC = "4096"
PROTOCOL = "238"  # no other program's in /etc/iproute2/rt_protos: by it the routes are known
SWEEP_SECONDS = 30.0
KEPT_SECONDS = 600.0  # twice the deregistration delay that target groups begin with


def closing(address: str) -> str:
    """The line of ``ip -batch`` that closes an address below whatever else leads there."""
    return f"route replace unreachable {address}/32 metric {METRIC} proto {PROTOCOL}\n"


class Closed:
    """Takes the routes away; holds nothing that an agent's restart would lose but their age."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._since: dict[str, float] = {}
        self._swept_at = float("-inf")

    async def sweep(self, known: Collection[str], own: Collection[str]) -> None:
        """Open what has been closed for long and is no interface's (``known``). ``own``: the
        addresses of this host."""
        self._own |= set(own)
        now = time.monotonic()
        if now < self._swept_at + SWEEP_SECONDS:
            return
        self._swept_at = now
        left = await _left_closed() - set(known)
        self._since = {address: self._since.get(address, now) for address in left}
        for address in [a for a, since in self._since.items() if now >= since + KEPT_SECONDS]:
            await _open(address)
            del self._since[address]

    async def leave(self) -> None:
        """Open what this host's own tasks have left: the agent ends in order."""
        for address in await _left_closed() & self._own:
            await _open(address)


async def _left_closed() -> set[str]:
    listed = await run(("ip", "-4", "-json", "route", "show"))
    return left_closed(json.loads(listed or "[]"))


def left_closed(routes: Collection[dict[str, Any]]) -> set[str]:
    """The addresses at which there is nothing but our "unreachable"."""
    ours = {
        route["dst"]
        for route in routes
        if route.get("type") == "unreachable" and str(route.get("protocol")) == PROTOCOL
    }
    return ours - {route["dst"] for route in routes if route.get("dev")}


async def _open(address: str) -> None:
    try:
        await ip("route", "del", "unreachable", f"{address}/32", "metric", METRIC)
    except CommandFailed as error:
        logger.info("the route to %s is gone already: %s", address, error)
