"""The output of a session, copied to a log group and a bucket.

As the task's role, as on AWS: what it may not write, and what there is not, is not written, and
the session goes on. A stream and an object have the session's id for a name.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from yarl import URL

from homeport.agent.settings import AgentSettings, Credentials
from homeport.datachannel.contents import SessionInputs

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
CALL_SECONDS = 10.0
CLOSE_SECONDS = 15.0
MAX_LINE = 64 * 1024
MAX_PENDING = 4 * 1024 * 1024
MAX_OBJECT = 8 * 1024 * 1024
EVENTS_AT_ONCE = 500
CUT = "… more was printed than is kept"


class NotWritten(Exception):
    """The service refused, or did not answer."""


@dataclass(slots=True)
class Transcript:
    """Takes output without waiting; ``run`` writes it, ``close`` writes what is left."""

    writer: Writer
    inputs: SessionInputs
    session_id: str
    _line: bytearray = field(default_factory=bytearray)
    _events: list[dict[str, Any]] = field(default_factory=list)
    _pending: int = 0
    _whole: bytearray = field(default_factory=bytearray)
    _broken: bool = False

    def add(self, data: bytes) -> None:
        """What the command has printed."""
        if self.inputs.s3_bucket_name and len(self._whole) < MAX_OBJECT:
            self._whole += data
        if not self.inputs.cloud_watch_log_group_name or self._broken:
            return
        self._line += data
        *lines, rest = bytes(self._line).split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            self._event(line)
        if len(self._line) >= MAX_LINE:
            self._event(bytes(self._line))
            self._line.clear()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self._flush()

    async def close(self) -> None:
        """The session is over. Never raises."""
        if self._line:
            self._event(bytes(self._line))
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._flush()
                if self.inputs.s3_bucket_name:
                    await self._put_object()
        except (NotWritten, TimeoutError) as error:
            logger.warning("%s is not logged: %s", self.session_id, error)

    def _event(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace") or " "  # an event is not empty
        if self._pending > MAX_PENDING:
            if self._events and self._events[-1]["message"] != CUT:
                self._events.append({"timestamp": int(time.time() * 1000), "message": CUT})
            return
        for at in range(0, len(text), MAX_LINE):
            part = text[at : at + MAX_LINE]
            self._events.append({"timestamp": int(time.time() * 1000), "message": part})
            self._pending += len(part)

    async def _flush(self) -> None:
        if not self._events or self._broken:
            return
        where = {
            "logGroupName": self.inputs.cloud_watch_log_group_name,
            "logStreamName": self.session_id,
        }
        try:
            await self.writer.logs("CreateLogStream", where, fine="ResourceAlreadyExistsException")
            while self._events:
                batch, self._events = self._events[:EVENTS_AT_ONCE], self._events[EVENTS_AT_ONCE:]
                self._pending = sum(len(e["message"]) for e in self._events)
                await self.writer.logs("PutLogEvents", {**where, "logEvents": batch})
        except NotWritten as error:
            logger.warning("%s is not logged: %s", self.session_id, error)
            self._broken = True
            self._events.clear()

    async def _put_object(self) -> None:
        prefix = self.inputs.s3_key_prefix.strip("/")
        key = f"{prefix}/{self.session_id}.log" if prefix else f"{self.session_id}.log"
        cut = f"\n{CUT}\n".encode() if len(self._whole) >= MAX_OBJECT else b""
        await self.writer.put(self.inputs.s3_bucket_name, key, bytes(self._whole) + cut)


@dataclass(frozen=True, slots=True)
class Writer:
    """Calls CloudWatch Logs and S3 with a container's credentials."""

    settings: AgentSettings
    http: aiohttp.ClientSession
    credentials: Credentials

    async def logs(self, operation: str, document: dict[str, Any], fine: str = "") -> None:
        """Raises NotWritten, but for the error ``fine``."""
        request = AWSRequest(
            method="POST",
            url=f"{self.settings.endpoint_url}/",
            data=msgspec.json.encode(document),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"Logs_20140328.{operation}",
            },
        )
        SigV4Auth(self._keys(), "logs", self.settings.region).add_auth(request)
        status, text = await self._send(request)
        if status != 200 and not (fine and fine in text):
            raise NotWritten(f"{operation}: {text[:500]}")

    async def put(self, bucket: str, key: str, content: bytes) -> None:
        """Raises NotWritten."""
        url = f"{self.settings.endpoint_url}/{quote(bucket)}/{quote(key, safe='/~')}"
        request = AWSRequest(method="PUT", url=url, data=content)
        S3SigV4Auth(self._keys(), "s3", self.settings.region).add_auth(request)
        status, text = await self._send(request)
        if status != 200:
            raise NotWritten(f"PutObject: {text[:500]}")

    async def _send(self, request: AWSRequest) -> tuple[int, str]:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async with self.http.request(
                    str(request.method),
                    URL(str(request.url), encoded=True),  # as it was signed
                    data=request.data,
                    headers=dict(request.headers.items()),
                ) as response:
                    return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotWritten(repr(error)) from error

    def _keys(self) -> BotocoreCredentials:
        keys = self.credentials
        return BotocoreCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
