"""What rest-json and rest-xml share: members bound to path, query string, headers and status.

Source: the HTTP binding traits of Smithy, as botocore's models carry them (``location``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from homeport.wire.http import Request
from homeport.wire.shapes import Invalid, check_length, missing, text_decoder, text_encoder

MAX_PARAMETERS = 1000
HEADER_TIMESTAMP = "rfc822"
TEXT_TIMESTAMP = "iso8601"


def uri_pattern(template: str) -> re.Pattern[str]:
    """``requestUri``'s path as a pattern: ``{label}`` is one segment, ``{label+}`` any."""
    path = template.partition("?")[0]
    pattern = ""
    for part in re.split(r"(\{[^}]+\})", path):
        if not part.startswith("{"):
            pattern += re.escape(part)
            continue
        label = part[1:-1]
        pattern += "(.+)" if label.endswith("+") else "([^/]+)"
    return re.compile(pattern if pattern.endswith("/") else f"{pattern}/?")


def labels(template: str) -> list[str]:
    """The labels of a template, in order."""
    return [name.rstrip("+") for name in re.findall(r"\{([^}]+)\}", template.partition("?")[0])]


class RequestBinding:
    """Reads the members of an operation's input that are not in its body."""

    def __init__(self, operation: OperationModel) -> None:
        shape = operation.input_shape
        self._uri = str(operation.http.get("requestUri", "/"))
        self._pattern = uri_pattern(self._uri)
        self._labels = labels(self._uri)
        self.payload: str | None = shape.serialization.get("payload") if shape else None
        self._located: dict[str, list[tuple[str, Shape]]] = {}
        self.body_members: list[str] = []
        self._required: list[str] = []
        if shape is not None:
            self._bind(shape)

    def _bind(self, shape: StructureShape) -> None:
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location:
                self._located.setdefault(location, []).append((name, member))
                if name in shape.required_members:
                    self._required.append(name)
            elif name != self.payload:
                self.body_members.append(name)

    def read(self, request: Request) -> dict[str, Any]:
        """The document so far; raises Invalid."""
        document: dict[str, Any] = {}
        for location, read in (
            ("uri", self._from_uri),
            ("querystring", self._from_query),
            ("header", self._from_header),
            ("headers", self._from_headers),
        ):
            if location in self._located:
                read(request, self._located[location], document)
        for name in self._required:
            if name not in document:
                raise missing(name)
        return document

    def _from_uri(
        self, request: Request, members: list[tuple[str, Shape]], document: dict[str, Any]
    ) -> None:
        match = self._pattern.fullmatch(request.path)
        if match is None:
            raise Invalid("type", f"The path does not match {self._uri}.")
        values = dict(zip(self._labels, match.groups(), strict=True))
        for name, member in members:
            text = unquote(values[wire_name(name, member)])
            document[name] = _named(name, _text(member, TEXT_TIMESTAMP), text)

    def _from_query(
        self, request: Request, members: list[tuple[str, Shape]], document: dict[str, Any]
    ) -> None:
        given: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                request.query_string, keep_blank_values=True, max_num_fields=MAX_PARAMETERS
            )
        except ValueError as error:
            raise Invalid("type", "The query string has too many parameters.") from error
        for key, value in pairs:
            given.setdefault(key, []).append(value)
        named = {wire_name(name, member) for name, member in members}
        for name, member in members:
            value = _named(name, _query_value, member, name, given, named)
            if value is not None:
                document[name] = value

    def _from_header(
        self, request: Request, members: list[tuple[str, Shape]], document: dict[str, Any]
    ) -> None:
        for name, member in members:
            text = request.headers.get(wire_name(name, member).lower())
            if text is not None:
                document[name] = _named(name, header_value, member, text)

    def _from_headers(
        self, request: Request, members: list[tuple[str, Shape]], document: dict[str, Any]
    ) -> None:
        for name, member in members:
            prefix = str(member.serialization.get("name", "")).lower()
            found = {
                header[len(prefix) :]: value
                for header, value in request.headers.items()
                if header.startswith(prefix)
            }
            if found:
                document[name] = found


def wire_name(name: str, member: Shape) -> str:
    """What a bound member is called outside."""
    return str(member.serialization.get("name", name))


def _named(name: str, read: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except Invalid as error:
        raise error.at(name) from None


def _text(shape: Shape, timestamp: str) -> Callable[[str], Any]:
    decode, check = text_decoder(shape, timestamp), check_length(shape)

    def read(text: str) -> Any:
        value = decode(text)
        if check:
            check(value)
        return value

    return read


def _query_value(member: Shape, name: str, given: Mapping[str, list[str]], named: set[str]) -> Any:
    if isinstance(member, MapShape):
        many = isinstance(member.value, ListShape)
        rest = {k: v for k, v in given.items() if k not in named}
        return {k: v if many else v[-1] for k, v in rest.items()} or None
    values = given.get(wire_name(name, member))
    if values is None:
        return None
    if isinstance(member, ListShape):
        decode = _text(member.member, TEXT_TIMESTAMP)
        return [decode(text) for text in values]
    return _text(member, TEXT_TIMESTAMP)(values[-1])


def header_value(member: Shape, text: str) -> Any:
    """A header's text → the member's value."""
    if isinstance(member, ListShape):
        timestamp = member.member.type_name == "timestamp"
        parts = split_header(text, member.member) if timestamp else split_header(text, None)
        decode = _text(member.member, HEADER_TIMESTAMP)
        return [decode(part) for part in parts]
    if member.serialization.get("jsonvalue"):
        try:
            return msgspec.json.decode(base64.b64decode(text))
        except (msgspec.DecodeError, ValueError) as error:
            raise Invalid("type", "The header is not base64 of JSON.") from error
    return _text(member, HEADER_TIMESTAMP)(text.strip())


def split_header(text: str, timestamps: Shape | None) -> list[str]:
    """A header's list: commas separate, quotes keep; an rfc822 date has a comma of its own."""
    if timestamps is not None:
        wanted = timestamps.serialization.get("timestampFormat", HEADER_TIMESTAMP)
        if wanted == "rfc822":
            return [part.strip() for part in re.findall(r"([^,]+,[^,]+)(?:,|$)", text)]
    if not text.strip():
        return []
    parts = re.findall(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)', text)
    # the pattern also matches the empty end after the last item
    return [_unquoted(part.strip()) for part in parts[:-1]]


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


class ResponseBinding:
    """Writes the members of an operation's output that are not in its body."""

    def __init__(self, operation: OperationModel) -> None:
        shape = operation.output_shape
        self.status = int(operation.http.get("responseCode", 200))
        self.payload: str | None = shape.serialization.get("payload") if shape else None
        self._header: list[tuple[str, Shape]] = []
        self._headers: list[tuple[str, Shape]] = []
        self._status_member: str | None = None
        self.body_members: list[str] = []
        for name, member in shape.members.items() if shape else ():
            match member.serialization.get("location"):
                case "header":
                    self._header.append((name, member))
                case "headers":
                    self._headers.append((name, member))
                case "statusCode":
                    self._status_member = name
                case _ if name != self.payload:
                    self.body_members.append(name)

    def status_of(self, document: Mapping[str, Any]) -> int:
        """The response's status."""
        own = document.get(self._status_member) if self._status_member else None
        return int(own) if own is not None else self.status

    def headers(self, document: Mapping[str, Any]) -> dict[str, str]:
        """The bound headers."""
        headers: dict[str, str] = {}
        for name, member in self._header:
            value = document.get(name)
            if value is not None:
                headers[wire_name(name, member).lower()] = header_text(member, value)
        for name, member in self._headers:
            prefix = str(member.serialization.get("name", ""))
            for key, value in (document.get(name) or {}).items():
                headers[f"{prefix}{key}".lower()] = str(value)
        return headers

    def body_part(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The members that go into the body."""
        return {n: document[n] for n in self.body_members if document.get(n) is not None}


def header_text(member: Shape, value: Any) -> str:
    """A member's value → its header's text."""
    if isinstance(member, ListShape):
        encode = text_encoder(member.member, HEADER_TIMESTAMP)
        quote = member.member.type_name == "string"
        return ", ".join(_quoted(encode(item)) if quote else encode(item) for item in value)
    if member.serialization.get("jsonvalue"):
        return base64.b64encode(msgspec.json.encode(value)).decode()
    return text_encoder(member, HEADER_TIMESTAMP)(value)


def _quoted(text: str) -> str:
    if "," in text or '"' in text:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text


def is_structure(shape: Shape) -> bool:
    """Whether a payload member is a document of its own rather than bytes or text."""
    return isinstance(shape, StructureShape | ListShape | MapShape)


def scalar_payload(member: Shape, body: bytes) -> Any:
    """A body that is one blob or string."""
    if member.type_name == "blob":
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("type", "The body is not UTF-8.") from error


def payload_bytes(value: Any) -> bytes:
    """A blob or string member as a body."""
    return value if isinstance(value, bytes) else str(value).encode()
