"""Keeps both websockets to the control plane open, whatever happens to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import aiohttp

from .acs import AcsSession, Deregistered
from .api import ApiError, ApiUnreachable, EcsApi
from .backoff import Backoff
from .connection import Connection, Disconnected, connected
from .credentials import CredentialStore
from .engine import Engine, EngineFacts
from .settings import AGENT_HASH, AGENT_VERSION, AgentSettings
from .tasks import Tasks
from .telemetry import TelemetrySession

logger = logging.getLogger(__name__)

STABLE_SECONDS = 30.0


class Sessions:
    """Owns the ACS and the TCS session of one registration."""

    def __init__(
        self,
        api: EcsApi,
        http: aiohttp.ClientSession,
        tasks: Tasks,
        credentials: CredentialStore,
        engine: Engine,
        engine_facts: EngineFacts,
        settings: AgentSettings,
        instance_arn: str,
    ) -> None:
        self._api = api
        self._http = http
        self._tasks = tasks
        self._credentials = credentials
        self._engine = engine
        self._engine_facts = engine_facts
        self._settings = settings
        self._instance_arn = instance_arn

    async def run(self) -> None:
        """Until cancelled; raises Deregistered (in a group) when it is not to go on."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keep("endpoint", self._acs), name="acs")
            both.create_task(self._keep("telemetryEndpoint", self._tcs), name="tcs")

    async def _keep(self, endpoint: str, serve: Callable[[str], Awaitable[None]]) -> None:
        backoff = Backoff(0.2, 15.0, 1.5)
        while True:
            began = time.monotonic()
            try:
                await serve(await self._discover(endpoint))
            except* (Disconnected, ApiUnreachable, ApiError) as group:
                logger.warning("%s: %s", endpoint, "; ".join(map(str, group.exceptions)))
            if cancelled():
                raise asyncio.CancelledError
            if time.monotonic() - began > STABLE_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _discover(self, endpoint: str) -> str:
        request = {"cluster": self._settings.cluster, "containerInstance": self._instance_arn}
        return str((await self._api.call("DiscoverPollEndpoint", request))[endpoint])

    async def _acs(self, endpoint: str) -> None:
        query = {
            "agentHash": AGENT_HASH,
            "agentVersion": AGENT_VERSION,
            "clusterArn": self._settings.cluster,
            "containerInstanceArn": self._instance_arn,
            "dockerVersion": f"DockerVersion: {self._engine_facts.version}",
            "protocolVersion": "2",
            "sendCredentials": "true",
            "seqNum": "1",
        }
        async with connected(self._api, self._http, endpoint, query) as connection:
            logger.info("connected to %s", endpoint)
            await self._acs_session(connection).run()

    def _acs_session(self, connection: Connection) -> AcsSession:
        return AcsSession(
            connection,
            self._tasks,
            self._credentials,
            self._settings.cluster,
            self._instance_arn,
        )

    async def _tcs(self, endpoint: str) -> None:
        query = {
            "agentHash": AGENT_HASH,
            "agentVersion": AGENT_VERSION,
            "cluster": self._settings.cluster,
            "containerInstance": self._instance_arn,
            "dockerVersion": f"DockerVersion: {self._engine_facts.version}",
        }
        async with connected(self._api, self._http, endpoint, query) as connection:
            session = TelemetrySession(
                connection,
                self._tasks,
                self._engine,
                self._settings.cluster,
                self._instance_arn,
                self._settings.metrics_every,
            )
            await session.run()


def cancelled() -> bool:
    """Whether the current task is to end: a TaskGroup of Python 3.11 that is cancelled while one
    of its tasks fails raises only the failure."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


__all__ = ["Deregistered", "Sessions"]
