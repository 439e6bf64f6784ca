"""XML → documents, for rest-xml.

Documents may come from anybody: no DTD, no entities of their own, bounded nesting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.wire.shapes import (
    MAX_NESTING,
    Invalid,
    check_length,
    missing,
    text_decoder,
)

from .xml_encoder import element_name


@dataclass
class Element:
    """An element: its local name, attributes as written, text, children."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def named(self, name: str) -> list[Element]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def first_named(self, names: tuple[str, ...]) -> list[Element]:
        """The children of the first of these names that there are any of."""
        return next((found for name in names if (found := self.named(name))), [])


def parse_xml(body: bytes) -> Element:
    """The root element; raises Invalid."""
    stack: list[Element] = [Element("")]
    parser = expat.ParserCreate()
    parser.buffer_text = True  # or text full of entities would come one character at a time

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > MAX_NESTING:
            raise Invalid("type", "The document is nested too deeply.")
        element = Element(name.rpartition(":")[2], attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text += data

    def doctype(*_: object) -> None:
        raise Invalid("type", "A document type declaration is not allowed.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # or an odd encoding's name
        raise Invalid("type", f"The body is not valid XML: {error}") from None
    return stack[0].children[0]


XmlReader = Callable[[Element], Any]


class XmlDecoder:
    """Compiles shapes to functions of an element, once per shape."""

    def __init__(self) -> None:
        self._readers: dict[str, XmlReader] = {}

    def reader(self, shape: Shape) -> XmlReader:
        """The reader of a shape: what one element of it says."""
        key = f"{shape.name}/{sorted(map(str, shape.serialization.items()))}"
        if key not in self._readers:
            self._readers[key] = lambda element: self._readers[key](element)
            self._readers[key] = self._compile(shape)
        return self._readers[key]

    def members(self, shape: StructureShape, names: list[str]) -> XmlReader:
        """The reader of a structure restricted to these members."""
        readers = {n: self._member(shape, n) for n in names}
        required = [n for n in shape.required_members if n in names]

        def read(element: Element) -> dict[str, Any]:
            document: dict[str, Any] = {}
            for name, reader in readers.items():
                try:
                    value = reader(element)
                except Invalid as error:
                    raise error.at(name) from None
                if value is not None:
                    document[name] = value
            for name in required:
                if name not in document:
                    raise missing(name)
            return document

        return read

    def _member(self, shape: StructureShape, name: str) -> XmlReader:
        """A member's value in its structure's element, or None when it is absent."""
        member = shape.members[name]
        wire_name = element_name(shape, name)
        # what botocore sends, and what the model's author may have meant
        wire_names = (wire_name, str(member.serialization.get("name", name)), name)
        if member.serialization.get("xmlAttribute"):
            decode = _checked_text(member)
            return lambda element: (
                decode(element.attributes[wire_name]) if wire_name in element.attributes else None
            )
        if member.serialization.get("flattened"):
            if isinstance(member, ListShape):
                return self._flat_list(member, wire_names)
            if isinstance(member, MapShape):
                read_entries = self._entries(member)
                return lambda element: read_entries(element.named(wire_name)) or None
        reader = self.reader(member)

        def read(element: Element) -> Any:
            found = element.first_named(wire_names)
            return reader(found[0]) if found else None

        return read

    def _compile(self, shape: Shape) -> XmlReader:
        if isinstance(shape, StructureShape):
            return self.members(shape, list(shape.members))
        if isinstance(shape, ListShape):
            items = self._items(shape)
            item_name = str(shape.member.serialization.get("name", "member"))
            return lambda element: items(element.named(item_name))
        if isinstance(shape, MapShape):
            entries = self._entries(shape)
            return lambda element: entries(element.named("entry"))
        decode = _checked_text(shape)
        return lambda element: decode(element.text)

    def _flat_list(self, shape: ListShape, wire_names: tuple[str, ...]) -> XmlReader:
        items = self._items(shape)
        return lambda element: items(found) if (found := element.first_named(wire_names)) else None

    def _items(self, shape: ListShape) -> Callable[[list[Element]], list[Any]]:
        member, check = self.reader(shape.member), check_length(shape)

        def read(elements: list[Element]) -> list[Any]:
            values = []
            for index, element in enumerate(elements):
                try:
                    values.append(member(element))
                except Invalid as error:
                    raise error.at(str(index)) from None
            if check:
                check(values)
            return values

        return read

    def _entries(self, shape: MapShape) -> Callable[[list[Element]], dict[str, Any]]:
        key_name = str(shape.key.serialization.get("name", "key"))
        value_name = str(shape.value.serialization.get("name", "value"))
        value_reader = self.reader(shape.value)

        def read(elements: list[Element]) -> dict[str, Any]:
            values = {}
            for index, entry in enumerate(elements):
                key, value = entry.named(key_name), entry.named(value_name)
                if not key or not value:
                    raise missing(f"{index}.{value_name if key else key_name}")
                values[key[0].text] = value_reader(value[0])
            return values

        return read


def _checked_text(shape: Shape) -> Callable[[str], Any]:
    decode, check = text_decoder(shape, "iso8601"), check_length(shape)

    def read(text: str) -> Any:
        value = decode(text)
        if check:
            check(value)
        return value

    return read
