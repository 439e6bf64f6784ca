"""S3's rest-xml: what its model does not say.

Buckets in host names, aws-chunked bodies, errors without an envelope, a location that is the root
element's text, partial answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from homeport.wire import aws_chunked
from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.s3_addressing import path_style

from .rest import ResponseBinding
from .rest_xml import CONTENT_TYPE, RestXmlProtocol
from .xml_encoder import element

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
ROOTS = {
    "ListBucketsOutput": "ListAllMyBucketsResult",
    "ListObjectsOutput": "ListBucketResult",
    "ListObjectsV2Output": "ListBucketResult",
    "DeleteObjectsOutput": "DeleteResult",
}


# What S3 calls what every service here can refuse.
CODES = {
    "InternalFailure": "InternalError",
    "NotImplementedException": "NotImplemented",
    "RequestEntityTooLargeException": "EntityTooLarge",
    "UnknownOperationException": "MethodNotAllowed",
}


class S3Protocol(RestXmlProtocol):
    """rest-xml as S3 speaks it."""

    def decode(self, operation: str, request: Request) -> dict[str, Any]:
        """The request's document; a body in chunks is put together first."""
        return super().decode(operation, unchunked(path_style(request)))

    def encode(self, operation: str, document: Mapping[str, Any], request_id: str) -> Response:
        """The answer."""
        if operation == "GetBucketLocation":
            return self._location(document, request_id)
        response = super().encode(operation, document, request_id)
        response.headers["x-amz-request-id"] = request_id
        if document.get("ContentType"):
            response.headers["content-type"] = str(document["ContentType"])
        status = 206 if document.get("ContentRange") else response.status
        return Response(status, response.body, response.headers)

    def _location(self, document: Mapping[str, Any], request_id: str) -> Response:
        place = escape(str(document.get("LocationConstraint") or ""))
        body = f'<LocationConstraint xmlns="{NAMESPACE}">{place}</LocationConstraint>'
        return Response(200, body.encode(), _headers(request_id))

    def _body(self, shape: Any, binding: ResponseBinding, document: Mapping[str, Any]) -> bytes:
        name = ROOTS.get(shape.name, shape.name)
        content = self._encoder.members(shape, binding.body_members)(binding.body_part(document))
        return f'<{name} xmlns="{NAMESPACE}">{content}</{name}>'.encode()

    def error(self, error: ApiError, request_id: str) -> Response:
        """``<Error>`` alone."""
        inner = (
            element("Code", CODES.get(error.code, error.code))
            + element("Message", error.message)
            + element("RequestId", request_id)
        )
        body = b"" if error.status == 304 else f"<Error>{inner}</Error>".encode("utf-8", "replace")
        return Response(error.status, body, _headers(request_id))


def unchunked(request: Request) -> Request:
    """The request with its body whole and its trailing headers among the others."""
    if not aws_chunked.is_streaming(request.headers.get("x-amz-content-sha256")):
        return request
    chunked = aws_chunked.read(request.body)
    content = chunked.content
    declared = request.headers.get("x-amz-decoded-content-length")
    if declared is not None and declared != str(len(content)):
        raise ApiError(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        )
    encodings = request.headers.get("content-encoding", "").split(",")
    kept = ",".join(e for e in encodings if e.strip() not in ("", "aws-chunked"))
    headers = {**chunked.trailers, **request.headers, "content-encoding": kept}
    if not kept:
        del headers["content-encoding"]
    headers["content-length"] = str(len(content))
    return replace(request, headers=headers, body=content)


def _headers(request_id: str) -> dict[str, str]:
    return {
        "content-type": CONTENT_TYPE,
        "x-amzn-requestid": request_id,
        "x-amz-request-id": request_id,
    }
