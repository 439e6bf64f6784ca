"""Which document answers which path of 169.254.170.2.

An id in a path is random and known to one container only: it is what admits a request.
``None`` for an id that is not of this agent, so that another agent of the host may be asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from homeport.domain.agent_payload import RoleCredentials

from ..api import ApiError, ApiUnreachable, EcsApi
from ..credentials import CredentialStore
from ..engine import Engine, EngineError, EngineTimeout
from ..settings import AgentSettings, Credentials
from ..task_state import ContainerState, TaskState
from .documents import Document, container_document, task_document

logger = logging.getLogger(__name__)

PROTECTION_PATH = "task-protection/v1/state"


class TaskBook(Protocol):
    """The tasks of this host."""

    def by_metadata_id(self, metadata_id: str) -> tuple[TaskState, ContainerState] | None:
        """The container that asks with this id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON document with its HTTP status."""

    status: int
    document: object


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers requests about this agent's own tasks."""

    tasks: TaskBook
    credentials: CredentialStore
    engine: Engine
    settings: AgentSettings
    api: EcsApi
    as_role: Callable[[Credentials], EcsApi]

    async def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        """None if the id in ``path`` is not known here."""
        match path.strip("/").split("/"):
            case ["v2", "credentials", credentials_id]:
                return self._credentials(credentials_id)
            case ["v3" | "v4" as version, metadata_id, *rest]:
                found = self.tasks.by_metadata_id(metadata_id)
                return found and await self._metadata(version, "/".join(rest), *found)
            case ["api", metadata_id, *rest] if "/".join(rest) == PROTECTION_PATH:
                found = self.tasks.by_metadata_id(metadata_id)
                return found and await self._protection(method, found[0], body)
        return Answer(404, f"{path} is not a path of the task endpoint")

    # ── Credentials ─────────────────────────────────────────────────────────────────────────────

    def _credentials(self, credentials_id: str) -> Answer | None:
        found = self.credentials.by_id(credentials_id)
        if found is None:
            return None
        members = {
            "RoleArn": found.role_arn,
            "AccessKeyId": found.access_key_id,
            "SecretAccessKey": found.secret_access_key,
            "Token": found.session_token,
            "Expiration": found.expiration,
        }
        # The instance's own are of no role and do not expire.
        return Answer(200, {name: value for name, value in members.items() if value})

    # ── Metadata ────────────────────────────────────────────────────────────────────────────────

    async def _metadata(
        self, version: str, what: str, task: TaskState, state: ContainerState
    ) -> Answer:
        match what:
            case "":
                return Answer(200, await self._container(task, state))
            case "task":
                return Answer(200, await self._task(task))
            case "taskWithTags":
                return Answer(200, {**await self._task(task), **await self._tags(task)})
            case "stats":
                return await self._stats(version, state)
            case "task/stats":
                return Answer(200, await self._task_stats(task))
        return Answer(404, f"V4 task metadata handler: no such path: {what}")

    async def _task(self, task: TaskState) -> Document:
        documents = await asyncio.gather(*(self._container(task, c) for c in task.containers))
        return task_document(task, documents, self.settings)

    async def _container(self, task: TaskState, state: ContainerState) -> Document:
        inspected: Mapping[str, Any] = {}
        if state.docker_id:
            try:
                inspected = await self.engine.describe(state.docker_id) or {}
            except (EngineError, EngineTimeout) as error:
                logger.warning("%s %s can't be inspected: %s", task.arn, state.name, error)
        return container_document(task, state, inspected)

    async def _tags(self, task: TaskState) -> Document:
        tags: Document = {}
        try:
            answer = await self.api.call("ListTagsForResource", {"resourceArn": task.arn})
        except (ApiError, ApiUnreachable) as error:
            failure = {
                "ErrorField": "TaskTags",
                "ErrorCode": getattr(error, "code", "RequestError"),
                "ErrorMessage": str(error),
                "StatusCode": getattr(error, "status", 0),
                "ResourceARN": task.arn,
            }
            return {"Errors": [failure]}
        if found := answer.get("tags"):
            tags["TaskTags"] = {tag["key"]: tag["value"] for tag in found}
        return tags

    async def _stats(self, version: str, state: ContainerState) -> Answer:
        found = await self._engine_stats(state)
        if found is None:
            text = f"{version.upper()} container stats handler: no stats of {state.name}"
            return Answer(404, text)
        return Answer(200, found)

    async def _task_stats(self, task: TaskState) -> Document:
        running = [c for c in task.containers if c.docker_id]
        found = await asyncio.gather(*(self._engine_stats(c) for c in running))
        return {c.docker_id: stats for c, stats in zip(running, found, strict=True)}

    async def _engine_stats(self, state: ContainerState) -> Document | None:
        if state.status != "RUNNING":
            return None
        try:
            return await self.engine.stats(state.docker_id)
        except (EngineError, EngineTimeout) as error:
            logger.warning("stats of %s: %s", state.docker_id, error)
            return None

    # ── Task protection ─────────────────────────────────────────────────────────────────────────

    async def _protection(self, method: str, task: TaskState, body: bytes) -> Answer:
        role = self.credentials.of(task.arn).task_role
        if role is None:
            return _failed(task, 403, "AccessDeniedException", "The task has no task role.")
        operation, request = "GetTaskProtection", {}
        if method == "PUT":
            try:
                wanted = msgspec.json.decode(body, type=_Protection, strict=True)
            except msgspec.DecodeError as error:
                return _failed(task, 400, "InvalidParameterException", str(error))
            operation, request = "UpdateTaskProtection", wanted.as_request()
        elif method != "GET":
            return Answer(405, f"{method} is not allowed here")
        request = {"cluster": task.payload.task_cluster_arn, "tasks": [task.arn], **request}
        try:
            answer = await self.as_role(role_keys(role)).call(operation, request)
        except ApiError as error:
            return _failed(task, 400, error.code, error.message)
        except ApiUnreachable as error:
            return _failed(task, 504, "RequestError", str(error))
        return _protection_answer(answer)


class _Protection(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    protection_enabled: bool
    expires_in_minutes: int | None = None

    def as_request(self) -> dict[str, Any]:
        request: dict[str, Any] = {"protectionEnabled": self.protection_enabled}
        if self.expires_in_minutes is not None:
            request["expiresInMinutes"] = self.expires_in_minutes
        return request


def _protection_answer(answer: Mapping[str, Any]) -> Answer:
    if failures := answer.get("failures"):
        first = {name[:1].upper() + name[1:]: value for name, value in failures[0].items()}
        return Answer(200, {"failure": first})
    for task in answer.get("protectedTasks") or ():
        protection = {name[:1].upper() + name[1:]: value for name, value in task.items()}
        return Answer(200, {"protection": protection})
    return Answer(200, {})


def _failed(task: TaskState, status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"Arn": task.arn, "Code": code, "Message": message}})


def role_keys(role: RoleCredentials) -> Credentials:
    """A role's credentials as the API client takes them."""
    return Credentials(role.access_key_id, role.secret_access_key, role.session_token)


def api_as(settings: AgentSettings, api: EcsApi) -> Callable[[Credentials], EcsApi]:
    """Makes API clients that sign with other credentials over the same connections."""
    return lambda credentials: EcsApi(replace(settings, credentials=credentials), api.http)
