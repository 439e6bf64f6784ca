"""The only composition root: the whole wiring of the control plane on one page."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from homeport import services
from homeport.agentlink import AgentLink
from homeport.controllers.fargate import FargateController
from homeport.controllers.history import HistoryController
from homeport.controllers.interfaces import InterfacesController
from homeport.controllers.log_events import LogEventsController
from homeport.controllers.retention import RetentionController
from homeport.controllers.runner import Runner
from homeport.controllers.services import ServiceController
from homeport.controllers.targets import TargetsController
from homeport.domain.arn import Arns, Ids
from homeport.domain.container_instance import PLATFORM_CAPACITY
from homeport.domain.credential import AccessKey
from homeport.domain.session import SessionMint
from homeport.domain.vault import Vault, WrongKey
from homeport.gateway.app import Gateway
from homeport.local_agent import LocalAgent
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.scheduling.stop import stop_task
from homeport.services.call import Platform
from homeport.services.ec2.default_vpc import complete_vpcs, seed_default_vpc
from homeport.services.events import EventRecorder
from homeport.sessionlink import SessionLink
from homeport.settings import Settings
from homeport.store import Store, Transaction
from homeport.store.journal import GroupCommit, SqliteEngine
from homeport.store.schema import (
    ACCESS_KEYS,
    CONTAINER_INSTANCES,
    OBJECTS,
    PARAMETER_VERSIONS,
    SECRET_VERSIONS,
    TABLES,
    TASKS,
)
from homeport.traffic import Traffic, TrafficSettings
from homeport.traffic.addresses import SourceAddresses

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 5
STOP_TASKS_SECONDS = 60
KEY_BYTES = 32
SWEEP_SECONDS = 600.0


class StartError(Exception):
    """Why the control plane can't start, in words for the person who started it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What ``on_ready`` is told."""

    endpoint_url: str
    data_dir: Path
    seconds: float


async def serve(settings: Settings, on_ready: Callable[[Ready], None]) -> None:
    """Run the control plane until SIGINT or SIGTERM. Raises StartError with a clear text."""
    started = time.monotonic()
    with locked_data_dir(settings.data_dir):
        store = open_store(settings)
        store.start()
        try:
            await _serve(settings, store, on_ready, started)
        finally:
            await store.close()


async def _serve(
    settings: Settings, store: Store, on_ready: Callable[[Ready], None], started: float
) -> None:
    ids = Ids()
    arns = Arns(settings.account_id, settings.region)
    platform = Platform(
        account_id=settings.account_id,
        region=settings.region,
        availability_zones=settings.availability_zones,
        endpoint_url=settings.endpoint_url,
        load_balancer_addresses=SourceAddresses(),
    )
    store.before_commit(EventRecorder(ids, time.time))
    root, agent_key = first_start(store, settings, platform, ids, arns)
    await store.durable(store.revision)
    write_credentials(settings, root)

    sessions = SessionMint(key_file(settings.session_key_path))
    link = AgentLink(store, ids, sessions)
    logs = LogStore(settings.log_events_path)
    objects = ObjectStore(settings.objects_path)
    executes = SessionLink(store, ids, arns)
    gateway = Gateway(
        store=store,
        operations=services.OPERATIONS,
        platform=platform,
        authenticate=settings.authenticate,
        sessions=sessions,
        vault=open_vault(settings, store),
        objects=objects,
        agentlink=link,
        logs=logs,
        sessionlink=executes,
    )
    runner = Runner(
        store,
        [
            ServiceController(ids, arns, settings.minimum_running_seconds),
            TargetsController(ids),
            FargateController(),
            InterfacesController(),
            HistoryController(ids, arns),
            RetentionController(),
            LogEventsController(logs, lambda: store.durable_revision),
        ],
    )
    traffic = Traffic(
        store, TrafficSettings(data_dir=settings.data_dir, bind_address=settings.traffic_address)
    )
    server = listen(settings, gateway)
    stopping = stop_signal()
    async with asyncio.TaskGroup() as parts:
        controllers = parts.create_task(runner.run(), name="controllers")
        background = [controllers, parts.create_task(traffic.run(), name="traffic")]
        background.append(parts.create_task(sweep_objects(store, objects), name="objects"))
        background.append(parts.create_task(executes.run(), name="sessions"))
        serving = parts.create_task(server.serve(), name="api")
        await listening(server, serving)
        write_private(
            settings.endpoint_path,
            {"endpoint_url": settings.endpoint_url, "pid": os.getpid()},
        )
        if settings.run_agent:
            agent = LocalAgent(agent_environment(settings, agent_key), settings.agent_log_path)
            background.append(parts.create_task(agent.run(), name="local agent"))
        on_ready(Ready(settings.endpoint_url, settings.data_dir, time.monotonic() - started))
        await stopping.wait()
        if settings.stop_tasks_at_exit:
            controllers.cancel()
            await stop_every_task(store)
        for part in background:
            part.cancel()
        await link.close()
        server.should_exit = True
    await traffic.stop()
    settings.endpoint_path.unlink(missing_ok=True)


async def stop_every_task(store: Store) -> None:
    """Ask every task to stop and wait until the agents have reported it, or the time is up.

    The controllers no longer run, so nothing is drained and nothing is replaced; services keep
    their desired count and come back with the next start.
    """
    with store.transaction() as tx:
        for task in tx.all(TASKS):
            if task.last_status not in ("STOPPING", "STOPPED"):
                stopping = stop_task(
                    tx, task, now=time.time(), code="UserInitiated", reason="Homeport was stopped"
                )
                tx.put(TASKS, msgspec.structs.replace(stopping, last_status="STOPPING"))
    changed = asyncio.Event()
    unsubscribe = store.feed.subscribe(lambda changes: changed.set())
    try:
        async with asyncio.timeout(STOP_TASKS_SECONDS):
            while any_task_runs(store):
                changed.clear()
                await changed.wait()
    except TimeoutError:
        logger.warning("some tasks did not stop within %d s and go on", STOP_TASKS_SECONDS)
    finally:
        unsubscribe()


def any_task_runs(store: Store) -> bool:
    """Whether any task is not yet STOPPED on an instance whose agent could still report it."""
    with store.transaction() as tx:
        connected = {i.arn for i in tx.all(CONTAINER_INSTANCES) if i.agent_connected}
        return any(
            t.last_status not in ("DEPROVISIONING", "STOPPED")
            and t.container_instance_arn in connected
            for t in tx.all(TASKS)
        )


def open_store(settings: Settings) -> Store:
    """The store over its journal, everything read back."""
    store = Store(TABLES, GroupCommit(SqliteEngine(settings.journal_path)))
    store.load()
    return store


def first_start(
    store: Store, settings: Settings, platform: Platform, ids: Ids, arns: Arns
) -> tuple[AccessKey, AccessKey]:
    """Create what every installation has, once; returns the root and the agent access key."""
    now = time.time()
    with store.transaction() as tx:
        if not tx.all(ACCESS_KEYS):  # later: a default VPC that was deleted stays deleted
            seed_default_vpc(tx, platform, ids)
        complete_vpcs(tx, ids)
        forget_connections(tx)
        root = access_key(tx, "root", arns.root(), now)
        agent_arn = f"arn:aws:iam::{settings.account_id}:user/homeport-agent"
        agent = access_key(tx, "agent", agent_arn, now)
    return root, agent


def access_key(tx: Transaction, kind: Any, principal_arn: str, now: float) -> AccessKey:
    """The access key of this kind, made if there is none."""
    for key in tx.all(ACCESS_KEYS):
        if key.kind == kind:
            return key
    ids = Ids()
    return tx.put(
        ACCESS_KEYS,
        AccessKey(
            access_key_id=ids.access_key_id(),
            secret_access_key=ids.secret_access_key(),
            principal_arn=principal_arn,
            kind=kind,
            created_at=now,
        ),
    )


def forget_connections(tx: Transaction) -> None:
    """No agent is connected to a process that has just started."""
    for instance in tx.all(CONTAINER_INSTANCES):
        if instance.agent_connected:
            tx.put(CONTAINER_INSTANCES, msgspec.structs.replace(instance, agent_connected=False))


def agent_environment(settings: Settings, key: AccessKey) -> dict[str, str]:
    """The environment of the local agent."""
    return {
        "HOMEPORT_AGENT_ENDPOINT": settings.endpoint_url,
        "HOMEPORT_AGENT_CLUSTER": settings.default_cluster,
        # This one machine is both: a container instance, and the platform's capacity.
        "HOMEPORT_AGENT_ATTRIBUTES": json.dumps({PLATFORM_CAPACITY: "shared"}),
        "HOMEPORT_AGENT_DATA_DIR": str(settings.data_dir / "agent"),
        "AWS_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }


def write_credentials(settings: Settings, root: AccessKey) -> None:
    """The root access key for ``homeport env``, readable by its owner only."""
    write_private(
        settings.credentials_path,
        {
            "access_key_id": root.access_key_id,
            "secret_access_key": root.secret_access_key,
            "region": settings.region,
        },
    )


def write_private(path: Path, document: dict[str, object]) -> None:
    """Write JSON whole or not at all, mode 0600."""
    write_private_bytes(path, json.dumps(document).encode())


def write_private_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, mode 0600, durable."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def key_file(path: Path) -> bytes:
    """The random key of a file, made at the first start; StartError if it can't be used."""
    try:
        if not path.exists():
            write_private_bytes(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise StartError(f"The key file {path} can't be used: {error}.") from error
    if len(key) != KEY_BYTES:
        raise StartError(
            f"The key file {path} is damaged: it has {len(key)} bytes, not {KEY_BYTES}. Restore it "
            "from a backup, or remove it: what was sealed or issued with it is lost then."
        )
    return key


def open_vault(settings: Settings, store: Store) -> Vault:
    """The vault, whose key opens what is stored; StartError if it does not, or is gone."""
    path = settings.vault_key_path
    with store.transaction() as tx:
        sealed = [(v.value, v.owner) for v in tx.all(PARAMETER_VERSIONS)]
        sealed += [(v.value, v.owner) for v in tx.all(SECRET_VERSIONS)]
        keys = tx.all(ACCESS_KEYS)
        sealed += [(k.sealed_secret, k.access_key_id) for k in keys if k.sealed_secret]
        anything = bool(sealed or tx.all(OBJECTS))
    if anything and not path.exists():
        raise StartError(
            f"{path} is missing, and the stored secrets, parameters, objects and users' keys can't "
            "be read without it. Restore it from a backup of the data directory."
        )
    vault = Vault(key_file(path))
    try:
        for value, owner in sealed[:1]:
            vault.open(value, owner)
    except WrongKey as error:
        raise StartError(
            f"{path} is not the key that the stored secrets, parameters and users' keys were "
            "sealed with. Restore the one that belongs to this data directory."
        ) from error
    return vault


async def sweep_objects(store: Store, objects: ObjectStore) -> None:
    """Remove contents that no durable record refers to, now and then, until cancelled.

    What is there and what is referred to are read in one go: a content that is being written has
    its record in the same breath.
    """
    while True:
        with store.transaction() as tx:
            unused = objects.blobs() - {stored.blob for stored in tx.all(OBJECTS)}
        await store.durable(store.revision)
        try:
            await asyncio.to_thread(objects.delete, unused)
        except OSError as error:
            logger.warning("contents of deleted objects can't be removed: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)


@contextlib.contextmanager
def locked_data_dir(data_dir: Path) -> Iterator[None]:
    """One control plane per data directory."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = open(data_dir / "lock", "w")  # noqa: SIM115  (held until the process ends)
    except OSError as error:
        raise StartError(f"The data directory {data_dir} can't be used: {error}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"Another homeport already runs on {data_dir}. Use it, stop it with Ctrl-C, "
                "or give this one its own directory with --data."
            ) from error
        yield


class Server(uvicorn.Server):
    """uvicorn on a socket that is open already; signals belong to ``bootstrap.serve``."""

    def __init__(self, config: uvicorn.Config, opened: socket.socket) -> None:
        super().__init__(config)
        self._opened = opened

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Until ``should_exit``."""
        await super().serve(sockets=[self._opened])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signal handlers alone."""
        yield


def listen(settings: Settings, gateway: Gateway) -> Server:
    """The HTTP server around the gateway; StartError if its port can't be opened."""
    opened = open_port(settings.host, settings.port)
    config = uvicorn.Config(
        gateway,
        host=settings.host,
        port=settings.port,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws_max_size=4 * 1024 * 1024,
        limit_concurrency=4096,
    )
    return Server(config, opened)


def open_port(host: str, port: int) -> socket.socket:
    """A bound socket; StartError says why there can be none."""
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise StartError(
            f"Port {port} on {host} can't be opened: {os.strerror(error.errno or 0)}. Stop the "
            "program that uses it, or give another with --listen HOST:PORT."
        ) from error
    return opened


async def listening(server: Server, serving: asyncio.Task[None]) -> None:
    """Return once requests are answered; StartError if the server has ended."""
    while not server.started:
        if serving.done():
            raise StartError("The HTTP server ended at once; see the log above.") from (
                serving.exception()
            )
        await asyncio.sleep(0.005)


def stop_signal() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping
