"""Takes agent connections and keeps one ACS session per container instance."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from homeport.domain.arn import Ids
from homeport.domain.session import SessionMint
from homeport.store import Change, Store
from homeport.store.schema import CONTAINER_INSTANCES, TASKS

from .acs import AcsSession
from .frames import WebSocket, encode
from .role_credentials import RoleCredentialsIssuer
from .tcs import TcsSession

logger = logging.getLogger(__name__)


class AgentLink:
    """Accepts ACS and TCS websockets. A newer ACS connection of an instance replaces the older.

    ``agent_connected`` of an instance is true exactly while its ACS session lives.
    """

    def __init__(
        self,
        store: Store,
        ids: Ids,
        sessions: SessionMint,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._roles = RoleCredentialsIssuer(sessions)
        self._sessions: dict[str, AcsSession] = {}
        store.feed.subscribe(self._on_changes)

    async def __call__(self, kind: str, params: Mapping[str, str], websocket: WebSocket) -> None:
        """Serve one accepted connection until it ends; ``kind`` is ``acs`` or ``tcs``."""
        if kind == "tcs":
            instance_arn = params.get("containerInstance", "")
            await TcsSession(self._store, websocket, instance_arn, self._ids).run()
            return
        instance_arn = params.get("containerInstanceArn", "")
        if not self._is_registered(instance_arn):
            text = "The container instance is not registered or is inactive."
            await websocket.send_text(encode("InactiveInstanceException", {"message": text}))
            await websocket.close()
            return
        await self._serve_acs(instance_arn, websocket)

    async def close(self) -> None:
        """Close every session (orderly shutdown: agents reconnect later)."""
        await asyncio.gather(*(session.close() for session in tuple(self._sessions.values())))

    async def _serve_acs(self, instance_arn: str, websocket: WebSocket) -> None:
        older = self._sessions.get(instance_arn)
        session = AcsSession(
            self._store, websocket, instance_arn, self._ids, self._clock, self._roles
        )
        self._sessions[instance_arn] = session
        if older is not None:
            await older.close()
        self._set_connected(instance_arn, True)
        logger.info("agent connected: %s", instance_arn)
        try:
            await session.run()
        finally:
            if self._sessions.get(instance_arn) is session:
                del self._sessions[instance_arn]
                self._set_connected(instance_arn, False)
                logger.info("agent disconnected: %s", instance_arn)

    def _is_registered(self, instance_arn: str) -> bool:
        with self._store.transaction() as tx:
            instance = tx.get(CONTAINER_INSTANCES, instance_arn)
        return instance is not None and instance.status != "INACTIVE"

    def _set_connected(self, instance_arn: str, connected: bool) -> None:
        with self._store.transaction() as tx:
            instance = tx.get(CONTAINER_INSTANCES, instance_arn)
            if instance is not None and instance.agent_connected != connected:
                tx.put(
                    CONTAINER_INSTANCES,
                    msgspec.structs.replace(instance, agent_connected=connected),
                )

    def _on_changes(self, changes: Sequence[Change]) -> None:
        touched: set[str] = set()
        for change in changes:
            if task_change := change.of(TASKS):
                touched.update(
                    t.container_instance_arn
                    for t in task_change
                    if t is not None and t.container_instance_arn
                )
            elif instance_change := change.of(CONTAINER_INSTANCES):
                touched.update(i.arn for i in instance_change if i is not None)
        for instance_arn in touched:
            if session := self._sessions.get(instance_arn):
                session.wake()
