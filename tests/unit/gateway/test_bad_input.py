"""Bad input gets AWS's error shape and a 4xx; never a 500, never a trace, never a stored record."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from api_client import ENDPOINT, KEY, REGION, Api
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from homeport.wire import model
from homeport.wire.http import Request, Response

TARGET = "AmazonEC2ContainerServiceV20141113"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    api = Api()
    api.client("ecs").create_cluster()
    yield api
    api.close()


def signed(
    headers: dict[str, str], body: bytes, service: str, credentials: Credentials | None = None
) -> Request:
    """A request signed by botocore, whatever it says."""
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", data=body, headers=headers)
    credentials = credentials or Credentials(KEY.access_key_id, KEY.secret_access_key)
    SigV4Auth(credentials, model.SERVICES[service][0], REGION).add_auth(request)
    received = {k.lower(): v for k, v in request.headers.items()}
    return Request("POST", "/", "", {"host": "127.0.0.1:4566", **received}, body)


def send(api: Api, headers: dict[str, str], body: bytes, service: str = "ecs") -> Response:
    return answer(api, signed(headers, body, service))


def answer(api: Api, request: Request) -> Response:
    return api.loop.run_until_complete(api.gateway.answer(request, "request-id"))


def ecs(api: Api, operation: str, body: bytes) -> Response:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{TARGET}.{operation}",
    }
    return send(api, headers, body)


def form(api: Api, service: str, body: bytes) -> Response:
    return send(api, FORM, body, service)


def json_error(response: Response) -> tuple[int, str, str]:
    document = json.loads(response.body)
    return response.status, document["__type"], document["message"]


def xml_error(response: Response) -> tuple[int, str, str]:
    root = ElementTree.fromstring(response.body)
    found = {e.tag.rpartition("}")[2]: e.text or "" for e in root.iter()}
    return response.status, found["Code"], found["Message"]


@pytest.mark.parametrize(
    ("operation", "body", "code", "word"),
    [
        ("NoSuchOperation", b"{}", "UnknownOperationException", "NoSuchOperation"),
        ("ListTasks", b"{", "SerializationException", "JSON"),
        ("ListTasks", b"[]", "SerializationException", "structure"),
        ("ListTasks", b"\xff\xfe", "SerializationException", "JSON"),
        ("ListTasks", b"[" * 100_000, "SerializationException", "nested"),
        ("ListTasks", b'{"maxResults": "ten"}', "SerializationException", "maxResults"),
        ("ListTasks", b'{"maxResults": 1e30}', "SerializationException", "maxResults"),
        ("ListTasks", b'{"cluster": {"a": 1}}', "SerializationException", "cluster"),
        ("DescribeTasks", b"{}", "InvalidParameterException", "tasks"),
        ("DescribeTasks", b'{"tasks": "x"}', "SerializationException", "tasks"),
        ("DescribeTasks", b'{"tasks": [null]}', "InvalidParameterException", "tasks"),
        ("RunTask", b'{"taskDefinition": "x", "count": -1}', "InvalidParameterException", "count"),
        ("CreateCluster", b'{"clusterName": "a b"}', "InvalidParameterException", "clusterName"),
        (
            "CreateCluster",
            json.dumps({"clusterName": "x" * 100_000}).encode(),
            "InvalidParameterException",
            "clusterName",
        ),
        (
            "RegisterTaskDefinition",
            b'{"family": "x", "containerDefinitions": [{"name": 5}]}',
            "SerializationException",
            "containerDefinitions.0.name",
        ),
    ],
)
def test_a_wrong_json_request_names_what_is_wrong(
    api: Api, operation: str, body: bytes, code: str, word: str
) -> None:
    revision = api.store.revision
    status, given, message = json_error(ecs(api, operation, body))
    assert (status, given, word in message) == (400, code, True), message
    assert api.store.revision == revision


@pytest.mark.parametrize(
    ("service", "body", "code", "word"),
    [
        ("elbv2", b"Action=NoSuch&Version=2015-12-01", "InvalidAction", "NoSuch"),
        ("elbv2", b"Action=CreateRule&Version=2015-12-01", "ValidationError", "ListenerArn"),
        (
            "elbv2",
            b"Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=x",
            "MalformedInput",
            "PageSize",
        ),
        (
            "elbv2",
            b"Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=100000",
            "ValidationError",
            "PageSize",
        ),
        (
            "elbv2",
            b"Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.x=a",
            "MalformedInput",
            "Names",
        ),
        ("ec2", b"Action=NoSuch&Version=2016-11-15", "InvalidAction", "NoSuch"),
        (
            "ec2",
            b"Action=CreateSecurityGroup&Version=2016-11-15",
            "MissingParameter",
            "Description",
        ),
        (
            "ec2",
            b"Action=DescribeVpcs&Version=2016-11-15&DryRun=maybe",
            "InvalidParameterValue",
            "DryRun",
        ),
    ],
)
def test_a_wrong_form_names_what_is_wrong(
    api: Api, service: str, body: bytes, code: str, word: str
) -> None:
    revision = api.store.revision
    status, given, message = xml_error(form(api, service, body))
    assert (given, word in message) == (code, True), message
    assert 400 <= status < 500
    assert api.store.revision == revision


def test_unsigned_and_badly_signed_requests_are_refused(api: Api) -> None:
    headers = {"host": "x", "x-amz-target": f"{TARGET}.ListTasks"}
    status, code, _ = json_error(answer(api, Request("POST", "/", "", headers, b"{}")))
    assert (status, code) == (403, "MissingAuthenticationTokenException")
    headers["authorization"] = "AWS4-HMAC-SHA256 nonsense"
    status, code, _ = json_error(answer(api, Request("POST", "/", "", headers, b"{}")))
    assert (status, code) == (403, "IncompleteSignatureException")


LISTING = {
    "ecs": ({"X-Amz-Target": f"{TARGET}.ListTasks"}, b"{}"),
    "elbv2": (FORM, b"Action=DescribeLoadBalancers&Version=2015-12-01"),
    "ec2": (FORM, b"Action=DescribeVpcs&Version=2016-11-15"),
    "sts": (FORM, b"Action=GetCallerIdentity&Version=2011-06-15"),
}
"""A request that is accepted, for each service."""


def listing(service: str, secret: str = KEY.secret_access_key, key: str = KEY.access_key_id) -> Any:
    headers, body = LISTING[service]
    return signed(headers, body, service, Credentials(key, secret))


def any_error(response: Response) -> tuple[int, str, str]:
    return json_error(response) if response.body[:1] == b"{" else xml_error(response)


@pytest.mark.parametrize(
    ("service", "unknown", "wrong"),
    [
        ("ecs", "UnrecognizedClientException", "InvalidSignatureException"),
        ("elbv2", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("ec2", "AuthFailure", "SignatureDoesNotMatch"),
        ("sts", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_signature_is_refused_in_the_services_words(
    api: Api, service: str, unknown: str, wrong: str
) -> None:
    assert answer(api, listing(service)).status == 200
    status, code, _ = any_error(answer(api, listing(service, key="AKIANOBODY")))
    assert (400 <= status < 500, code) == (True, unknown)
    request = listing(service)
    tampered = dataclasses.replace(request, body=request.body + b"&A=b")
    other_query = dataclasses.replace(request, query_string="a=b")
    for refused in (listing(service, secret="wrong"), tampered, other_query):
        assert any_error(answer(api, refused))[:2] == (403, wrong)


@pytest.mark.parametrize("service", sorted(LISTING))
@pytest.mark.parametrize(("skew", "word"), [(1000.0, "expired"), (-1000.0, "not yet current")])
def test_a_clock_that_is_off_is_refused_and_told_so(service: str, skew: float, word: str) -> None:
    api = Api(clock=lambda: time.time() + skew)
    status, code, message = any_error(answer(api, listing(service)))
    expected = "InvalidSignatureException" if service == "ecs" else "SignatureDoesNotMatch"
    assert (status, code, word in message) == (403, expected, True), message
    api.close()


@pytest.mark.parametrize(
    ("headers", "query", "body", "status", "code"),
    [
        (FORM, "", b"Action=X&Version=1999-01-01", 400, "InvalidAction"),
        (FORM, "", b"Version=2015-12-01", 400, "MissingAction"),
        (FORM, "", b"Action=%ff%fe&Version=\xff", 404, "MalformedQueryString"),
        (FORM, "", b"&".join([b"a=b"] * 10_001), 404, "MalformedQueryString"),
        ({}, "Action=X&Version=1999-01-01", b"", 400, "InvalidAction"),
    ],
)
def test_a_form_for_no_service_is_refused_in_xml(
    api: Api, headers: dict[str, str], query: str, body: bytes, status: int, code: str
) -> None:
    received = {k.lower(): v for k, v in headers.items()}
    request = Request("POST" if headers else "GET", "/", query, received, body)
    assert xml_error(answer(api, request))[:2] == (status, code)


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        ([(b"x-amz-target", TARGET.encode() + b".ListTasks")], json_error),
        ([(b"content-type", b"application/x-www-form-urlencoded")], xml_error),
    ],
)
def test_a_body_that_is_too_large_is_refused_in_the_clients_own_shape(
    api: Api, headers: list[tuple[bytes, bytes]], read: Any
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    api.loop.run_until_complete(api.gateway(scope, receive, send))
    response = Response(sent[0]["status"], sent[1]["body"])
    assert read(response)[:2] == (413, "RequestEntityTooLargeException")


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    from homeport.gateway.asgi import MAX_BODY_BYTES, read_body
    from homeport.wire.errors import ApiError

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    api = Api()
    with pytest.raises(ApiError) as refused:
        api.loop.run_until_complete(read_body(receive))
    assert refused.value.status == 413
    assert MAX_BODY_BYTES == 8 * 1024 * 1024
    api.close()
