"""Documents → XML, for query, ec2 and rest-xml."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.wire.shapes import text_encoder

# Writes the element(s) of a member called ``name`` and returns them as text.
ElementWriter = Callable[[str, Any], str]


class XmlEncoder:
    """Compiles shapes to element writers, once per shape."""

    def __init__(self, timestamp_format: str = "iso8601") -> None:
        self._timestamp_format = timestamp_format
        self._writers: dict[str, ElementWriter] = {}

    def writer(self, shape: Shape) -> ElementWriter:
        """The writer of a shape."""
        key = f"{shape.name}/{sorted(map(str, shape.serialization.items()))}"
        if key not in self._writers:
            self._writers[key] = lambda name, value: self._writers[key](name, value)
            self._writers[key] = self._compile(shape)
        return self._writers[key]

    def members(self, shape: StructureShape, names: list[str]) -> Callable[[Any], str]:
        """Writes the content (members without attributes) of a structure."""
        writers = {
            n: (element_name(shape, n), self.writer(shape.members[n]))
            for n in names
            if not shape.members[n].serialization.get("xmlAttribute")
        }

        def write(value: Mapping[str, Any]) -> str:
            parts = []
            for name, item in value.items():
                if item is not None and name in writers:
                    wire_name, writer = writers[name]
                    parts.append(writer(wire_name, item))
            return "".join(parts)

        return write

    def attributes(self, shape: StructureShape) -> Callable[[Any], str]:
        """Writes the attributes of a structure."""
        names = [
            (n, element_name(shape, n))
            for n, member in shape.members.items()
            if member.serialization.get("xmlAttribute")
        ]
        if not names:
            return lambda value: ""

        def write(value: Mapping[str, Any]) -> str:
            return "".join(
                f" {wire_name}={quoteattr(str(value[n]).translate(_UNWRITABLE))}"
                for n, wire_name in names
                if value.get(n) is not None
            )

        return write

    def _compile(self, shape: Shape) -> ElementWriter:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        text = text_encoder(shape, self._timestamp_format)
        if text is str:  # most of an answer: one call less for each
            return element
        return lambda name, value: element(name, text(value))

    def _structure(self, shape: StructureShape) -> ElementWriter:
        content = self.members(shape, list(shape.members))
        attributes = self.attributes(shape)
        namespace = namespace_attribute(shape)
        known = set(shape.members)

        def write(name: str, value: Mapping[str, Any]) -> str:
            if not value.keys() <= known:
                raise KeyError(f"{shape.name} has no member {sorted(value.keys() - known)}")
            return f"<{name}{namespace}{attributes(value)}>{content(value)}</{name}>"

        return write

    def _list(self, shape: ListShape) -> ElementWriter:
        member = self.writer(shape.member)
        if shape.serialization.get("flattened"):
            own_name = shape.member.serialization.get("name")

            def write_flat(name: str, values: Any) -> str:
                return "".join(member(own_name or name, value) for value in values)

            return write_flat
        item_name = shape.member.serialization.get("name", "member")

        def write(name: str, values: Any) -> str:
            items = "".join(member(item_name, value) for value in values)
            return f"<{name}>{items}</{name}>"

        return write

    def _map(self, shape: MapShape) -> ElementWriter:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        key_writer, value_writer = self.writer(shape.key), self.writer(shape.value)
        flattened = bool(shape.serialization.get("flattened"))

        def entry(name: str, key: Any, value: Any) -> str:
            content = key_writer(key_name, key) + value_writer(value_name, value)
            return f"<{name}>{content}</{name}>"

        def write(name: str, value: Mapping[Any, Any]) -> str:
            if flattened:
                return "".join(entry(name, k, v) for k, v in value.items() if v is not None)
            entries = "".join(entry("entry", k, v) for k, v in value.items() if v is not None)
            return f"<{name}>{entries}</{name}>"

        return write


def element_name(shape: StructureShape, member: str) -> str:
    """The element (or attribute) name of a member; a flattened list's items carry their own."""
    member_shape = shape.members[member]
    if isinstance(member_shape, ListShape) and member_shape.serialization.get("flattened"):
        own = member_shape.member.serialization.get("name")
        if own:
            return str(own)
    return str(member_shape.serialization.get("name", member))


def namespace_attribute(shape: Shape) -> str:
    """`` xmlns="…"`` of the shape, or nothing."""
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return ""
    if isinstance(namespace, str):
        return f" xmlns={quoteattr(namespace)}"
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f" xmlns{prefix}={quoteattr(str(namespace['uri']))}"


def element(name: str, value: object) -> str:
    """One element with the value's text."""
    text = str(value)
    if _SPECIAL.search(text):
        text = escaped(text)
    return f"<{name}>{text}</{name}>"


_NO_XML = [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_SPECIAL = re.compile("[&<>\\x00-\\x1f\ud800-\udfff\ufffe\uffff]")  # what escaped() changes
_UNWRITABLE = {code: "\ufffd" for code in _NO_XML if chr(code) not in "\t\n\r"}


def escaped(text: str) -> str:
    """Text that every XML parser gives back; what XML can't hold becomes U+FFFD."""
    return escape(text.translate(_UNWRITABLE), {"\r": "&#xD;"})
