"""The query protocol: form in, ``<OpResponse><OpResult>`` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.model import Service
from homeport.wire.shapes import Invalid

from .failures import invalid_to_error
from .form import FormDecoder, parse_form, to_tree
from .xml_encoder import XmlEncoder, element, namespace_attribute


class QueryProtocol:
    """query for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._forms = FormDecoder(ec2=False)
        self._xml = XmlEncoder()
        self._xmlns = f" xmlns={quoteattr(service.namespace)}" if service.namespace else ""

    def decode(self, operation: str, request: Request) -> dict[str, Any]:
        """The request's document."""
        shape = self._service.operation(operation).input_shape
        if shape is None:
            return {}
        try:
            document: dict[str, Any] = self._forms.decoder(shape)(to_tree(parse_form(request)))
        except Invalid as error:
            raise invalid_to_error(self._service, error) from None
        return document

    def encode(self, operation: str, document: Mapping[str, Any], request_id: str) -> Response:
        """The answer."""
        shape = self._service.operation(operation).output_shape
        result = ""
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
            writer = self._xml.writer(shape)
            body = writer(wrapper, document)
            result = body.replace(namespace_attribute(shape), "", 1)
        metadata = f"<ResponseMetadata>{element('RequestId', request_id)}</ResponseMetadata>"
        text = f"<{operation}Response{self._xmlns}>{result}{metadata}</{operation}Response>"
        return xml_response(200, text, request_id)

    def error(self, error: ApiError, request_id: str) -> Response:
        """``<ErrorResponse><Error>…``."""
        inner = (
            element("Type", error.fault)
            + element("Code", error.code)
            + element("Message", error.message)
        )
        text = (
            f"<ErrorResponse{self._xmlns}><Error>{inner}</Error>"
            f"{element('RequestId', request_id)}</ErrorResponse>"
        )
        return xml_response(error.status, text, request_id)


def xml_response(
    status: int, text: str, request_id: str, content_type: str = "text/xml"
) -> Response:
    """An XML body with the usual headers."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode("utf-8", "replace")
    headers = {"content-type": content_type, "x-amzn-requestid": request_id}
    return Response(status, body, headers)
