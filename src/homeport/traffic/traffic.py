"""The owner of everything in this package."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from homeport.store import Change, Store
from homeport.store.schema import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
)

from .draining import Draining
from .envoy import Envoy
from .health_checks import HealthChecks
from .names import HostsFile
from .settings import TrafficSettings

if TYPE_CHECKING:
    from .data_plane import DataPlane

logger = logging.getLogger(__name__)

RELEVANT = frozenset(
    table.name
    for table in (LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS, TARGET_HEALTH, TARGETS)
)


class Traffic:
    """Runs load balancers on Envoy. ``run`` until cancelled, then ``stop`` to end Envoy too.

    A process that is killed leaves Envoy serving what it was last told; the next process
    adopts it.
    """

    def __init__(
        self, store: Store, settings: TrafficSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._settings = settings
        self._health_checks = HealthChecks(store, clock)
        self._draining = Draining(store, clock)
        self._hosts = HostsFile(settings.hosts_path, settings.data_dir)
        self._data_plane: DataPlane | None = None
        self._names_changed = asyncio.Event()
        self._first_load_balancer = asyncio.Event()

    async def run(self) -> None:
        """Keep load balancers true to the store; until cancelled."""
        unsubscribe = self._store.feed.subscribe(self._on_changes)
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._health_checks.run(), name="health checks")
                parts.create_task(self._draining.run(), name="draining")
                parts.create_task(self._keep_names(), name="load balancer names")
                parts.create_task(self._run_data_plane(), name="data plane")
        finally:
            unsubscribe()

    async def stop(self) -> None:
        """End Envoy and take the names out of the hosts file; call after ``run`` has ended."""
        await self._envoy().stop()
        self._hosts.remove()
        self._nothing_is_served()

    def _nothing_is_served(self) -> None:
        """What Envoy last said of the load balancers is not true any more."""
        with self._store.transaction() as tx:
            for load_balancer in tx.all(LOAD_BALANCERS):
                if load_balancer.state != "provisioning":
                    tx.put(
                        LOAD_BALANCERS,
                        msgspec.structs.replace(
                            load_balancer, state="provisioning", state_reason=""
                        ),
                    )

    def _on_changes(self, changes: Sequence[Change]) -> None:
        names = {change.table.name for change in changes} & RELEVANT
        if not names:
            return
        if self._data_plane is not None:
            self._data_plane.wake()
        if LOAD_BALANCERS.name in names:
            self._names_changed.set()
            self._first_load_balancer.set()
        if names - {TARGET_HEALTH.name, LOAD_BALANCERS.name}:
            self._health_checks.wake()
            self._draining.wake()

    async def _run_data_plane(self) -> None:
        if not self._envoy().is_running():
            self._nothing_is_served()
        if not self._names():
            # The last load balancer may have gone just before a kill.
            await self._envoy().stop()
        while not self._names():
            self._first_load_balancer.clear()
            await self._first_load_balancer.wait()
        # No fork of ours goes on with Python code: gRPC need not prepare for it, nor say so.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        from .data_plane import DataPlane  # gRPC and Envoy's protocol buffers: only from here on

        self._data_plane = DataPlane(self._store, self._settings)
        await self._data_plane.run()

    def _envoy(self) -> Envoy:
        if self._data_plane is not None:
            return self._data_plane.envoy
        return Envoy(self._settings, lambda: None)

    async def _keep_names(self) -> None:
        while True:
            self._names_changed.clear()
            self._hosts.write(self._settings.client_address, self._names())
            await self._names_changed.wait()

    def _names(self) -> list[str]:
        with self._store.transaction() as tx:
            return [load_balancer.dns_name for load_balancer in tx.all(LOAD_BALANCERS)]
