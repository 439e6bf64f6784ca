"""awsJson 1.0 and 1.1: POST /, ``X-Amz-Target``, JSON both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response
from homeport.wire.model import Service
from homeport.wire.shapes import (
    INTEGER_BITS,
    MAX_NESTING,
    Decoder,
    Encoder,
    Invalid,
    blob_text,
    bounded,
    check_length,
    decode_blob,
    epoch,
    from_epoch,
    missing,
    text_timestamp,
    timestamp_text,
    wrong_type,
)

from .failures import invalid_to_error
from .typed import LARGE_BYTES, Typed, typed_decoder

_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[{]}")


class JsonCodec:
    """Compiles shapes to closures, once per shape; shared by json and rest-json."""

    def __init__(self) -> None:
        self._decoders: dict[str, Decoder] = {}
        self._encoders: dict[str, Encoder | None] = {}

    # -- decoding ---------------------------------------------------------------------------

    def decoder(self, shape: Shape) -> Decoder:
        """The decoder of a shape."""
        key = _key(shape)
        if key not in self._decoders:
            # A recursive shape finds this forward reference while it is being compiled.
            self._decoders[key] = lambda value: self._decoders[key](value)
            self._decoders[key] = self._compile_decoder(shape)
        return self._decoders[key]

    def _compile_decoder(self, shape: Shape) -> Decoder:
        if isinstance(shape, StructureShape):
            if getattr(shape, "is_document_type", False):
                return lambda value: value
            return self.structure_decoder(shape, list(shape.members))
        if isinstance(shape, ListShape):
            return _list_decoder(self.decoder(shape.member), check_length(shape))
        if isinstance(shape, MapShape):
            return _map_decoder(self.decoder(shape.value), check_length(shape))
        return _checked(_scalar_decoder(shape), check_length(shape))

    def structure_decoder(self, shape: StructureShape, names: list[str]) -> Decoder:
        """The decoder of a structure restricted to these members."""
        members = {_wire_name(shape, n): (n, self.decoder(shape.members[n])) for n in names}
        required = [n for n in shape.required_members if n in names]

        def decode(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise wrong_type("a structure", value)
            document: dict[str, Any] = {}
            for wire_name, item in value.items():
                member = members.get(wire_name)
                if member is None or item is None:
                    continue
                try:
                    document[member[0]] = member[1](item)
                except Invalid as error:
                    raise error.at(member[0]) from None
            for name in required:
                if name not in document:
                    raise missing(name)
            return document

        return decode

    # -- encoding ---------------------------------------------------------------------------

    def encoder(self, shape: Shape) -> Encoder | None:
        """The encoder of a shape; None when values go out as they are."""
        key = _key(shape)
        if key not in self._encoders:
            self._encoders[key] = lambda value: _apply(self._encoders[key], value)
            self._encoders[key] = self._compile_encoder(shape)
        return self._encoders[key]

    def _compile_encoder(self, shape: Shape) -> Encoder | None:
        if isinstance(shape, StructureShape):
            if getattr(shape, "is_document_type", False):
                return None
            return self.structure_encoder(shape, list(shape.members))
        if isinstance(shape, ListShape):
            return _list_encoder(self.encoder(shape.member))
        if isinstance(shape, MapShape):
            return _map_encoder(self.encoder(shape.value))
        return _scalar_encoder(shape)

    def structure_encoder(self, shape: StructureShape, names: list[str]) -> Encoder:
        """The encoder of a structure restricted to these members; others are an error of ours."""
        members = {n: (_wire_name(shape, n), self.encoder(shape.members[n])) for n in names}

        def encode(value: Mapping[str, Any]) -> dict[str, Any]:
            document = {}
            for name, item in value.items():
                if item is None:
                    continue
                wire_name, encoder = members[name]
                document[wire_name] = item if encoder is None else encoder(item)
            return document

        return encode


def _key(shape: Shape) -> str:
    # A member reference may carry its own timestampFormat.
    return f"{shape.name}/{shape.serialization.get('timestampFormat', '')}"


def _wire_name(shape: StructureShape, name: str) -> str:
    return str(shape.members[name].serialization.get("name", name))


def _checked(decode: Decoder, check: Callable[[Any], None] | None) -> Decoder:
    if check is None:
        return decode

    def decode_and_check(value: Any) -> Any:
        decoded = decode(value)
        check(decoded)
        return decoded

    return decode_and_check


def _list_decoder(member: Decoder, check: Callable[[Any], None] | None) -> Decoder:
    def decode(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type("a list", value)
        decoded = []
        for index, item in enumerate(value):
            try:
                decoded.append(None if item is None else member(item))
            except Invalid as error:
                raise error.at(str(index)) from None
        if None in decoded:
            raise missing(str(decoded.index(None)))
        if check:
            check(decoded)
        return decoded

    return decode


def _map_decoder(member: Decoder, check: Callable[[Any], None] | None) -> Decoder:
    def decode(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise wrong_type("a map", value)
        decoded = {}
        for key, item in value.items():
            if item is None:
                continue
            try:
                decoded[key] = member(item)
            except Invalid as error:
                raise error.at(key) from None
        if check:
            check(decoded)
        return decoded

    return decode


def _scalar_decoder(shape: Shape) -> Decoder:
    kind = shape.type_name
    if kind in ("string", "char", "character"):
        return _string
    if kind in INTEGER_BITS:
        bits = INTEGER_BITS[kind]
        return lambda value: bounded(_integer(value), bits)
    if kind in ("float", "double"):
        return _float
    if kind == "boolean":
        return _boolean
    if kind == "blob":
        return lambda value: decode_blob(_string(value))
    if kind == "timestamp":
        wanted = shape.serialization.get("timestampFormat", "unixTimestamp")
        return lambda value: _timestamp(value, wanted)
    raise TypeError(f"{shape.name}: unknown type {kind}")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type("a string", value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("an integer", value)
    if isinstance(value, float) and not value.is_integer():
        raise wrong_type("an integer", value)
    return int(value)


def _float(value: Any) -> float:
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("a number", value)
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong_type("a boolean", value)
    return value


def _timestamp(value: Any, wanted: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong_type("a timestamp", value)
    if isinstance(value, str):
        return text_timestamp(value, "iso8601" if wanted == "unixTimestamp" else wanted)
    return from_epoch(value)


def _apply(encoder: Encoder | None, value: Any) -> Any:
    return value if encoder is None else encoder(value)


def _list_encoder(member: Encoder | None) -> Encoder | None:
    if member is None:
        return None
    return lambda values: [member(value) for value in values]


def _map_encoder(member: Encoder | None) -> Encoder | None:
    if member is None:
        return None
    return lambda value: {k: member(v) for k, v in value.items() if v is not None}


def _scalar_encoder(shape: Shape) -> Encoder | None:
    kind = shape.type_name
    if kind == "timestamp":
        wanted = shape.serialization.get("timestampFormat", "unixTimestamp")
        if wanted == "unixTimestamp":
            return epoch
        return lambda value: timestamp_text(value, wanted)
    if kind == "blob":
        return blob_text
    if kind in ("float", "double"):
        return _json_float
    return None


def _json_float(value: float) -> float | str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def parse_json(body: bytes) -> Any:
    """The JSON value of a body ({} when empty); raises Invalid."""
    if not body:
        return {}
    if body.count(b"[") + body.count(b"{") > MAX_NESTING and _nesting(body) > MAX_NESTING:
        raise Invalid("type", "The document is nested too deeply.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("type", f"The body is not valid JSON: {error}") from None


def _nesting(body: bytes) -> int:
    """An upper bound of the nesting depth (brackets in strings count too)."""
    depth = deepest = 0
    for byte in body.translate(None, _NO_BRACKETS):  # a batch of log lines is mostly text
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


class JsonProtocol:
    """awsJson for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._codec = JsonCodec()
        self._typed: dict[str, Typed | None] = {}
        self._content_type = f"application/x-amz-json-{service.json_version}"

    def decode(self, operation: str, request: Request) -> dict[str, Any]:
        """The request's document."""
        shape = self._service.operation(operation).input_shape
        if len(request.body) >= LARGE_BYTES and shape is not None:
            large = self._decode_large(operation, shape, request.body)
            if large is not None:
                return large
        try:
            value = parse_json(request.body)
            if shape is None:
                return {}
            document: dict[str, Any] = self._codec.decoder(shape)(value)
        except Invalid as error:
            raise invalid_to_error(self._service, error) from None
        return document

    def _decode_large(self, operation: str, shape: Shape, body: bytes) -> dict[str, Any] | None:
        """The document, or None if it is for the decoder that says what is wrong."""
        if operation not in self._typed:
            self._typed[operation] = typed_decoder(shape)
        typed = self._typed[operation]
        try:
            return None if typed is None else typed(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def encode(self, operation: str, document: Mapping[str, Any], request_id: str) -> Response:
        """The answer."""
        shape = self._service.operation(operation).output_shape
        encoder = self._codec.encoder(shape) if shape is not None else None
        body = msgspec.json.encode(encoder(document) if encoder else {})
        return Response(200, body, self._headers(request_id))

    def error(self, error: ApiError, request_id: str) -> Response:
        """``{"__type": CODE, "message": TEXT}``."""
        body = msgspec.json.encode({"__type": error.code, "message": error.message})
        return Response(error.status, body, self._headers(request_id))

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"content-type": self._content_type, "x-amzn-requestid": request_id}
