"""The agent of one host: runs the containers of tasks through the Docker Engine's API.

It knows the control plane only through the ECS API and the agent protocol; nothing here imports
the control plane. Owned: the agent's data directory, and the containers whose task it has a file
for. Invariant: what has been acknowledged survives a kill at any moment, and a container is
never started twice.

``run_agent`` is the way in, for ``homeport agent`` and for the local agent of ``homeport up``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from functools import partial

import aiohttp

from . import abilities, cgroups
from .api import EcsApi
from .backoff import Backoff
from .credentials import CredentialStore, instance_credentials
from .data_dir import DataDirError, locked
from .engine import Engine, EngineError, EngineFacts, EngineTimeout
from .execute import ExecuteTargets
from .execute.channels import Channels
from .execute.targets import role_credentials
from .host import Host, look_at_host, open_files_limit
from .identity import load_identity
from .launch import Launcher
from .log_streams import LogStreams
from .metadata.answers import Answers, api_as
from .metadata.endpoint import TaskEndpoint
from .network.ec2_api import Ec2Api
from .network.sandbox import Sandboxes
from .network.vpc import Vpc
from .ports import PortAllocator
from .registration import RegistrationRefused, register
from .secret_sources import SecretSources
from .sessions import Deregistered, Sessions
from .settings import AgentSettings, SettingsError
from .surroundings import surroundings
from .task_files import TaskFiles
from .task_runner import Tools
from .task_secrets import TaskSecrets
from .tasks import Tasks

__all__ = ["AgentSettings", "DataDirError", "RegistrationRefused", "SettingsError", "run_agent"]

logger = logging.getLogger(__name__)

INACTIVE_SECONDS = 3600.0
"""How long a deregistered host waits before it joins again, as the official agent."""


async def run_agent(settings: AgentSettings) -> None:
    """Run until cancelled; containers go on. Raises DataDirError and RegistrationRefused."""
    with locked(settings.data_dir):
        engine = Engine(settings.docker_url)
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=connector) as http:
                await _run(settings, engine, http)
        finally:
            await engine.close()


async def _run(settings: AgentSettings, engine: Engine, http: aiohttp.ClientSession) -> None:
    facts = await _engine_facts(engine)
    task_cgroups = cgroups.look(settings, facts)
    if task_cgroups is not None:
        await asyncio.to_thread(task_cgroups.sweep, time.time())
    able = await abilities.look(settings, facts, task_limits=task_cgroups is not None)
    host = look_at_host(settings, facts, able.attributes)
    api = EcsApi(settings, http)
    files = TaskFiles(settings.data_dir)
    slots = asyncio.Semaphore(settings.starts_at_once or max(2, os.cpu_count() or 2))
    vpc = Vpc(Ec2Api(settings, http), settings) if able.attaches_interfaces else None
    sandboxes = Sandboxes(engine, vpc, settings, slots, host.architecture, host.address)
    launcher = Launcher(
        engine, PortAllocator(), settings, slots, sandboxes, task_cgroups, open_files_limit()
    )
    credentials = CredentialStore(instance_credentials(settings.credentials))
    execute = ExecuteTargets(
        engine, Channels(settings, http), partial(role_credentials, settings, credentials)
    )
    tasks = Tasks(
        Tools(
            engine,
            launcher,
            api,
            files,
            settings,
            execute,
            credentials,
            LogStreams(settings, http, credentials),
            partial(surroundings, settings=settings, endpoint=able.serves_tasks),
            TaskSecrets(SecretSources(settings, http), credentials),
        )
    )
    try:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(files.run(), name="task files")
            parts.create_task(execute.run(), name="execute")
            parts.create_task(tasks.run(), name="tasks")
            await tasks.adopted.wait()
            if vpc is not None:
                parts.create_task(vpc.run(), name="vpc")
            if able.serves_tasks:
                answers = Answers(tasks, credentials, engine, settings, api, api_as(settings, api))
                parts.create_task(TaskEndpoint(answers, settings).run(), name="task endpoint")
            await _stay_joined(settings, api, http, tasks, credentials, vpc, engine, facts, host)
    except* RegistrationRefused as refused:
        raise refused.exceptions[0] from None
    finally:
        if vpc is not None:
            await vpc.leave()


async def _stay_joined(
    settings: AgentSettings,
    api: EcsApi,
    http: aiohttp.ClientSession,
    tasks: Tasks,
    credentials: CredentialStore,
    vpc: Vpc | None,
    engine: Engine,
    facts: EngineFacts,
    host: Host,
) -> None:
    while True:
        identity = load_identity(settings.data_dir, settings.cluster)
        if vpc is not None:
            vpc.joined_as(identity.instance_id)
        identity = await register(api, settings, identity, host, facts)
        if vpc is not None:
            vpc.joined_as(identity.instance_id)
        arn = identity.container_instance_arn
        try:
            await Sessions(api, http, tasks, credentials, engine, facts, settings, arn).run()
        except* Deregistered as gone:
            logger.error(
                "%s (%s). This host joins again in an hour, or when its agent is restarted.",
                gone.exceptions[0],
                arn,
            )
        await asyncio.sleep(INACTIVE_SECONDS)


async def _engine_facts(engine: Engine) -> EngineFacts:
    """Wait for the Engine: it may start after the agent."""
    backoff = Backoff(0.5, 15.0, 1.5)
    while True:
        try:
            return await engine.facts()
        except (EngineError, EngineTimeout) as error:
            logger.warning("the Docker Engine does not answer: %s", error)
        await asyncio.sleep(backoff.next())
