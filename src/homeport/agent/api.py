"""The APIs that an agent uses: JSON 1.1 over one connection pool, signed with SigV4."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from .settings import AgentSettings

TARGET = "AmazonEC2ContainerServiceV20141113"
CALL_SECONDS = 30.0

Document = Mapping[str, Any]  # requests and answers of the API: its JSON, as modelled by AWS


class ApiUnreachable(Exception):
    """No answer, or not one of the API; worth another attempt."""


class ApiError(Exception):
    """The API refused: ``code`` is AWS's (``ClientException``, …)."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class JsonApi:
    """Calls the operations of one service, and signs what else goes to it."""

    def __init__(
        self, settings: AgentSettings, http: aiohttp.ClientSession, service: str, target: str
    ) -> None:
        self._url = f"{settings.endpoint_url}/"
        self.http = http
        credentials = settings.credentials
        self._auth = SigV4Auth(
            BotocoreCredentials(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token
            ),
            service,
            settings.region,
        )
        self._target = target

    async def call(self, operation: str, request: Document) -> Document:
        """Raises ApiError and ApiUnreachable."""
        body = msgspec.json.encode(request)
        headers = self.signed(
            "POST",
            self._url,
            body,
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"{self._target}.{operation}",
            },
        )
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async with self.http.post(self._url, data=body, headers=headers) as response:
                    return _answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiUnreachable(f"{operation}: {error!r}") from error

    def signed(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """``headers`` and those of the signature. ``url`` must be encoded already."""
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
        self._auth.add_auth(request)
        return dict(request.headers.items())


class EcsApi(JsonApi):
    """ECS, with the agent's own credentials or others."""

    def __init__(self, settings: AgentSettings, http: aiohttp.ClientSession) -> None:
        super().__init__(settings, http, "ecs", TARGET)


def _answer(status: int, body: bytes) -> Document:
    try:
        document = msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ApiUnreachable(f"status {status}, not an answer of the API: {error}") from error
    if status == 200:
        return document
    code = str(document.get("__type") or "UnknownError").rpartition("#")[2]
    message = str(document.get("message") or document.get("Message") or "")
    if status >= 500:
        raise ApiUnreachable(f"status {status}, {code}: {message}")
    raise ApiError(code, message, status)
