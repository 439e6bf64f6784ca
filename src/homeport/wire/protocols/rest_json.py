"""rest-json: path, query string and headers carry members, the rest is a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.model import Service
from homeport.wire.shapes import Invalid, missing

from .failures import invalid_to_error
from .json import JsonCodec, parse_json
from .rest import (
    RequestBinding,
    ResponseBinding,
    is_structure,
    payload_bytes,
    scalar_payload,
)

CONTENT_TYPE = "application/json"


class RestJsonProtocol:
    """rest-json for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._codec = JsonCodec()
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
            elif binding.body_members:
                decode = self._codec.structure_decoder(shape, binding.body_members)
                document |= decode(parse_json(request.body))
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
                value = self._codec.decoder(member)(parse_json(body))
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
        elif model.output_shape is not None:
            encode = self._codec.structure_encoder(model.output_shape, binding.body_members)
            body = msgspec.json.encode(encode(binding.body_part(document)))
        return Response(binding.status_of(document), body, headers)

    def _payload(
        self, shape: Any, name: str, document: Mapping[str, Any], headers: dict[str, str]
    ) -> bytes:
        member, value = shape.members[name], document.get(name)
        if value is None:
            return b""
        if is_structure(member):
            encode = self._codec.encoder(member)
            return msgspec.json.encode(encode(value) if encode else value)
        blob = member.type_name == "blob"
        headers["content-type"] = "application/octet-stream" if blob else "text/plain"
        return payload_bytes(value)

    def error(self, error: ApiError, request_id: str) -> Response:
        """``x-amzn-errortype`` and ``{"message": TEXT}``."""
        headers = {
            "content-type": CONTENT_TYPE,
            "x-amzn-requestid": request_id,
            "x-amzn-errortype": error.code,
        }
        return Response(error.status, msgspec.json.encode({"message": error.message}), headers)
