"""The ASGI app."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from homeport.domain.arn import Arns, Ids
from homeport.domain.session import SessionMint
from homeport.domain.vault import Vault
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.services.call import Call, Handler, Platform, Principal
from homeport.services.events import list_events
from homeport.store import Store, Transaction
from homeport.wire import model
from homeport.wire.errors import ApiError, NotImplementedOperation
from homeport.wire.http import Request, Response
from homeport.wire.protocols import WireProtocol
from homeport.wire.protocols.ec2 import Ec2Protocol
from homeport.wire.protocols.json import JsonProtocol
from homeport.wire.protocols.query import QueryProtocol
from homeport.wire.protocols.rest_json import RestJsonProtocol
from homeport.wire.protocols.rest_xml import RestXmlProtocol
from homeport.wire.protocols.s3 import S3Protocol
from homeport.wire.router import Route, refuser, route

from .asgi import (
    AsgiWebSocket,
    ClientGone,
    Receive,
    Scope,
    Send,
    read_body,
    read_head,
    send_response,
)
from .authenticate import NoAuthentication, SigV4Authenticator
from .authorize import Authorizer, PolicyAuthorizer
from .message_gateway import (
    Channel,
    ChannelConnections,
    channel_of,
    created,
    no_channels,
    refused,
)
from .permissions import Asked, prefix_of

logger = logging.getLogger(__name__)

PROTOCOLS: dict[str, Callable[[model.Service], WireProtocol]] = {
    "json": JsonProtocol,
    "query": QueryProtocol,
    "ec2": Ec2Protocol,
    "rest-json": RestJsonProtocol,
    "rest-xml": RestXmlProtocol,
}
# A service whose model does not say all about its protocol.
OWN_PROTOCOLS: dict[str, Callable[[model.Service], WireProtocol]] = {"s3": S3Protocol}
# Path → the service it is signed for, the operation it is authorized as, and what answers.
EXTENSIONS = {"/homeport/events": ("events", "ListEvents", list_events)}
AGENT_PATHS = {"/acs/ws": ("acs", "Poll"), "/tcs/ws": ("tcs", "StartTelemetrySession")}


SSM_MESSAGES = "ssmmessages"


class AgentConnections(Protocol):
    """Takes accepted agent websockets."""

    async def __call__(
        self, kind: str, params: Mapping[str, str], websocket: AsgiWebSocket
    ) -> None:
        """Serve one connection until it ends."""


class Steps(Protocol):
    """Told when a step of a request is over (a benchmark's clock)."""

    def __call__(self, step: str) -> None:
        """``step`` has just ended."""


def no_steps(step: str) -> None:
    """Nobody is measuring."""


class Gateway:
    """Answers every API request: read → route → authenticate → decode → authorize → handle
    in one transaction → wait until durable → encode."""

    def __init__(
        self,
        *,
        store: Store,
        operations: Mapping[str, Mapping[str, Handler]],
        platform: Platform,
        authenticate: bool,
        sessions: SessionMint,
        vault: Vault,
        objects: ObjectStore,
        agentlink: AgentConnections,
        logs: LogStore,
        sessionlink: ChannelConnections = no_channels,
        clock: Callable[[], float] = time.time,
        steps: Steps = no_steps,
    ) -> None:
        self._store = store
        self._operations = operations
        self._platform = platform
        self._authenticator = (
            SigV4Authenticator(store, platform, sessions, vault)
            if authenticate
            else NoAuthentication(platform)
        )
        self._authorizer: Authorizer = PolicyAuthorizer()
        self._sessions = sessions
        self._vault = vault
        self._objects = objects
        self._agentlink = agentlink
        self._logs = logs
        self._sessionlink = sessionlink
        self._clock = clock
        self._steps = steps
        self._ids = Ids()
        self._arns = Arns(platform.account_id, platform.region)
        self._protocols: dict[str, WireProtocol] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    # -- requests -----------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        if scope["path"] == "/health":
            await send_response(send, Response(200, b"ok\n", {"content-type": "text/plain"}))
            return
        try:
            request = read_head(scope, await read_body(receive))
        except ClientGone:
            return
        except ApiError as error:
            protocol = self._protocol(refuser(read_head(scope)))
            await send_response(send, protocol.error(error, request_id))
            return
        self._steps("http")
        if (channel := channel_of(request)) is not None:
            await send_response(send, self._create_channel(channel, request, request_id))
            return
        if request.path in EXTENSIONS:
            await send_response(send, await self._extension(request, request_id))
            return
        await send_response(send, await self.answer(request, request_id))
        self._steps("send")

    async def answer(self, request: Request, request_id: str) -> Response:
        """The response to one API request; never raises."""
        service, operation = refuser(request), "?"
        try:
            found = route(request)
            service, operation = found.service, found.operation
            protocol = self._protocol(service)
            document, revision = self._execute(found, protocol, request, request_id)
            await self._store.durable(revision)
            self._steps("durable")
            response = protocol.encode(operation, document, request_id)
            self._steps("encode")
        except ApiError as error:
            logger.info("%s %s:%s %s", request_id, service, operation, error.code)
            return self._protocol(service).error(error, request_id)
        except Exception:  # outer edge: a defect of ours must not show its inside to clients
            logger.exception("%s %s:%s failed", request_id, service, operation)
            return self._protocol(service).error(_internal(service), request_id)
        return response

    def _execute(
        self, found: Route, protocol: WireProtocol, request: Request, request_id: str
    ) -> tuple[Mapping[str, Any], int]:
        """The synchronous steps; returns the response document and the revision to wait for."""
        described = model.load(found.service)
        principal = self._authenticate(request, found.service, described.protocol)
        self._steps("sigv4")
        if found.operation not in described.operation_names:
            raise unknown_operation(described.protocol, found.operation)
        document = protocol.decode(found.operation, request)
        self._steps("decode")
        handler = self._operations.get(found.service, {}).get(found.operation)
        with self._store.transaction() as tx:
            call = self._call(tx, principal, request_id)
            self._authorize(call, found, document, request)
            self._steps("authorize")
            if handler is None:
                raise NotImplementedOperation(found.service, found.operation)
            response = handler(call, document)
        self._steps("handler")
        return response, self._store.revision

    async def _extension(self, request: Request, request_id: str) -> Response:
        """An answer that AWS has no operation for: signed and authorized like any other."""
        service, operation, handler = EXTENSIONS[request.path]
        try:
            if request.method != "GET":
                raise ApiError("UnknownOperationException", f"GET {request.path} is all there is.")
            principal = self._authenticate(request, service, "json")
            with self._store.transaction() as tx:
                call = self._call(tx, principal, request_id)
                self._authorize(call, Route(service, operation), {}, request)
                document = handler(call, dict(parse_qsl(request.query_string)))
            await self._store.durable(self._store.revision)
        except ApiError as error:
            return self._protocol(service).error(error, request_id)
        except Exception:  # outer edge, as in ``answer``
            logger.exception("%s %s failed", request_id, request.path)
            return self._protocol(service).error(_internal(service), request_id)
        return Response(200, json.dumps(document).encode(), {"content-type": "application/json"})

    def _call(self, tx: Transaction, principal: Principal, request_id: str) -> Call:
        return Call(
            tx=tx,
            now=self._clock(),
            principal=principal,
            platform=self._platform,
            request_id=request_id,
            ids=self._ids,
            arns=self._arns,
            sessions=self._sessions,
            vault=self._vault,
            logs=self._logs,
            objects=self._objects,
        )

    def _authorize(
        self, call: Call, found: Route, document: Mapping[str, Any], request: Request
    ) -> None:
        signing_name, *_ = model.SERVICES.get(found.service, (found.service,))
        asked = Asked(
            call=call,
            prefix=prefix_of(found.service, signing_name),
            operation=found.operation,
            document=document,
            headers=request.headers,
            source_ip=request.source_ip,
        )
        self._authorizer.check(found.service, asked)

    def _admit(
        self, principal: Principal, found: Route, document: Mapping[str, Any], request: Request
    ) -> None:
        """The authorization of what is no operation: a connection."""
        with self._store.transaction() as tx:
            call = self._call(tx, principal, str(uuid.uuid4()))
            self._authorize(call, found, document, request)

    def _authenticate(self, request: Request, service: str, protocol: str) -> Principal:
        signing_name = model.SERVICES[service][0]
        return self._authenticator.authenticate(request, signing_name, protocol, self._clock())

    def _protocol(self, service: str) -> WireProtocol:
        if service not in self._protocols:
            described = model.load(service)
            make = OWN_PROTOCOLS.get(service) or PROTOCOLS[described.protocol]
            self._protocols[service] = make(described)
        return self._protocols[service]

    # -- sessions -----------------------------------------------------------------------------

    def _create_channel(self, channel: Channel, request: Request, request_id: str) -> Response:
        """CreateControlChannel and CreateDataChannel, for agents."""
        try:
            opener = self._admit_channel(channel, f"Create{channel.operation}", request)
            token = self._sessionlink.create_channel(channel.kind, channel.id, opener.arn)
            return created(channel, token)
        except ApiError as error:
            logger.info("%s %s: %s", request_id, channel.id[:256], error)
            return refused(error)

    def _admit_channel(self, channel: Channel, operation: str, request: Request) -> Principal:
        now = self._clock()
        principal = self._authenticator.authenticate(request, SSM_MESSAGES, "rest-xml", now)
        self._admit(principal, Route(SSM_MESSAGES, operation), {}, request)
        return principal

    async def _serve_channel(
        self, channel: Channel, request: Request, websocket: AsgiWebSocket
    ) -> None:
        """An agent's handshake is signed; a client has nothing but its token."""
        signed = "authorization" in request.headers
        if signed or channel.kind == "control":
            self._admit_channel(channel, f"Open{channel.operation}", request)
        await websocket.accept()
        await self._sessionlink(channel.kind, channel.id, signed, websocket)

    # -- agents -------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = AsgiWebSocket(receive, send)
        request = read_head(scope)
        try:
            if (channel := channel_of(request)) is not None:
                await self._serve_channel(channel, request, websocket)
                return
            kind = self._admit_agent(scope["path"], request)
        except (ClientGone, ConnectionError):
            return
        except ApiError as error:
            logger.info("agent connection refused: %s", error)
            await websocket.close(1008)
            return
        try:
            await websocket.accept()
            await self._agentlink(kind, dict(parse_qsl(request.query_string)), websocket)
        except (ClientGone, ConnectionError):
            logger.info("agent connection of %s ended", scope.get("client"))

    def _admit_agent(self, path: str, request: Request) -> str:
        if path not in AGENT_PATHS:
            raise ApiError("UnknownOperationException", f"No agent connection at {path}.", 404)
        kind, operation = AGENT_PATHS[path]
        principal = self._authenticate(request, "ecs", "json")
        document = dict(parse_qsl(request.query_string))
        self._admit(principal, Route("ecs", operation), document, request)
        return kind


def unknown_operation(protocol: str, operation: str) -> ApiError:
    """The service has no such operation."""
    if protocol in ("query", "ec2"):
        return ApiError("InvalidAction", f"Could not find operation {operation[:128]}")
    text = f"The operation {operation[:128]!r} is unknown."
    return ApiError("UnknownOperationException", text)


def _internal(service: str) -> ApiError:
    code = {"ecs": "ServerException", "ec2": "InternalError"}.get(service, "InternalFailure")
    return ApiError(code, "An internal error occurred. Its trace is in Homeport's log.", 500)
