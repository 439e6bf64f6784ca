"""An error reaches every protocol's client as its code, message, status and request id."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import PROTOCOL_PARSERS

from homeport.gateway.app import PROTOCOLS
from homeport.wire.errors import ApiError, ServiceError
from homeport.wire.http import Request, Response
from homeport.wire.model import Service, from_description, load

SERVICE_OF = {"json": "ecs", "query": "elbv2", "ec2": "ec2", "rest-json": "appmesh"}
MESSAGES = ["What happened.", "", "<a> & \"b\" 'c'", "é 😹", "\x00 \x1b \ufffe \uffff", "a\r\nb"]
READABLE = dict.fromkeys((0, 0x1B, 0xFFFE, 0xFFFF), "\ufffd")


def service(protocol: str) -> Service:
    if protocol in SERVICE_OF:
        return load(SERVICE_OF[protocol])
    metadata = {"protocol": protocol, "endpointPrefix": "x", "apiVersion": "2020-01-01"}
    return from_description("x", {"metadata": metadata, "operations": {}, "shapes": {}})


def written(protocol: str, error: ApiError) -> Response:
    return PROTOCOLS[protocol](service(protocol)).error(error, "request-id")


def read(protocol: str, response: Response) -> dict[str, Any]:
    """As botocore reads it."""
    sent = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
        "context": {"operation_name": "Any"},
    }
    return PROTOCOL_PARSERS[protocol]().parse(sent, None)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("status", [400, 403, 404, 413, 500])
@pytest.mark.parametrize("message", MESSAGES)
def test_a_client_reads_the_error_that_was_raised(protocol: str, status: int, message: str) -> None:
    parsed = read(protocol, written(protocol, ApiError("SomeError", message, status)))
    xml = "json" not in protocol
    wanted = message.translate(READABLE) if xml else message
    given = parsed["Error"]["Message"] or ""  # botocore reads an empty element as None
    assert (parsed["Error"]["Code"], given) == ("SomeError", wanted)
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == status
    assert parsed["ResponseMetadata"]["RequestId"] == "request-id"


@pytest.mark.parametrize(("status", "fault"), [(400, "Sender"), (500, "Receiver")])
def test_the_xml_protocols_say_whose_fault_it_is(status: int, fault: str) -> None:
    for protocol in ("query", "rest-xml"):
        parsed = read(protocol, written(protocol, ApiError("SomeError", "x", status)))
        assert parsed["Error"]["Type"] == fault


def test_the_shapes_are_those_that_aws_documents() -> None:
    error = ApiError("SomeError", "Text.")
    body = json.loads(written("json", error).body)
    assert body == {"__type": "SomeError", "message": "Text."}
    assert written("rest-json", error).headers["x-amzn-errortype"] == "SomeError"
    paths = {
        "query": "./{*}Error/{*}Code",
        "rest-xml": "./{*}Error/{*}Code",
        "ec2": "./Errors/Error/Code",
    }
    for protocol, path in paths.items():
        document = ElementTree.fromstring(written(protocol, error).body)
        assert document.findtext(path) == "SomeError", protocol


def test_a_services_error_is_named_after_its_class() -> None:
    class ClusterNotFoundException(ServiceError):
        default_message = "Cluster not found."

    error = ClusterNotFoundException()
    assert (error.code, error.message, error.status) == (
        "ClusterNotFoundException",
        "Cluster not found.",
        400,
    )


FORM = "application/x-www-form-urlencoded"
BAD = [
    ("sts", b"Action=GetCallerIdentity&Version=2011-06-15&A.1=x&A.01=y", None),
    ("elbv2", b"Action=DescribeLoadBalancers&Version=2015-12-01&PageSize=1_0", "MalformedInput"),
    ("elbv2", "Action=DescribeTags&Version=2015-12-01&PageSize=١".encode(), "ValidationError"),
    (
        "elbv2",
        b"Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1=a&Names.member.01=b",
        None,
    ),
    ("ec2", b"Action=DescribeVpcs&Version=2016-11-15&VpcId.1=a&VpcId.01=b", None),
    ("ec2", b"Action=DescribeVpcs&Version=2016-11-15&MaxResults=%20%2010", "InvalidParameterValue"),
]


@pytest.mark.parametrize(("name", "body", "code"), BAD)
def test_an_odd_form_is_decoded_or_refused(name: str, body: bytes, code: str | None) -> None:
    described = load(name)
    protocol = PROTOCOLS[described.protocol](described)
    operation = body.decode().partition("&")[0].removeprefix("Action=")
    request = Request("POST", "/", "", {"content-type": FORM}, body)
    if code is None:
        assert isinstance(protocol.decode(operation, request), dict)
        return
    with pytest.raises(ApiError) as refused:
        protocol.decode(operation, request)
    assert refused.value.code == code
