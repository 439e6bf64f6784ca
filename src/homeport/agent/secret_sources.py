"""Parameter Store, Secrets Manager and S3 as a task's execution role reads them, and CloudWatch
Logs as far as Fargate asks before a start.

Every request is signed with the role's temporary credentials and goes to the control plane's
endpoint. What is read is returned and kept nowhere; errors carry the service's words, which never
repeat a value.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import aiohttp
import msgspec
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from homeport.domain.agent_payload import RoleCredentials

from .backoff import Backoff
from .settings import AgentSettings

CALL_SECONDS = 10.0
ATTEMPTS = 5
MAX_FILE_BYTES = 8 * 1024 * 1024
PARAMETERS_AT_ONCE = 10
_S3_ARN = re.compile(r"arn:[^:]+:s3:::([^/]+)/(.+)")


class Refused(Exception):
    """The service answered with an error: asking again changes nothing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Unreachable(Exception):
    """No answer in several attempts."""


@dataclass(frozen=True, slots=True)
class SecretSources:
    """Asks for the agent; one for all tasks."""

    settings: AgentSettings
    http: aiohttp.ClientSession

    async def parameters(
        self, names: Sequence[str], role: RoleCredentials
    ) -> tuple[dict[str, str], list[str]]:
        """Values by what was asked for, and the names of those that are not there."""
        values: dict[str, str] = {}
        invalid: list[str] = []
        for start in range(0, len(names), PARAMETERS_AT_ONCE):
            asked = names[start : start + PARAMETERS_AT_ONCE]
            request = {"Names": list(asked), "WithDecryption": True}
            answer = await self._json("ssm", "AmazonSSM.GetParameters", request, role)
            for found in answer.get("Parameters") or ():
                selector = str(found.get("Selector") or "")
                for known_as in (found["Name"], found["ARN"]):
                    values[f"{known_as}{selector}"] = str(found["Value"])
            invalid += [str(name) for name in answer.get("InvalidParameters") or ()]
        return values, invalid

    async def secret(self, request: Mapping[str, str], role: RoleCredentials) -> str:
        """``SecretString`` of GetSecretValue; empty for a binary secret, as the official agent."""
        target = "secretsmanager.GetSecretValue"
        answer = await self._json("secretsmanager", target, request, role)
        return str(answer.get("SecretString") or "")

    async def file(self, arn: str, role: RoleCredentials) -> bytes:
        """An S3 object by its ARN."""
        match = _S3_ARN.fullmatch(arn)
        if match is None:
            raise Refused("InvalidArgument", f"invalid s3 arn: {arn}")
        url = f"{self.settings.endpoint_url}/{match[1]}/{quote(match[2], safe='/~')}"
        request = AWSRequest(method="GET", url=url)
        S3SigV4Auth(_signer(role), "s3", self.settings.region).add_auth(request)
        status, body = await self._until_answered(request)
        if status != 200:
            raise _s3_refusal(status, body)
        return body

    async def log_group(self, name: str, role: RoleCredentials) -> None:
        """Create a log group; one that is there is fine."""
        await self._made("CreateLogGroup", {"logGroupName": name}, role)

    async def log_stream(self, group: str, name: str, role: RoleCredentials) -> None:
        """Create a stream in a log group; one that is there is fine."""
        request = {"logGroupName": group, "logStreamName": name}
        await self._made("CreateLogStream", request, role)

    async def _made(
        self, operation: str, request: Mapping[str, str], role: RoleCredentials
    ) -> None:
        try:
            await self._json("logs", f"Logs_20140328.{operation}", request, role)
        except Refused as error:
            if error.code != "ResourceAlreadyExistsException":
                raise

    async def _json(
        self, service: str, target: str, document: Mapping[str, Any], role: RoleCredentials
    ) -> Mapping[str, Any]:
        request = AWSRequest(
            method="POST",
            url=f"{self.settings.endpoint_url}/",
            data=msgspec.json.encode(document),
            headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target},
        )
        SigV4Auth(_signer(role), service, self.settings.region).add_auth(request)
        status, body = await self._until_answered(request)
        try:
            answer = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Refused("UnknownError", f"status {status}, not an answer of the API") from None
        if status != 200:
            code = str(answer.get("__type") or "UnknownError").rpartition("#")[2]
            raise Refused(code, str(answer.get("message") or ""))
        return answer

    async def _until_answered(self, request: AWSRequest) -> tuple[int, bytes]:
        """Status and body; a control plane that is being restarted is waited for."""
        backoff = Backoff(0.5, 8.0, 2.0)
        failure = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(backoff.next())
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    status, body = await self._send(request)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failure = str(error) or "context deadline exceeded"
                continue
            if status < 500 or status == 501:
                return status, body
            failure = f"status {status}"
        raise Unreachable(failure)

    async def _send(self, request: AWSRequest) -> tuple[int, bytes]:
        async with self.http.request(
            str(request.method),
            URL(str(request.url), encoded=True),  # as it was signed
            data=request.data or None,
            headers=dict(request.headers.items()),
        ) as response:
            return response.status, await response.content.read(MAX_FILE_BYTES)


def _signer(role: RoleCredentials) -> Credentials:
    return Credentials(role.access_key_id, role.secret_access_key, role.session_token or None)


def _s3_refusal(status: int, body: bytes) -> Refused:
    try:
        document = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return Refused("UnknownError", f"status {status}")
    return Refused(document.findtext("Code") or "", document.findtext("Message") or "")
