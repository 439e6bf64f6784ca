"""``Action=…&Version=…`` forms → documents, for query and ec2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.wire.http import Request
from homeport.wire.shapes import MAX_NESTING, Invalid, check_length, missing, text_decoder

MAX_FIELDS = 10_000
MAX_INDEX = 5_000

# A form as a tree: a value, or children by name.
Tree = dict[str, Any]
VALUE = ""  # the key of a node's own value; no parameter name part is empty


def parse_form(request: Request) -> dict[str, str]:
    """The parameters of a form body, or of the query string of a GET."""
    raw = request.body or request.query_string.encode()
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise Invalid("type", "The body is not a valid form.") from error
    return dict(pairs)


def to_tree(parameters: dict[str, str]) -> Tree:
    """``A.member.1.B=x`` → ``{"A": {"member": {"1": {"B": {"": "x"}}}}}``."""
    tree: Tree = {}
    for name, value in parameters.items():
        parts = name.split(".")
        if len(parts) > MAX_NESTING:
            raise Invalid("type", f"The parameter {name[:80]!r} is nested too deeply.")
        node = tree
        for part in parts:
            node = node.setdefault(part or " ", {})
        node[VALUE] = value
    return tree


class FormDecoder:
    """Compiles shapes to functions of a tree node. ``ec2`` selects EC2's naming of members."""

    def __init__(self, ec2: bool) -> None:
        self._ec2 = ec2
        self._decoders: dict[str, Callable[[Tree], Any]] = {}

    def decoder(self, shape: Shape) -> Callable[[Tree], Any]:
        """The decoder of a shape."""
        key = f"{shape.name}/{sorted(map(str, shape.serialization.items()))}"
        if key not in self._decoders:
            self._decoders[key] = lambda node: self._decoders[key](node)
            self._decoders[key] = self._compile(shape)
        return self._decoders[key]

    def _compile(self, shape: Shape) -> Callable[[Tree], Any]:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        return _scalar(shape)

    def _structure(self, shape: StructureShape) -> Callable[[Tree], Any]:
        members = {
            name: (self._member_names(member, name), self.decoder(member))
            for name, member in shape.members.items()
        }
        required = list(shape.required_members)

        def decode(node: Tree) -> dict[str, Any]:
            document = {}
            for name, (wire_names, decoder) in members.items():
                child = next((node[w] for w in wire_names if w in node), None)
                if child is None:
                    continue
                try:
                    document[name] = decoder(child)
                except Invalid as error:
                    raise error.at(name) from None
            for name in required:
                if name not in document:
                    raise missing(name)
            return document

        return decode

    def _member_names(self, member: Shape, name: str) -> tuple[str, ...]:
        """What a member may be called: of a flattened list, botocore sends the item's name."""
        wire_name = str(member.serialization.get("name", name))
        if self._ec2:
            if "queryName" in member.serialization:
                return (str(member.serialization["queryName"]),)
            return (wire_name[0].upper() + wire_name[1:],)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            own = member.member.serialization.get("name")
            if own:
                return (str(own), wire_name)
        return (wire_name,)

    def _list(self, shape: ListShape) -> Callable[[Tree], Any]:
        member = self.decoder(shape.member)
        flattened = self._ec2 or bool(shape.serialization.get("flattened"))
        item_name = str(shape.member.serialization.get("name", "member"))
        check = check_length(shape)

        def decode(node: Tree) -> list[Any]:
            # ``Name=`` alone is an empty list; ``Name.member.N`` or ``Name.N`` are its items.
            items = node if flattened else node.get(item_name) or node.get("member") or {}
            decoded = []
            for index, child in _numbered(items):
                try:
                    decoded.append(member(child))
                except Invalid as error:
                    raise error.at(str(index)) from None
            if check:
                check(decoded)
            return decoded

        return decode

    def _map(self, shape: MapShape) -> Callable[[Tree], Any]:
        key_name = str(shape.key.serialization.get("name", "key"))
        value_name = str(shape.value.serialization.get("name", "value"))
        value_decoder = self.decoder(shape.value)
        flattened = bool(shape.serialization.get("flattened"))

        def decode(node: Tree) -> dict[str, Any]:
            entries = node if flattened else node.get("entry") or {}
            decoded = {}
            for index, entry in _numbered(entries):
                key = entry.get(key_name, {}).get(VALUE)
                if key is None:
                    raise missing(f"{index}.{key_name}")
                try:
                    decoded[key] = value_decoder(entry.get(value_name, {}))
                except Invalid as error:
                    raise error.at(key) from None
            return decoded

        return decode


def _numbered(children: Tree) -> list[tuple[int, Tree]]:
    """A list's items by index; ``1`` and ``01`` are two items of one index."""
    indexed = [(_index(name), child) for name, child in children.items() if name != VALUE]
    return sorted(indexed, key=lambda item: item[0])


def _index(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > MAX_INDEX:
        raise Invalid("type", f"{text[:40]!r} is not a list index.")
    return int(text)


def _scalar(shape: Shape) -> Callable[[Tree], Any]:
    parse = text_decoder(shape, "iso8601")
    check = check_length(shape)

    def decode(node: Tree) -> Any:
        if VALUE not in node:
            raise Invalid("type", "Expected a value, got a structure.")
        value = parse(node[VALUE])
        if check:
            check(value)
        return value

    return decode
