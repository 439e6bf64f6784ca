"""Keeps this host's rules and routes as the EC2 API says, looked at twice a second.

``admit`` is what a task waits for: its interface is known and its groups are in force before
its address is reachable.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ..backoff import Backoff
from ..commands import CommandFailed, run
from ..settings import AgentSettings
from .closed import Closed
from .ec2_api import Ec2Api, Ec2Unavailable
from .firewall import Judge, ruleset
from .interface import PREFIX
from .routes import Routes
from .view import Group, Interface, Surroundings

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
WAITED_FOR_LOOK_SECONDS = 0.05
IDLE_LOOK_SECONDS = 2.0
SURROUNDINGS_SECONDS = 5.0


TABLES = re.compile(r"table inet (homeport_[0-9a-f]{12})\b")
ENDS = re.compile(rf'"({PREFIX}[0-9a-f]{{1,12}})"')
LINKS = Path("/sys/class/net")


class NotAdmitted(Exception):
    """An interface whose security groups could not be put in force in time."""


class Vpc:
    """Owns one nftables table and the routes to other hosts' addresses."""

    def __init__(self, api: Ec2Api, settings: AgentSettings) -> None:
        self._api = api
        self._settings = settings
        self._instance_id = ""
        self._table = table_name(settings.data_dir)
        self._routes = Routes()
        self._closed = Closed()
        self._interfaces: Sequence[Interface] = ()
        self._groups: dict[str, Group] = {}
        self._surroundings: Surroundings | None = None
        self._surroundings_at = 0.0
        self._applied = ""
        self._admitted: frozenset[str] = frozenset()
        self._waiting = 0
        self._look = asyncio.Event()
        self._looked = asyncio.Condition()

    def joined_as(self, instance_id: str) -> None:
        """Interfaces of this instance are this host's."""
        self._instance_id = instance_id
        self._look.set()

    async def run(self) -> None:
        """Look and apply until cancelled."""
        backoff = Backoff(LOOK_SECONDS, 15.0, 2.0)
        await sweep(self._table)
        while True:
            self._look.clear()
            try:
                await self._round()
                backoff.reset()
            except (Ec2Unavailable, CommandFailed) as error:
                logger.warning("the network is not up to date: %s", error)
                await asyncio.sleep(backoff.next())
                continue
            async with self._looked:
                self._looked.notify_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._look.wait()

    async def leave(self) -> None:
        """The agent ends in order; what its tasks need stays."""
        with contextlib.suppress(CommandFailed):
            await self._closed.leave()

    async def admit(self, interface_id: str, seconds: float) -> str:
        """Return once the interface's rules are in force; its VPC. Raises NotAdmitted."""
        self._waiting += 1
        self._look.set()
        try:
            async with asyncio.timeout(seconds), self._looked:
                while interface_id not in self._admitted:
                    await self._looked.wait()
        except TimeoutError:
            raise NotAdmitted(
                f"the security groups of {interface_id} were not in force within {seconds:g} s"
            ) from None
        finally:
            self._waiting -= 1
        return next(i.vpc_id for i in self._interfaces if i.interface_id == interface_id)

    def _pause(self) -> float:
        if self._waiting:
            return WAITED_FOR_LOOK_SECONDS
        return LOOK_SECONDS if self._interfaces else IDLE_LOOK_SECONDS

    async def _round(self) -> None:
        self._interfaces, self._groups = await asyncio.gather(
            self._api.interfaces(), self._api.groups()
        )
        surroundings = await self._fresh_surroundings()
        own = [i for i in self._interfaces if i.instance_id == self._instance_id]
        text = ruleset(
            self._table,
            Judge(own, self._interfaces, self._groups, surroundings, self._platform()),
        )
        if text != self._applied and (own or self._applied):
            await run(("nft", "-f", "-"), text)
            self._applied = text
        self._admitted = frozenset(i.interface_id for i in own)
        others = [i for i in self._interfaces if i.instance_id != self._instance_id]
        await self._routes.apply(others, surroundings.hosts)
        await self._closed.sweep(_addresses(self._interfaces), _addresses(own))

    async def _fresh_surroundings(self) -> Surroundings:
        """Asked again from time to time, and when an interface is on a host not known yet."""
        known, now = self._surroundings, asyncio.get_running_loop().time()
        strange = known is None or any(
            i.vpc_id not in known.vpcs
            or i.subnet_id not in known.subnets
            or (i.instance_id and i.instance_id not in known.hosts)
            for i in self._interfaces
            if not i.of_load_balancer
        )
        if strange or now - self._surroundings_at > SURROUNDINGS_SECONDS:
            self._surroundings = known = await self._api.surroundings()
            self._surroundings_at = now
        assert known is not None
        return known

    def _platform(self) -> tuple[str, ...]:
        """Addresses of the control plane, if it is on another host."""
        if self._settings.endpoint_is_local:
            return ()
        try:
            host = urlsplit(self._settings.endpoint_url).hostname or ""
            found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return ()
        return tuple(sorted({str(address[4][0]) for address in found}))


async def sweep(own: str) -> None:
    """Remove what agents have left whose interfaces are all gone."""
    try:
        tables = TABLES.findall(await run(("nft", "list", "tables", "inet")))
        for table in tables:
            if table != own and not await _has_interfaces(table):
                await run(("nft", "delete", "table", "inet", table))
    except CommandFailed as error:
        logger.info("tables of earlier agents were not looked through: %s", error)


async def _has_interfaces(table: str) -> bool:
    listed = await run(("nft", "list", "table", "inet", table))
    return any((LINKS / name).exists() for name in set(ENDS.findall(listed)))


def _addresses(interfaces: Sequence[Interface]) -> set[str]:
    return {address for interface in interfaces for address in interface.addresses}


def table_name(data_dir: Path) -> str:
    """One table for each agent of a host."""
    return f"homeport_{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]}"
