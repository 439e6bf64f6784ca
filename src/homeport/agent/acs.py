"""The ACS session: takes tasks to run and to stop, acknowledges what is durable."""

from __future__ import annotations

import logging
import uuid

from homeport.domain.agent_payload import Wire
from homeport.domain.agent_protocol import (
    AckRequest,
    CloseMessage,
    ErrorMessage,
    HeartbeatAckRequest,
    HeartbeatMessage,
    IAMRoleCredentialsAckRequest,
    IAMRoleCredentialsMessage,
    InactiveInstanceException,
    PayloadMessage,
    TaskIdentifier,
    TaskManifestMessage,
    TaskStopVerificationAck,
    TaskStopVerificationMessage,
    UnknownMessage,
)

from .connection import Connection, Disconnected
from .credentials import CredentialStore
from .tasks import Tasks

logger = logging.getLogger(__name__)


class Deregistered(Exception):
    """The control plane no longer knows this container instance."""


class AcsSession:
    """Serves one connection until it ends."""

    def __init__(
        self,
        connection: Connection,
        tasks: Tasks,
        credentials: CredentialStore,
        cluster: str,
        instance_arn: str,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._credentials = credentials
        self._cluster = cluster
        self._instance_arn = instance_arn

    async def run(self) -> None:
        """Raises Disconnected when it ends, Deregistered when there is nothing to return to."""
        while True:
            await self._on_message(await self._connection.receive())

    async def _on_message(self, message: Wire | UnknownMessage) -> None:
        match message:
            case PayloadMessage():
                await self._tasks.accept(message.tasks or ())
                await self._acknowledge(message.message_id)
            case TaskManifestMessage():
                await self._acknowledge(message.message_id)
                await self._compare(message)
            case TaskStopVerificationAck():
                await self._tasks.stop(t.task_arn for t in message.stop_tasks or ())
            case IAMRoleCredentialsMessage(message_id, task_arn, role_type, renewed):
                self._credentials.renew(task_arn, role_type, renewed)
                await self._connection.send(
                    IAMRoleCredentialsAckRequest(
                        message_id, renewed.credentials_id, renewed.expiration
                    )
                )
            case HeartbeatMessage():
                await self._connection.send(HeartbeatAckRequest(message_id=message.message_id))
            case CloseMessage():
                raise Disconnected(f"asked to reconnect: {message.message}")
            case InactiveInstanceException():
                raise Deregistered(message.message)
            case ErrorMessage():
                logger.warning("the control plane says: %s", message.message)
            case UnknownMessage(type_):
                logger.info("a message of type %s is not known to this agent", type_)

    async def _compare(self, manifest: TaskManifestMessage) -> None:
        """Tasks that the manifest lacks may be stopped only after the server has said so again."""
        known = {t.task_arn for t in manifest.tasks or ()}
        extra = [t for t in self._tasks.current() if t.arn not in known and t.desired != "STOPPED"]
        if extra:
            candidates = [
                TaskIdentifier(t.arn, "STOPPED", t.payload.task_cluster_arn) for t in extra
            ]
            await self._connection.send(TaskStopVerificationMessage(str(uuid.uuid4()), candidates))

    async def _acknowledge(self, message_id: str) -> None:
        await self._connection.send(AckRequest(self._cluster, self._instance_arn, message_id))
