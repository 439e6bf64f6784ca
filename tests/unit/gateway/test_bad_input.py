"""Bad input gets AWS's error shape and a 4xx; never a 500, never a trace, never a stored record."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from api_client import ENDPOINT, KEY, PLATFORM, REGION, Api
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from request_maker import Maker, mutated

from homeport.services import OPERATIONS
from homeport.wire import model
from homeport.wire.http import Request, Response

TARGET = "AmazonEC2ContainerServiceV20141113"
FUZZED_REQUESTS = 10_000


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    api = Api()
    api.client("ecs").create_cluster()
    yield api
    api.close()


def send(api: Api, headers: dict[str, str], body: bytes, service: str = "ecs") -> Response:
    """A correctly signed request, whatever it says."""
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", data=body, headers=headers)
    credentials = Credentials(KEY.access_key_id, KEY.secret_access_key)
    SigV4Auth(credentials, model.SERVICES[service][0], REGION).add_auth(request)
    received = {k.lower(): v for k, v in request.headers.items()}
    return answer(api, Request("POST", "/", "", {"host": "127.0.0.1:4566", **received}, body))


def answer(api: Api, request: Request) -> Response:
    return api.loop.run_until_complete(api.gateway.answer(request, "request-id"))


def ecs(api: Api, operation: str, body: bytes) -> Response:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{TARGET}.{operation}",
    }
    return send(api, headers, body)


def form(api: Api, service: str, body: bytes) -> Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return send(api, headers, body, service)


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


def test_ten_thousand_fuzzed_requests_give_no_500(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Valid requests made from the models, then damaged; signed, so that they get through."""
    chance = random.Random(20_261_121)
    api = Api()
    operations = [(service, name) for service in OPERATIONS for name in sorted(OPERATIONS[service])]
    makers = {service: Maker(model.load(service), chance, PLATFORM) for service in OPERATIONS}
    seen: dict[int, int] = {}
    with caplog.at_level(logging.WARNING):
        for number in range(FUZZED_REQUESTS):
            service, name = operations[number % len(operations)]
            headers, body = makers[service].request(name)
            if chance.random() < 0.7:
                body = mutated(chance, body)
            response = send(api, headers, body, service)
            seen[response.status] = seen.get(response.status, 0) + 1
            assert response.status < 500, (service, name, body, response.body)
            assert b"Traceback" not in response.body
    assert not [r for r in caplog.records if r.exc_info], caplog.text
    assert seen[200] > 100, "some requests are valid, or this tests nothing"
    api.close()
