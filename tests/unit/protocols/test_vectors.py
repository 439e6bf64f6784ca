"""Every protocol vector: requests are decoded to what was sent, answers mean what was answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import PROTOCOL_PARSERS
from vectors import Vector, comparable, to_values, vectors

from homeport.gateway.app import PROTOCOLS
from homeport.services import OPERATIONS
from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.model import SERVICES, from_description, load
from homeport.wire.rest_router import RestRoutes

ENDPOINT_WITH_PATH = "rest-json:RestJsonHostWithPath"
NO_BODY = "the vector has no body: it is about what the client does to one"
ABSENT = "an empty collection is not on the wire, so it can't be told from an absent one"
OWN_MEMBER = (
    "the map repeats what other members say; botocore sends those once, and they are decoded to"
    " their own member"
)
CLIENT_REFUSES = "botocore's own parser does not read it back (it is on botocore's ignore list)"

NOT_DECODED: dict[str, str] = {
    "ec2:SDKAppliedContentEncoding_ec2Query": NO_BODY,
    "ec2:SDKAppendsGzipAndIgnoresHttpProvidedEncoding_ec2Query": NO_BODY,
    "ec2:Ec2EmptyQueryLists": ABSENT,
    "json:SDKAppliedContentEncoding_awsJson1_1": NO_BODY,
    "json:SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": NO_BODY,
    "json_1_0:SDKAppliedContentEncoding_awsJson1_0": NO_BODY,
    "json_1_0:SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": NO_BODY,
    "query:SDKAppliedContentEncoding_awsQuery": NO_BODY,
    "query:SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": NO_BODY,
    "query:QueryEmptyQueryMaps": ABSENT,
    "rest-json:RestJsonAllQueryStringTypes": OWN_MEMBER,
    "rest-json:RestJsonQueryStringEscaping": OWN_MEMBER,
    "rest-json:RestJsonSupportsNaNFloatQueryValues": OWN_MEMBER,
    "rest-json:RestJsonSupportsInfinityFloatQueryValues": OWN_MEMBER,
    "rest-json:RestJsonSupportsNegativeInfinityFloatQueryValues": OWN_MEMBER,
    "rest-json:RestJsonZeroAndFalseQueryValues": OWN_MEMBER,
    "rest-json:RestJsonHttpPrefixHeadersAreNotPresent": ABSENT,
    "rest-json:MediaTypeHeaderInputBase64": (
        "a JSON header is decoded to its value, which is what botocore's users pass; the vector"
        " has its text"
    ),
    "rest-json:RestJsonOmitsEmptyListQueryValues": ABSENT,
    "rest-json:SDKAppliedContentEncoding_restJson1": NO_BODY,
    "rest-json:SDKAppendedGzipAfterProvidedEncoding_restJson1": NO_BODY,
    "rest-json:RestJsonQueryPrecedence": "the client drops the entry of the map that loses",
    "rest-json:RestJsonHttpWithEmptyStructurePayload": ABSENT,
    "rest-json:RestJsonHttpWithHeadersButNoPayload": ABSENT,
    "rest-xml:HttpPrefixHeadersAreNotPresent": ABSENT,
    "rest-xml:SDKAppliedContentEncoding_restXml": NO_BODY,
    "rest-xml:SDKAppendedGzipAfterProvidedEncoding_restXml": NO_BODY,
    "rest-xml:RestXmlQueryPrecedence": "the client drops the entry of the map that loses",
}
"""Input cases that are not decoded to their parameters, each with the reason."""

NOT_ENCODED: dict[str, str] = {
    "ec2:Ec2XmlLists": CLIENT_REFUSES,
    "query:QueryXmlLists": CLIENT_REFUSES,
    "rest-xml:XmlLists": CLIENT_REFUSES,
    "rest-json:RestJsonHttpPayloadTraitsWithNoBlobBody": CLIENT_REFUSES,
    "rest-json:RestJsonHttpPayloadWithUnsetUnion": CLIENT_REFUSES,
    "rest-xml:HttpPayloadTraitsWithNoBlobBody": CLIENT_REFUSES,
    "rest-xml:RestXmlHttpPayloadWithUnsetUnion": CLIENT_REFUSES,
    "rest-json:HttpPrefixHeadersResponse": "every header is a member; ours are there as well",
    "rest-json:RestJsonInputAndOutputWithQuotedStringHeaders": CLIENT_REFUSES,
    "rest-json:RestJsonInputAndOutputWithTimestampHeaders": CLIENT_REFUSES,
    "rest-xml:InputAndOutputWithTimestampHeaders": CLIENT_REFUSES,
}
"""Output cases whose encoding can't be read back by botocore, each with the reason. They are held
to the vector's own bytes all the same, unless they are in OTHERWISE too."""

UTC = "the same instant, in UTC: AWS answers in UTC only"
LENIENT = "a client is to overlook what no server sends"
NULL = "a null and an absent member are the same"
ROOT = "the root's name is the member's; no client reads it, and S3's own models disagree with it"
FLATTENED = (
    "items are named as botocore reads them (it ignores this case); no service here has such a list"
)

OTHERWISE: dict[str, str] = {
    "ec2:Ec2QueryDateTimeWithNegativeOffset": UTC,
    "ec2:Ec2QueryDateTimeWithPositiveOffset": UTC,
    "json:AwsJson11DateTimeWithNegativeOffset": UTC,
    "json:AwsJson11DateTimeWithPositiveOffset": UTC,
    "query:AwsQueryDateTimeWithNegativeOffset": UTC,
    "query:AwsQueryDateTimeWithPositiveOffset": UTC,
    "rest-json:RestJsonDateTimeWithNegativeOffset": UTC,
    "rest-json:RestJsonDateTimeWithPositiveOffset": UTC,
    "rest-xml:RestXmlDateTimeWithNegativeOffset": UTC,
    "rest-xml:RestXmlDateTimeWithPositiveOffset": UTC,
    "json:handles_unexpected_json_output": LENIENT,
    "json:AwsJson11DeserializeIgnoreType": LENIENT,
    "json_1_0:AwsJson10DeserializeIgnoreType": LENIENT,
    "json_1_0:AwsJson10HandlesUnexpectedJsonOutput": LENIENT,
    "rest-json:RestJsonDeserializeIgnoreType": LENIENT,
    "json:AwsJson11StructuresDontDeserializeNullValues": NULL,
    "json_1_0:AwsJson10DeserializeAllowNulls": NULL,
    "rest-json:RestJsonDeserializesDenseSetMapAndSkipsNull": NULL,
    "rest-json:RestJsonDoesntDeserializeNullStructureValues": NULL,
    "rest-json:MediaTypeHeaderOutputBase64": (
        "a JSON header is written from its value; the vector's result is its text"
    ),
    "rest-xml:BodyWithXmlName": (
        "the member has the name of its structure, as botocore reads it (it ignores this case)"
    ),
    "rest-xml:HttpPayloadWithXmlName": ROOT,
    "rest-xml:HttpPayloadWithXmlNamespace": ROOT,
    "rest-xml:HttpPayloadWithXmlNamespaceAndPrefix": ROOT,
    "rest-xml:RestXmlHttpPayloadWithUnion": ROOT,
    "rest-xml:XmlAttributesOnPayload": ROOT,
    "ec2:Ec2XmlEmptyLists": "its content type alone is without the charset of all others",
    "ec2:Ec2XmlLists": FLATTENED,
    "query:QueryXmlLists": FLATTENED,
    "rest-xml:XmlLists": FLATTENED,
}
"""Output cases that are encoded in other words than the vector's, each with the reason."""


def _cases(direction: str, excepted: dict[str, str]) -> list[Any]:
    return [
        pytest.param(vector, id=str(vector))
        for vector in vectors(direction)
        if str(vector) not in excepted
    ]


def request_of(vector: Vector) -> Request:
    sent = vector.case["serialized"]
    url = urlsplit(sent["uri"])
    headers = {k.lower(): v for k, v in sent.get("headers", {}).items()}
    return Request(
        sent.get("method", "POST"), url.path, url.query, headers, sent.get("body", "").encode()
    )


@pytest.mark.parametrize("vector", _cases("input", NOT_DECODED))
def test_a_request_is_decoded(vector: Vector) -> None:
    service = vector.service()
    protocol = PROTOCOLS[service.protocol](service)
    decoded = protocol.decode(vector.operation, request_of(vector))
    shape = service.operation(vector.operation).input_shape
    wanted = to_values(shape, vector.case["params"]) if shape else {}
    for name, member in shape.members.items() if shape else ():
        if member.metadata.get("idempotencyToken"):  # the client fills it in
            wanted.setdefault(name, "00000000-0000-4000-8000-000000000000")
    assert comparable(decoded) == comparable(wanted)


@pytest.mark.parametrize(
    "vector", [p for p in _cases("output", NOT_ENCODED) if "error" not in p.values[0].case]
)
def test_an_answer_is_encoded(vector: Vector) -> None:
    service = vector.service()
    model = service.operation(vector.operation)
    if service.protocol == "query" and model.output_shape and model.output_shape.members:
        model.output_shape.serialization["resultWrapper"] = f"{vector.operation}Result"
    wanted = to_values(model.output_shape, vector.case["result"])
    protocol = PROTOCOLS[service.protocol](service)
    response = protocol.encode(vector.operation, wanted, "request-id")
    parser = PROTOCOL_PARSERS[service.protocol]()
    parsed = parser.parse(
        {
            "status_code": response.status,
            "headers": HeadersDict(response.headers),
            "body": response.body,
            "context": {"operation_name": vector.operation},
        },
        model.output_shape,
    )
    parsed.pop("ResponseMetadata", None)
    assert response.status == vector.case["response"].get("status_code", 200)
    assert comparable(parsed) == comparable(wanted)


@pytest.mark.parametrize(
    "vector", [p for p in _cases("output", NOT_ENCODED) if "error" in p.values[0].case]
)
def test_an_error_is_encoded(vector: Vector) -> None:
    service = vector.service()
    protocol = PROTOCOLS[service.protocol](service)
    error = vector.case.get("errorCode", "SomeError")
    status = vector.case["response"].get("status_code", 400)
    response = protocol.error(ApiError(error, "What happened.", status), "request-id")
    parsed = PROTOCOL_PARSERS[service.protocol]().parse(
        {
            "status_code": response.status,
            "headers": HeadersDict(response.headers),
            "body": response.body,
            "context": {"operation_name": vector.operation},
        },
        None,
    )
    assert parsed["Error"] == {"Code": error, "Message": "What happened."} | (
        {"Type": parsed["Error"]["Type"]} if "Type" in parsed["Error"] else {}
    )


ANSWERS = [v for v in vectors("output") if "error" not in v.case]


@pytest.mark.parametrize("vector", [pytest.param(v, id=str(v)) for v in ANSWERS])
def test_an_answer_is_the_vectors_in_status_headers_and_body(vector: Vector) -> None:
    service = vector.service()
    shape = service.operation(vector.operation).output_shape
    wanted = answer_of(vector)
    request_id = wanted.headers.get("x-amzn-requestid", "request-id")
    document = to_values(shape, vector.case["result"])
    response = PROTOCOLS[service.protocol](service).encode(vector.operation, document, request_id)
    assert response.status == wanted.status
    differing = {
        name: response.headers.get(name)
        for name, value in wanted.headers.items()
        if response.headers.get(name) != value
    }
    alike = meaning(response.body) == meaning(wanted.body) or not wanted.body
    reason = OTHERWISE.get(str(vector))
    assert (alike and not differing) == (reason is None), reason or (differing, response.body)


def answer_of(vector: Vector) -> Response:
    """The vector's answer. ``x-amz-target`` is a request's header that one case has by mistake."""
    sent = vector.case["response"]
    headers = {k.lower(): v for k, v in sent.get("headers", {}).items()}
    headers = {k: v for k, v in headers.items() if k not in ("content-length", "x-amz-target")}
    return Response(sent.get("status_code", 200), sent.get("body", "").encode(), headers)


def meaning(body: bytes) -> Any:
    """JSON's value; XML without what carries the request id, namespaces, layout and order."""
    if body.lstrip()[:1] == b"<":
        return _canonical(ElementTree.fromstring(body.strip()))
    try:
        return json.loads(body)
    except ValueError:
        return body


REQUEST_ID = {"ResponseMetadata", "requestId"}


def _canonical(element: ElementTree.Element) -> Any:
    children = [_canonical(c) for c in element if _local(c.tag) not in REQUEST_ID]
    attributes = sorted((_local(name), value) for name, value in element.attrib.items())
    text = (element.text or "") if len(element) == 0 else ""
    return _local(element.tag), attributes, text.strip("\n "), sorted(children, key=repr)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def test_no_service_depends_on_how_a_flattened_list_is_named() -> None:
    """Where the vectors (OTHERWISE, FLATTENED) and botocore read one differently."""
    for name in SERVICES:
        service = load(name)
        if service.protocol in ("json", "rest-json"):
            continue
        served = OPERATIONS.get(name, {}) if name == "s3" else service.operation_names
        outputs = [service.operation(o).output_shape for o in served]
        for shape in _shapes_below([shape for shape in outputs if shape is not None]):
            if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
                assert "name" not in shape.member.serialization, (name, shape)


def _shapes_below(shapes: list[Shape]) -> Iterator[Shape]:
    seen: set[str] = set()
    while shapes:
        shape = shapes.pop()
        yield shape
        if shape.name in seen:
            continue
        seen.add(shape.name)
        if isinstance(shape, StructureShape):
            shapes.extend(shape.members.values())
        elif isinstance(shape, ListShape):
            shapes.append(shape.member)
        elif isinstance(shape, MapShape):
            shapes.append(shape.value)


@pytest.mark.parametrize(
    "vector",
    [
        p
        for p in _cases("input", {ENDPOINT_WITH_PATH: "an endpoint below a path"})
        if p.values[0].file.startswith("rest")
    ],
)
def test_a_rest_request_is_routed_to_its_operation(vector: Vector) -> None:
    request = request_of(vector)
    routes = RestRoutes(vector.service())
    assert routes.match(request.method, request.path, request.query_string) == vector.operation


def test_exceptions_name_cases_that_exist() -> None:
    assert NOT_DECODED.keys() <= {str(v) for v in vectors("input")}
    assert NOT_ENCODED.keys() <= {str(v) for v in vectors("output")}
    assert OTHERWISE.keys() <= {str(v) for v in vectors("output")}


@pytest.mark.parametrize("protocol", ["rest-json", "rest-xml"])
def test_a_required_structure_that_is_the_body_can_not_be_left_out(protocol: str) -> None:
    payload = {"type": "structure", "members": {"A": {"shape": "Text"}}}
    whole = {
        "type": "structure",
        "members": {"Payload": {"shape": "Payload"}},
        "payload": "Payload",
        "required": ["Payload"],
    }
    operation = {
        "name": "Put",
        "http": {"method": "PUT", "requestUri": "/"},
        "input": {"shape": "Whole"},
    }
    description = {
        "metadata": {"protocol": protocol, "endpointPrefix": "x", "apiVersion": "1"},
        "operations": {"Put": operation},
        "shapes": {"Whole": whole, "Payload": payload, "Text": {"type": "string"}},
    }
    service = from_description("x", description)
    decoder = PROTOCOLS[protocol](service)
    with pytest.raises(ApiError) as refused:
        decoder.decode("Put", Request("PUT", "/", "", {}, b""))
    assert "Payload" in refused.value.message
    body = b'{"A": "a"}' if protocol == "rest-json" else b"<Payload><A>a</A></Payload>"
    assert decoder.decode("Put", Request("PUT", "/", "", {}, body)) == {"Payload": {"A": "a"}}
