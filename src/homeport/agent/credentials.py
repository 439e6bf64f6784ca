"""The role credentials of this host's tasks: in memory only, renewed by the control plane.

A task's file keeps which roles it has, never their secrets; after a restart of the agent the
control plane sends them again with the task.
"""

from __future__ import annotations

import asyncio
import hmac
import uuid
from dataclasses import dataclass

import msgspec

from homeport.domain.agent_payload import PayloadTask, RoleCredentials

from .settings import Credentials

TASK_ROLE = "TaskApplication"
EXECUTION_ROLE = "TaskExecution"


@dataclass(frozen=True, slots=True)
class TaskCredentials:
    """``task_role`` is for the containers, ``execution_role`` for what is done on their behalf."""

    task_role: RoleCredentials | None = None
    execution_role: RoleCredentials | None = None


def instance_credentials(own: Credentials) -> RoleCredentials:
    """The agent's own access key, as the Engine may ask for it to ship logs of tasks that have no
    execution role: on EC2 the instance's role does that.

    The id is unguessable and the same after a restart of the agent.
    """
    digest = hmac.digest(own.secret_access_key.encode(), b"credentials of the instance", "sha256")
    return RoleCredentials(
        credentials_id=str(uuid.UUID(bytes=digest[:16], version=4)),
        access_key_id=own.access_key_id,
        secret_access_key=own.secret_access_key,
        session_token=own.session_token or "",
    )


class CredentialsMissing(Exception):
    """The control plane has not sent a task's credentials within the time."""


class CredentialStore:
    """Credentials by task and by the id that a container asks with; those of the instance too."""

    def __init__(self, instance: RoleCredentials | None = None) -> None:
        self._tasks: dict[str, TaskCredentials] = {}
        self._by_id = {instance.credentials_id: instance} if instance else {}
        self._changed = asyncio.Event()

    def take(self, payload: PayloadTask) -> PayloadTask:
        """Keep what a payload brings; returns it without its secrets."""
        brought = TaskCredentials(payload.role_credentials, payload.execution_role_credentials)
        if brought != TaskCredentials():
            self._put(payload.arn, brought)
        return msgspec.structs.replace(
            payload,
            role_credentials=without_secrets(payload.role_credentials),
            execution_role_credentials=without_secrets(payload.execution_role_credentials),
        )

    def renew(self, task_arn: str, role_type: str, credentials: RoleCredentials) -> None:
        """Replace the credentials of one role."""
        known = self._tasks.get(task_arn, TaskCredentials())
        if role_type == EXECUTION_ROLE:
            self._put(task_arn, TaskCredentials(known.task_role, credentials))
        else:
            self._put(task_arn, TaskCredentials(credentials, known.execution_role))

    def of(self, task_arn: str) -> TaskCredentials:
        """What is known; both None if nothing is."""
        return self._tasks.get(task_arn, TaskCredentials())

    def by_id(self, credentials_id: str) -> RoleCredentials | None:
        """The credentials behind ``/v2/credentials/ID``."""
        return self._by_id.get(credentials_id)

    async def execution_role(self, task_arn: str, seconds: float) -> RoleCredentials:
        """The execution role's credentials, waited for; raises CredentialsMissing."""
        try:
            async with asyncio.timeout(seconds):
                while (found := self.of(task_arn).execution_role) is None:
                    await self._changed.wait()
        except TimeoutError:
            raise CredentialsMissing(
                f"no execution role credentials of {task_arn} within {seconds:g} s"
            ) from None
        return found

    def forget(self, task_arn: str) -> None:
        """The task is over."""
        gone = self._tasks.pop(task_arn, TaskCredentials())
        for credentials in (gone.task_role, gone.execution_role):
            if credentials is not None:
                self._by_id.pop(credentials.credentials_id, None)

    def _put(self, task_arn: str, credentials: TaskCredentials) -> None:
        self._tasks[task_arn] = credentials
        for role in (credentials.task_role, credentials.execution_role):
            if role is not None:
                self._by_id[role.credentials_id] = role
        self._changed.set()
        self._changed = asyncio.Event()


def without_secrets(credentials: RoleCredentials | None) -> RoleCredentials | None:
    """Which role, and under which id; nothing that could be used."""
    if credentials is None:
        return None
    return RoleCredentials(credentials_id=credentials.credentials_id, role_arn=credentials.role_arn)
