"""The paths of ssmmessages: signed by an agent, answered in XML; a client brings its token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from api_client import ENDPOINT, KEY, REGION, Api, scope_of
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from homeport.gateway.message_gateway import channel_of
from homeport.wire.http import Request

CONTROL = "/v1/control-channel/ecs%3Adefault_0_a"
DATA = "/v1/data-channel/ecs-execute-command-1"


class Channels:
    """Knows one session and one target; keeps the connections it was given."""

    def __init__(self) -> None:
        self.served: list[tuple[str, str, bool]] = []

    def create_channel(self, kind: str, identifier: str, opener: str) -> str | None:
        assert opener == KEY.principal_arn
        known = {"control": "ecs:default_0_a", "data": "ecs-execute-command-1"}
        return "<token&>" if known[kind] == identifier else None

    async def __call__(self, kind: str, identifier: str, signed: bool, websocket: Any) -> None:
        self.served.append((kind, identifier, signed))


class World:
    def __init__(self) -> None:
        self.channels = Channels()
        self.api = Api(sessionlink=self.channels)
        self.gateway = self.api.gateway

    def request(self, method: str, path: str, service: str | None) -> AWSRequest:
        body = json.dumps({"MessageSchemaVersion": "1.0", "RequestId": "r"}).encode()
        request = AWSRequest(
            method=method,
            url=ENDPOINT + path,
            data=body if method == "POST" else b"",
            headers={"Content-Type": "application/json"},
        )
        if service is not None:
            keys = Credentials(KEY.access_key_id, KEY.secret_access_key)
            SigV4Auth(keys, service, REGION).add_auth(request)
        return request

    def post(self, path: str, service: str | None = "ssmmessages") -> tuple[int, Any]:
        """Status and parsed XML of the answer."""
        request = self.request("POST", path, service)
        response = self.api.loop.run_until_complete(self._post(request))
        return response[0]["status"], ElementTree.fromstring(response[1]["body"])

    async def _post(self, request: AWSRequest) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": request.data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.gateway(scope_of(request.prepare()), receive, send)
        return sent

    def connect(self, path: str, service: str | None) -> list[Any]:
        """What the gateway sends on a websocket to ``path``."""
        scope = {**scope_of(self.request("GET", path, service).prepare()), "type": "websocket"}
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        self.api.loop.run_until_complete(asyncio.wait_for(self.gateway(scope, receive, send), 5))
        return sent


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.api.close()


@pytest.mark.parametrize("path", [CONTROL, DATA])
def test_a_signed_agent_is_given_a_token(world: World, path: str) -> None:
    status, answer = world.post(path)
    assert status == 201
    assert answer.findtext("TokenValue") == "<token&>"
    assert answer.findtext("MessageSchemaVersion") == "1.0"


@pytest.mark.parametrize("service", [None, "ecs"])
def test_without_a_signature_for_ssmmessages_there_is_none(
    world: World, service: str | None
) -> None:
    status, answer = world.post(DATA, service)
    assert status in (400, 403)
    assert answer.findtext("Message")
    assert answer.find("TokenValue") is None


def test_a_session_that_is_over_is_said_to_be(world: World) -> None:
    status, answer = world.post("/v1/data-channel/nope")
    assert (status, answer.tag) == (400, "ValidationException")
    assert answer.findtext("Message") == "Session is already terminated"


def test_an_agents_websocket_is_known_by_its_signature(world: World) -> None:
    assert world.connect(f"{CONTROL}?role=subscribe&stream=input", "ssmmessages")
    assert world.connect(f"{DATA}?role=publish_subscribe", "ssmmessages")
    assert world.channels.served == [
        ("control", "ecs:default_0_a", True),
        ("data", "ecs-execute-command-1", True),
    ]


def test_a_clients_websocket_has_only_its_token_to_come(world: World) -> None:
    world.connect(f"{DATA}?role=publish_subscribe", None)
    assert world.channels.served == [("data", "ecs-execute-command-1", False)]


@pytest.mark.parametrize("service", [None, "ecs"])
def test_nobody_opens_a_control_channel_without_a_signature(
    world: World, service: str | None
) -> None:
    assert world.connect(CONTROL, service) == [{"type": "websocket.close", "code": 1008}]
    assert world.channels.served == []


@pytest.mark.parametrize(
    "path", ["/v1/data-channel/", "/v1/data-channel/a/b", "/v2/data-channel/a", "/v1/x-channel/a"]
)
def test_other_paths_are_not_channels(path: str) -> None:
    assert channel_of(Request("GET", path, "", {})) is None
