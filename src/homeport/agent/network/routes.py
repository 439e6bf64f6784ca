"""Routes to the addresses that live on other hosts: one /32 each, through the host."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence

from ..commands import CommandFailed, ip, run
from .view import Interface

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10.0


class Routes:
    """What this agent has routed."""

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}
        self._routed: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._retry_at = 0.0

    async def apply(self, others: Sequence[Interface], hosts: Mapping[str, str]) -> None:
        """Route every address of ``others``; forget the rest. A refused route is said once."""
        wanted = {
            address: hosts[i.instance_id]
            for i in others
            if i.instance_id in hosts and not i.of_load_balancer
            for address in i.addresses
        }
        now = time.monotonic()
        if wanted == self._wanted and (not self._refused or now < self._retry_at):
            return
        self._wanted, self._retry_at = wanted, now + RETRY_SECONDS
        here = await local_addresses()
        wanted = {address: via for address, via in wanted.items() if via not in here}
        for address, via in wanted.items():
            if self._routed.get(address) != via:
                await self._route(address, via)
        for address in self._routed.keys() - wanted.keys():
            await self._forget(address)
        self._refused = {a: v for a, v in self._refused.items() if a in wanted}

    async def _route(self, address: str, via: str) -> None:
        try:
            await ip("route", "replace", f"{address}/32", "via", via)
        except CommandFailed as error:
            if self._refused.get(address) != via:
                logger.warning("%s can't be reached through %s: %s", address, via, error)
            self._refused[address] = via
            return
        self._routed[address] = via
        self._refused.pop(address, None)

    async def _forget(self, address: str) -> None:
        via = self._routed.pop(address)
        try:
            await ip("route", "del", f"{address}/32", "via", via)
        except CommandFailed as error:
            logger.info("the route to %s is gone already: %s", address, error)


async def local_addresses() -> frozenset[str]:
    """Every IPv4 address of this host."""
    listed = json.loads(await run(("ip", "-4", "-json", "address", "show")) or "[]")
    return frozenset(a["local"] for link in listed for a in link.get("addr_info", ()))
