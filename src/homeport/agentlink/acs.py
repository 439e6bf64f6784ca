"""One ACS session: tells an agent which tasks its instance is to run and to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from homeport.domain.arn import Ids
from homeport.domain.task import Task
from homeport.store import Store, Transaction
from homeport.store.schema import (
    ACCOUNT_SETTINGS,
    CONTAINER_INSTANCES,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)

from .frames import Frame, WebSocket, decode, encode
from .interfaces import interfaces_of
from .log_config import DEFAULT_MODE
from .payload import Payload, run_payload, stop_payload
from .role_credentials import PAYLOAD_MEMBERS, RENEW_SECONDS, RoleCredentialsIssuer

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 30.0
RESEND_SECONDS = 10.0
DURABLE_TIMEOUT_SECONDS = 30.0
SEND_TIMEOUT_SECONDS = 20.0
TASKS_PER_PAYLOAD = 10


@dataclass
class Unacknowledged:
    """A payload on its way: which desired status of which task it carried."""

    wanted: dict[str, str]
    sent_at: float = field(default=0.0)


class AcsSession:
    """Sends what the agent does not know yet; forgets on reconnect, so everything is resent.

    ``_told`` maps task ARN → the desired status last sent. A payload that is not acknowledged
    within ``RESEND_SECONDS`` is dropped from it and so sent again.
    """

    def __init__(
        self,
        store: Store,
        websocket: WebSocket,
        instance_arn: str,
        ids: Ids,
        clock: Callable[[], float],
        roles: RoleCredentialsIssuer,
    ) -> None:
        self._store = store
        self._websocket = websocket
        self._instance_arn = instance_arn
        self._ids = ids
        self._clock = clock
        self._roles = roles
        self._issued_at: dict[str, float] = {}
        self._cluster_arn = ""
        self._told: dict[str, str] = {}
        self._unacknowledged: dict[str, Unacknowledged] = {}
        self._sequence = 0
        self._wake = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """Something about this instance's tasks changed."""
        self._wake.set()

    async def close(self) -> None:
        """End the session."""
        self._closed = True
        self._wake.set()
        await self._websocket.close()

    async def run(self) -> None:
        """Serve until the peer leaves or ``close`` is called."""
        sender = asyncio.create_task(self._send_loop(), name=f"acs {self._instance_arn}")
        try:
            while (text := await self._websocket.receive_text()) is not None:
                if frame := decode(text):
                    await self._on_frame(frame)
        finally:
            self._closed = True
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, TimeoutError):
                await sender
            await self._websocket.close()

    async def _send_loop(self) -> None:
        await self._send_manifest()
        next_heartbeat = self._clock()
        while not self._closed:
            self._wake.clear()
            await self._send_new_payloads()
            await self._renew_credentials()
            if self._clock() >= next_heartbeat:
                await self._send(
                    "HeartbeatMessage", {"healthy": True, "messageId": self._ids.uuid()}
                )
                next_heartbeat = self._clock() + HEARTBEAT_SECONDS
            await self._wait_until(next_heartbeat)

    async def _wait_until(self, next_heartbeat: float) -> None:
        until = next_heartbeat
        if self._unacknowledged:
            until = min(until, self._clock() + RESEND_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self._clock())):
                await self._wake.wait()

    async def _send_new_payloads(self) -> None:
        self._forget_unanswered()
        while True:
            with self._store.transaction() as tx:
                payloads, wanted = self._next_payloads(tx)
            if not payloads:
                return
            async with asyncio.timeout(DURABLE_TIMEOUT_SECONDS):
                await self._store.durable(self._store.revision)
            await self._send_payload(payloads, wanted)

    def _next_payloads(self, tx: Transaction) -> tuple[list[Payload], dict[str, str]]:
        payloads: list[Payload] = []
        wanted: dict[str, str] = {}
        for task in tx.find(TASKS, "container_instance", self._instance_arn):
            status = status_to_tell(task)
            if status is None or self._told.get(task.arn) == status:
                continue
            if len(payloads) == TASKS_PER_PAYLOAD:
                break
            payload = build_payload(tx, task, status)
            if payload is not None:
                if status == "RUNNING":
                    payload = self._with_roles(tx, task, payload)
                payloads.append(payload)
                wanted[task.arn] = status
        return payloads, wanted

    def _with_roles(self, tx: Transaction, task: Task, payload: Payload) -> Payload:
        """The payload of a task to run, with credentials of the roles that it has."""
        definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
        roles = self._roles.of_task(tx, task, definition, self._clock()) if definition else {}
        if roles:
            self._issued_at[task.arn] = self._clock()
        return payload | {PAYLOAD_MEMBERS[role]: given for role, given in roles.items()}

    async def _renew_credentials(self) -> None:
        """Send new credentials well before the old ones expire."""
        now = self._clock()
        for task_arn, issued_at in list(self._issued_at.items()):
            if now - issued_at < RENEW_SECONDS:
                continue
            with self._store.transaction() as tx:
                task = tx.get(TASKS, task_arn)
                if task is None or task.last_status == "STOPPED":
                    del self._issued_at[task_arn]
                    continue
                definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
                roles = self._roles.of_task(tx, task, definition, now) if definition else {}
            self._issued_at[task_arn] = now
            for role_type, credentials in roles.items():
                await self._send(
                    "IAMRoleCredentialsMessage",
                    {
                        "messageId": self._ids.uuid(),
                        "taskArn": task_arn,
                        "roleType": role_type,
                        "roleCredentials": credentials,
                    },
                )

    async def _send_payload(self, payloads: list[Payload], wanted: dict[str, str]) -> None:
        message_id = self._ids.uuid()
        self._sequence += 1
        self._told.update(wanted)
        self._unacknowledged[message_id] = Unacknowledged(wanted, self._clock())
        await self._send(
            "PayloadMessage",
            {
                "clusterArn": self._cluster(),
                "containerInstanceArn": self._instance_arn,
                "messageId": message_id,
                "seqNum": self._sequence,
                "generatedAt": int(self._clock() * 1000),
                "tasks": payloads,
            },
        )

    def _forget_unanswered(self) -> None:
        expired = self._clock() - RESEND_SECONDS
        for message_id, sent in list(self._unacknowledged.items()):
            if sent.sent_at > expired:
                continue
            logger.warning("%s: payload %s not acknowledged", self._instance_arn, message_id)
            del self._unacknowledged[message_id]
            for task_arn, status in sent.wanted.items():
                if self._told.get(task_arn) == status:
                    del self._told[task_arn]

    async def _send_manifest(self) -> None:
        with self._store.transaction() as tx:
            tasks = [
                {
                    "taskArn": t.arn,
                    "taskClusterArn": t.cluster_arn,
                    "desiredStatus": status_to_tell(t) or t.desired_status,
                }
                for t in tx.find(TASKS, "container_instance", self._instance_arn)
                if t.last_status != "STOPPED"
            ]
        async with asyncio.timeout(DURABLE_TIMEOUT_SECONDS):
            await self._store.durable(self._store.revision)
        await self._send(
            "TaskManifestMessage",
            {
                "clusterArn": self._cluster(),
                "containerInstanceArn": self._instance_arn,
                "messageId": self._ids.uuid(),
                "generatedAt": int(self._clock() * 1000),
                "timeline": int(self._clock() * 1000),
                "tasks": tasks,
            },
        )

    async def _on_frame(self, frame: Frame) -> None:
        match frame.type:
            case "AckRequest":
                self._unacknowledged.pop(frame.message.get("messageId", ""), None)
            case "TaskStopVerificationMessage":
                await self._verify_stops(frame)
            case "NackRequest":
                logger.warning("%s refused a message: %s", self._instance_arn, frame.message)
            case _:
                pass  # heartbeat acknowledgements and what later agents may add

    async def _verify_stops(self, frame: Frame) -> None:
        """The agent asks which tasks of its own may stop: those that nothing here wants."""
        candidates = frame.message.get("stopCandidates") or []
        with self._store.transaction() as tx:
            unwanted = [c for c in candidates if not is_wanted(tx.get(TASKS, c.get("taskArn", "")))]
        await self._send(
            "TaskStopVerificationAck",
            {
                "generatedAt": int(self._clock() * 1000),
                "messageId": self._ids.uuid(),
                "stopTasks": unwanted,
            },
        )

    def _cluster(self) -> str:
        if not self._cluster_arn:
            with self._store.transaction() as tx:
                instance = tx.get(CONTAINER_INSTANCES, self._instance_arn)
            self._cluster_arn = instance.cluster_arn if instance else ""
        return self._cluster_arn

    async def _send(self, type_: str, message: Payload) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await self._websocket.send_text(encode(type_, message))


def status_to_tell(task: Task) -> str | None:
    """What the agent is to be told of a task, or None.

    A task that is leaving its target groups (DEACTIVATING) still runs for the agent: it is
    told to stop only once the control plane has moved it on to STOPPING. It never hears of one
    that can't start.
    """
    if task.start_failure:
        return None
    match task.last_status:
        case "STOPPED":
            return None
        case "STOPPING" | "DEPROVISIONING":
            return "STOPPED"
        case _:
            return "RUNNING"


def is_wanted(task: Task | None) -> bool:
    """Whether a running task that an agent holds is to stay."""
    return task is not None and status_to_tell(task) == "RUNNING"


def build_payload(tx: Transaction, task: Task, status: str) -> Payload | None:
    """The payload of one task; None if its definition is gone (it can't be then)."""
    if status == "STOPPED":
        return stop_payload(task)
    definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
    if definition is None:
        logger.error("%s: its task definition %s is gone", task.arn, task.task_definition_arn)
        return None
    service = tx.get(SERVICES, task.service_arn) if task.service_arn else None
    return run_payload(task, definition, service, interfaces_of(tx, task), log_mode(tx, task))


def log_mode(tx: Transaction, task: Task) -> str:
    """How awslogs delivers unless a definition says: the account's ``defaultLogDriverMode``."""
    root = f"arn:aws:iam::{task.arn.split(':')[4]}:root"
    setting = tx.get(ACCOUNT_SETTINGS, f"{root}|defaultLogDriverMode")
    return DEFAULT_MODE if setting is None else setting.value
