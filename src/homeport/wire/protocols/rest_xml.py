"""rest-xml: path, query string and headers carry members, the rest is an XML body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from botocore.model import Shape

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.model import Service
from homeport.wire.shapes import Invalid, missing

from .failures import invalid_to_error
from .rest import (
    RequestBinding,
    ResponseBinding,
    is_structure,
    payload_bytes,
    scalar_payload,
)
from .xml_decoder import XmlDecoder, parse_xml
from .xml_encoder import XmlEncoder, element, namespace_attribute

CONTENT_TYPE = "application/xml"


class RestXmlProtocol:
    """rest-xml for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._decoder = XmlDecoder()
        self._encoder = XmlEncoder()
        self._requests: dict[str, RequestBinding] = {}
        self._responses: dict[str, ResponseBinding] = {}

    def decode(self, operation: str, request: Request) -> dict[str, Any]:
        """The request's document."""
        model = self._service.operation(operation)
        shape: Any = model.input_shape
        if operation not in self._requests:
            self._requests[operation] = RequestBinding(model)
        binding = self._requests[operation]
        try:
            document = binding.read(request)
            if binding.payload is not None:
                self._read_payload(shape, binding.payload, request.body, document)
            elif binding.body_members and request.body:
                read = self._decoder.members(shape, binding.body_members)
                document |= read(parse_xml(request.body))
        except Invalid as error:
            raise invalid_to_error(self._service, error) from None
        return document

    def _read_payload(self, shape: Any, name: str, body: bytes, document: dict[str, Any]) -> None:
        member = shape.members[name]
        if not body:
            if name in shape.required_members and is_structure(member):
                raise missing(name)
            return
        if is_structure(member):
            try:
                value = self._decoder.reader(member)(parse_xml(body))
            except Invalid as error:
                raise error.at(name) from None
        else:
            value = scalar_payload(member, body)
        document[name] = value

    def encode(self, operation: str, document: Mapping[str, Any], request_id: str) -> Response:
        """The answer."""
        model = self._service.operation(operation)
        if operation not in self._responses:
            self._responses[operation] = ResponseBinding(model)
        binding = self._responses[operation]
        headers = {"content-type": CONTENT_TYPE, "x-amzn-requestid": request_id}
        headers |= binding.headers(document)
        body = b""
        if binding.payload is not None:
            body = self._payload(model.output_shape, binding.payload, document, headers)
        elif binding.body_members:
            body = self._body(model.output_shape, binding, document)
        return Response(binding.status_of(document), body, headers)

    def _body(self, shape: Any, binding: ResponseBinding, document: Mapping[str, Any]) -> bytes:
        name = shape.serialization.get("name", shape.name)
        namespace = self._namespace(shape)
        part = binding.body_part(document)
        content = self._encoder.members(shape, binding.body_members)(part)
        attributes = self._encoder.attributes(shape)(part)
        return f"<{name}{namespace}{attributes}>{content}</{name}>".encode()

    def _payload(
        self, shape: Any, name: str, document: Mapping[str, Any], headers: dict[str, str]
    ) -> bytes:
        member, value = shape.members[name], document.get(name)
        if value is None:
            return b""
        if is_structure(member):
            root = str(member.serialization.get("name", name))
            return self._encoder.writer(member)(root, value).encode()
        blob = member.type_name == "blob"
        headers["content-type"] = "application/octet-stream" if blob else "text/plain"
        return payload_bytes(value)

    def _namespace(self, shape: Shape) -> str:
        own = namespace_attribute(shape)
        if own or not self._service.namespace:
            return own
        return f" xmlns={quoteattr(self._service.namespace)}"

    def error(self, error: ApiError, request_id: str) -> Response:
        """``<ErrorResponse><Error>…``."""
        inner = (
            element("Type", error.fault)
            + element("Code", error.code)
            + element("Message", error.message)
        )
        text = (
            f"<ErrorResponse><Error>{inner}</Error>"
            f"{element('RequestId', request_id)}</ErrorResponse>"
        )
        headers = {"content-type": CONTENT_TYPE, "x-amzn-requestid": request_id}
        return Response(error.status, text.encode("utf-8", "replace"), headers)
