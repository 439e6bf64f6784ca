"""Without credentials there is ``/health`` and nothing else: every route is walked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from api_client import ENDPOINT, REGION, Api

from homeport import services
from homeport.gateway.app import AGENT_PATHS
from homeport.wire import model
from homeport.wire.http import Request, Response
from homeport.wire.sigv4 import codes_for


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


def unsigned(service: str, operation: str) -> Request:
    """A request as a client that has no credentials sends it."""
    described = model.load(service)
    _, target, version = model.SERVICES[service]
    headers = {"host": ENDPOINT.removeprefix("http://")}
    if described.protocol == "json":
        headers["content-type"] = "application/x-amz-json-1.1"
        headers["x-amz-target"] = f"{target}.{operation}"
        return Request("POST", "/", "", headers, b"{}")
    if described.protocol in ("query", "ec2"):
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        body = urlencode({"Action": operation, "Version": version}).encode()
        return Request("POST", "/", "", headers, body)
    http = described.operation(operation).http
    path, _, query = str(http["requestUri"]).partition("?")
    path = path.replace("{", "").replace("+}", "").replace("}", "")
    return Request(str(http["method"]), path, query, headers)


def answer(api: Api, request: Request) -> Response:
    return api.loop.run_until_complete(api.gateway.answer(request, "request-id"))


@pytest.mark.parametrize("service", list(services.OPERATIONS))
def test_no_operation_of_any_service_answers_an_unsigned_request(api: Api, service: str) -> None:
    revision = api.store.revision
    missing = codes_for(model.load(service).protocol).missing
    for operation in sorted(model.load(service).operation_names):
        response = answer(api, unsigned(service, operation))
        assert 400 <= response.status < 500, (operation, response)
        # S3's paths say nothing without the scope of a signature: there is no such operation then.
        told = any(code in response.body for code in (missing.encode(), b"UnknownOperation"))
        assert told or not response.body, (operation, response.body)  # an answer to HEAD has none
    assert api.store.revision == revision


@pytest.mark.parametrize("service", list(services.OPERATIONS))
def test_a_made_up_key_opens_nothing(api: Api, service: str) -> None:
    described = model.load(service)
    signing_name = model.SERVICES[service][0]
    scope = f"20260101/{REGION}/{signing_name}/aws4_request"
    signature = "0" * 64
    for operation in sorted(services.OPERATIONS[service]):
        request = unsigned(service, operation)
        authorization = (
            f"AWS4-HMAC-SHA256 Credential=AKIANOBODY/{scope}, SignedHeaders=host;x-amz-date, "
            f"Signature={signature}"
        )
        signed = dataclasses.replace(
            request,
            headers={
                **request.headers,
                "authorization": authorization,
                "x-amz-date": "20260101T000000Z",
            },
        )
        response = answer(api, signed)
        assert 400 <= response.status < 500, (operation, described.protocol, response)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/", "/health/", "/health/x", "/healthz", "//health", "/acs/ws", "/v2/", "/metrics"]
)
def test_no_other_path_answers(api: Api, method: str, path: str) -> None:
    status, body = http(api, method, path)
    assert 400 <= status < 500, (status, body)


def test_health_answers_and_says_nothing_but_that(api: Api) -> None:
    assert http(api, "GET", "/health") == (200, b"ok\n")


@pytest.mark.parametrize("path", [*AGENT_PATHS, "/", "/health", "/elsewhere"])
def test_no_agents_connection_is_taken(api: Api, path: str) -> None:
    sent = asgi(api, {"type": "websocket", "path": path, "method": "GET"})
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("path", ["/v1/control-channel/x", "/v1/data-channel/x"])
def test_no_channel_says_anything_to_a_stranger(api: Api, path: str) -> None:
    """A data channel's client begins with its token; without one it is closed unheard."""
    sent = asgi(api, {"type": "websocket", "path": path, "method": "GET"})
    assert sent[-1]["type"] == "websocket.close"
    assert not any("text" in message or "bytes" in message for message in sent)
    assert 400 <= http(api, "POST", path)[0] < 500


def http(api: Api, method: str, path: str) -> tuple[int, bytes]:
    sent = asgi(api, {"type": "http", "path": path, "method": method})
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def asgi(api: Api, scope: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b""},
        {"type": "http.disconnect"},
    ]
    if scope["type"] == "websocket":
        messages = [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "{}"},
            {"type": "websocket.disconnect"},
        ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(json.loads(json.dumps(message, default=repr)) | message)

    whole = {"query_string": b"", "headers": [(b"host", b"x")], **scope}
    api.loop.run_until_complete(api.gateway(whole, receive, send))
    return sent
