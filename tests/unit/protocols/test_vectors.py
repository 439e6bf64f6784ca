"""Every protocol vector: requests are decoded to what was sent, answers mean what was answered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import PROTOCOL_PARSERS
from vectors import Vector, comparable, to_values, vectors

from homeport.gateway.app import PROTOCOLS
from homeport.wire.errors import ApiError
from homeport.wire.http import Request
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
"""Output cases whose encoding can't be read back by botocore, each with the reason; where they
are about headers, the headers are compared with the vector's."""


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


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=str(v)) for v in vectors("output") if str(v) in NOT_ENCODED]
)
def test_headers_are_written_as_in_the_vector(vector: Vector) -> None:
    service = vector.service()
    shape = service.operation(vector.operation).output_shape
    document = to_values(shape, vector.case["result"])
    response = PROTOCOLS[service.protocol](service).encode(vector.operation, document, "id")
    wanted = {k.lower(): v for k, v in vector.case["response"].get("headers", {}).items()}
    for ours in ("content-type", "content-length"):
        wanted.pop(ours, None)
    assert wanted.items() <= response.headers.items()


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
