"""boto3 against the real gateway in this process: no socket, everything else as it is."""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from homeport import services
from homeport.domain.arn import Ids
from homeport.domain.credential import AccessKey
from homeport.domain.session import SessionMint
from homeport.domain.vault import Vault
from homeport.gateway.app import Gateway
from homeport.gateway.message_gateway import ChannelConnections, no_channels
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.services.call import Platform
from homeport.services.ec2.default_vpc import seed_default_vpc
from homeport.services.events import EventRecorder
from homeport.store import Store
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import ACCESS_KEYS, TABLES

ACCOUNT, REGION = "123456789012", "us-east-1"
ENDPOINT = "http://127.0.0.1:4566"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
SESSIONS = SessionMint(b"a key of the tests, of 32 bytes  ")
PLATFORM = Platform(
    ACCOUNT, REGION, ZONES, ENDPOINT, load_balancer_addresses=lambda: ("192.168.7.1", "172.17.0.1")
)
VAULT = Vault(bytes(32))
KEY = AccessKey("AKIAROOT", "secret", f"arn:aws:iam::{ACCOUNT}:root", "root", 0.0)


async def no_agents(kind: str, params: Mapping[str, str], websocket: object) -> None:
    """There is no agent link in these tests."""


class Api:
    """A store in memory, the default VPC, root's access key."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        sessionlink: ChannelConnections = no_channels,
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = Store(TABLES, MemoryJournal())
        self.store.before_commit(EventRecorder(Ids(), clock))
        self.loop.run_until_complete(self._start())
        self._directory = tempfile.TemporaryDirectory()
        self.log_directory = Path(self._directory.name)
        self.logs = LogStore(self.log_directory)
        self.objects_directory = self.log_directory / "objects"
        self.gateway = Gateway(
            store=self.store,
            operations=services.OPERATIONS,
            platform=PLATFORM,
            authenticate=True,
            sessions=SESSIONS,
            vault=VAULT,
            objects=ObjectStore(self.objects_directory),
            agentlink=no_agents,
            logs=self.logs,
            sessionlink=sessionlink,
            clock=clock,
        )

    async def _start(self) -> None:
        self.store.start()
        with self.store.transaction() as tx:
            seed_default_vpc(tx, PLATFORM, Ids())
            tx.put(ACCESS_KEYS, KEY)

    def close(self) -> None:
        self.loop.close()
        self._directory.cleanup()

    def client(
        self,
        service: str,
        credentials: Mapping[str, str] | None = None,
        *,
        validates: bool = True,
        endpoint: str = ENDPOINT,
        access_key_id: str = KEY.access_key_id,
        **config: Any,
    ) -> Any:
        """A boto3 client of the service, unmodified; root's, or of a key or session that the API
        gave (``AccessKeyId`` …). ``validates``: its own check of parameters."""
        given = credentials or {
            "AccessKeyId": access_key_id,
            "SecretAccessKey": KEY.secret_access_key,
        }
        client = boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            config=Config(parameter_validation=validates, **config),
        )
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return self.loop.run_until_complete(self._call(request))

    async def _call(self, request: AWSPreparedRequest) -> AWSResponse:
        sent: list[Any] = []
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        body = body if isinstance(body, bytes | bytearray) else body.read()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.gateway(scope_of(request), receive, send)
        headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        response = AWSResponse(request.url, sent[0]["status"], headers, io.BytesIO(content))
        response._content = content
        return response


def scope_of(request: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    headers = {k.lower(): v for k, v in request.headers.items()}
    headers.setdefault("host", url.netloc)
    return {
        "type": "http",
        "method": request.method,
        "path": url.path or "/",
        "raw_path": (url.path or "/").encode(),
        "query_string": url.query.encode(),
        "headers": [
            (k.encode(), v if isinstance(v, bytes) else str(v).encode()) for k, v in headers.items()
        ],
    }


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message of the error that the call gets."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was accepted")
