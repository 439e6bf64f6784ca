"""The running half of traffic: Envoy and its xDS server, fed from the store.

Imported only once there is a load balancer: it brings gRPC and Envoy's protocol buffers.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from homeport.domain.load_balancing import LoadBalancer
from homeport.store import Store
from homeport.store.schema import LISTENERS, LOAD_BALANCERS

from .envoy import Envoy
from .resources import Resources, translate
from .settings import TrafficSettings
from .snapshot import read_snapshot
from .states import ListenerOutcome, load_balancer_state, readable_refusal
from .xds_server import XdsServer

logger = logging.getLogger(__name__)

RETRY_REFUSED_SECONDS = 3.0


class DataPlane:
    """Pushes every relevant change to Envoy and writes the load balancers' states back."""

    def __init__(self, store: Store, settings: TrafficSettings) -> None:
        self._store = store
        self._settings = settings
        self._changed = asyncio.Event()
        self._answered = asyncio.Event()
        self.envoy = Envoy(settings, self._answered.set)
        self.server = XdsServer(self.envoy.socket_path, self._answered.set)
        self._resources = Resources({})

    def wake(self) -> None:
        """Something that Envoy is to know changed."""
        self._changed.set()

    async def run(self) -> None:
        """Serve until cancelled. Envoy goes on after that."""
        self._push()
        await self.server.start()
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self.envoy.run(), name="envoy")
                parts.create_task(self._push_changes(), name="xds")
                parts.create_task(self._write_states(), name="load balancer states")
        finally:
            await self.server.stop()

    async def _push_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._push()

    def _push(self) -> None:
        # Not awaiting durability: if this change is lost with the process, the next process
        # corrects Envoy from what its store holds.
        with self._store.transaction() as tx:
            snapshot = read_snapshot(tx)
        try:
            resources = translate(snapshot, self._settings.bind_address)
            self.server.set(resources)
        except Exception:  # outer edge: Envoy keeps what it has
            logger.exception("the load balancers could not be translated for envoy")
            return
        self._resources = resources
        self._answered.set()

    async def _write_states(self) -> None:
        while True:
            try:
                async with asyncio.timeout(RETRY_REFUSED_SECONDS):
                    await self._answered.wait()
            except TimeoutError:
                self.server.retry_refused()
            self._answered.clear()
            self.write_states()

    def write_states(self) -> None:
        """Write each load balancer's observed state if it is another than recorded."""
        stream = self.server.stream
        with self._store.transaction() as tx:
            for load_balancer in tx.all(LOAD_BALANCERS):
                listeners = tx.find(LISTENERS, "load_balancer", load_balancer.arn)
                outcomes = [self._outcome(listener.arn, listener.port) for listener in listeners]
                seen = load_balancer_state(outcomes, stream is not None, self.envoy.problem)
                if seen is not None and seen != (load_balancer.state, load_balancer.state_reason):
                    tx.put(LOAD_BALANCERS, _with_state(load_balancer, *seen))

    def _outcome(self, arn: str, port: int) -> ListenerOutcome:
        stream = self.server.stream
        served = arn in self._resources.by_kind["listener"]
        trouble = self._resources.problems.get(arn)
        if stream is None:
            return ListenerOutcome(port, False, trouble)
        if served and (refusal := stream.refusal(arn)):
            trouble = readable_refusal(refusal, port, self._settings.bind_address)
        return ListenerOutcome(port, served and stream.serves(arn), trouble)


def _with_state(load_balancer: LoadBalancer, state: str, reason: str) -> LoadBalancer:
    return msgspec.structs.replace(load_balancer, state=state, state_reason=reason)
