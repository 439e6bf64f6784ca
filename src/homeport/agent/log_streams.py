"""Fargate's own look at where a container is to log to, before it is made.

On Fargate a log group that is missing, or that the execution role may not use, ends a task before
its container starts, whatever the delivery mode. The Engine's driver finds the stream made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import msgspec

from homeport.domain.agent_payload import PayloadContainer, PayloadTask

from .api import ApiError, ApiUnreachable, JsonApi
from .awslogs import start_failure
from .credentials import CredentialsMissing, CredentialStore
from .settings import AgentSettings, Credentials

logger = logging.getLogger(__name__)

TARGET = "Logs_20140328"
CREDENTIALS_SECONDS = 60.0
_STREAM = "failed to create Cloudwatch log stream"
_GROUP = "failed to create Cloudwatch log group"


class LogStreamFailed(Exception):
    """Why a container can't log, in the words of Fargate."""


class LogStreams:
    """One for all tasks of a host."""

    def __init__(
        self, settings: AgentSettings, http: aiohttp.ClientSession, credentials: CredentialStore
    ) -> None:
        self._settings = settings
        self._http = http
        self._credentials = credentials

    async def prepare(self, task: PayloadTask, container: PayloadContainer) -> None:
        """Make the stream of an awslogs container of a FARGATE task. Raises LogStreamFailed.

        While the API does not answer, the Engine's driver goes on trying by itself.
        """
        options = awslogs_options(container)
        if task.launch_type != "FARGATE" or options is None:
            return
        try:
            role = await self._credentials.execution_role(task.arn, CREDENTIALS_SECONDS)
            signer = Credentials(role.access_key_id, role.secret_access_key, role.session_token)
            settings = replace(self._settings, credentials=signer)
            await _make(JsonApi(settings, self._http, "logs", TARGET), options)
        except (ApiUnreachable, CredentialsMissing) as error:
            logger.warning("%s %s: its log stream: %s", task.arn, container.name, error)


async def _make(api: JsonApi, options: Mapping[str, str]) -> None:
    group = {"logGroupName": options.get("awslogs-group", "")}
    stream = {**group, "logStreamName": options.get("awslogs-stream", "")}
    try:
        await _create(api, "CreateLogStream", stream, _STREAM)
    except LogStreamFailed as error:
        missing = isinstance(error.__cause__, ApiError) and (
            error.__cause__.code == "ResourceNotFoundException"
        )
        if not missing or options.get("awslogs-create-group") != "true":
            raise
        await _create(api, "CreateLogGroup", group, _GROUP)
        await _create(api, "CreateLogStream", stream, _STREAM)


async def _create(api: JsonApi, operation: str, request: Mapping[str, str], failed: str) -> None:
    try:
        await api.call(operation, request)
    except ApiError as error:
        if error.code == "ResourceAlreadyExistsException":
            return
        text = f"failed to initialize logging driver: {failed}: {error}"
        raise LogStreamFailed(start_failure("FARGATE", text)) from error


def awslogs_options(container: PayloadContainer) -> Mapping[str, str] | None:
    """Of a container that logs with awslogs."""
    document: dict[str, Any] = msgspec.json.decode(container.docker_config.host_config or "{}")
    logging_: Mapping[str, Any] = document.get("LogConfig") or {}
    return (logging_.get("Config") or {}) if logging_.get("Type") == "awslogs" else None
