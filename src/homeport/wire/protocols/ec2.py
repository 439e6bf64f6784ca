"""The EC2 flavour of query: flattened lists, ``<OpResponse><requestId>``."""

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
from .query import xml_response
from .xml_encoder import XmlEncoder, element

CONTENT_TYPE = "text/xml;charset=UTF-8"


class Ec2Protocol:
    """ec2 for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._forms = FormDecoder(ec2=True)
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
        content = ""
        if shape is not None:
            content = self._xml.members(shape, list(shape.members))(document)
        text = (
            f"<{operation}Response{self._xmlns}>{element('requestId', request_id)}"
            f"{content}</{operation}Response>"
        )
        return xml_response(200, text, request_id, CONTENT_TYPE)

    def error(self, error: ApiError, request_id: str) -> Response:
        """``<Response><Errors><Error>…``."""
        inner = element("Code", error.code) + element("Message", error.message)
        text = (
            f"<Response><Errors><Error>{inner}</Error></Errors>"
            f"{element('RequestID', request_id)}</Response>"
        )
        return xml_response(error.status, text, request_id, CONTENT_TYPE)
