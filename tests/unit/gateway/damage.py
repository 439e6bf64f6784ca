"""Damage to request bodies: as their writer would get a value wrong, or as a wire would."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

TEXTS = [
    "",
    " ",
    "x" * 300,
    "é😹",
    "\x00",
    "\ufffe",
    "*",
    "a" * 70_000,
    "arn:aws:ecs:::",
    "../..",
    "%",
]
NUMBERS = [0, 1, -1, 2, 100, 70_000, 2**31 - 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308]
JSON_VALUES = [None, True, False, [], {}, [None], [[]], {"": None}, {"name": {}}]
BYTES = [b"&", b"=", b".", b"%00", b"%ff", b'"', b"{", b"[", b"1", b"\xff", b"\x00", b"+", b","]


def strings_of(bodies: Sequence[bytes]) -> list[str]:
    """Every string in JSON bodies and forms: to be put where another one belongs."""
    found: set[str] = set()
    for body in bodies:
        if body.startswith(b"{"):
            _collect(json.loads(body), found)
        else:
            found.update(value for _, value in parse_qsl(body.decode()))
    return sorted(found)


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, found)


def damaged(chance: random.Random, body: bytes, strings: Sequence[str]) -> bytes:
    """The body with one to three values, parameters or bytes changed."""
    if chance.random() < 0.2:
        return _bytes(chance, body)
    change = _json if body.startswith(b"{") else _form
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        body = change(chance, body, strings)
    return body


def _json(chance: random.Random, body: bytes, strings: Sequence[str]) -> bytes:
    return json.dumps(_value(chance, json.loads(body), strings)).encode()


def _value(chance: random.Random, value: Any, strings: Sequence[str]) -> Any:
    """The value with something in it changed; most often something deep in it."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _value(chance, value[key], strings)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.25:
            again = chance.choice([0, 1, 1, 2, 101])
            return value[:at] + value[at : at + 1] * again + value[at + 1 :]
        return [*value[:at], _value(chance, value[at], strings), *value[at + 1 :]]
    return _other(chance, value, strings)


def _other(chance: random.Random, value: Any, strings: Sequence[str]) -> Any:
    """Something else, of the same type half of the time."""
    if chance.random() < 0.3:
        return chance.choice([*JSON_VALUES, chance.choice(TEXTS), chance.choice(NUMBERS)])
    if isinstance(value, str):
        return _text(chance, value, strings)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return chance.choice([*NUMBERS, value + 1, value - 1, -value, value * 2])
    return chance.choice(JSON_VALUES)


def _text(chance: random.Random, text: str, strings: Sequence[str]) -> str:
    match chance.randrange(4):
        case 0:
            return chance.choice(TEXTS)
        case 1:
            return chance.choice(strings)
        case 2:
            at = chance.randrange(len(text) + 1)
            return (
                text[:at] + chance.choice(["", "x", ":", "/", " ", "(", "é", "0"]) + text[at + 1 :]
            )
        case _:
            return chance.choice(
                [text.upper(), text[:-1], text * 2, f" {text}", str(chance.choice(NUMBERS))]
            )


def _form(chance: random.Random, body: bytes, strings: Sequence[str]) -> bytes:
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    own = [n for n, (name, _) in enumerate(pairs) if name not in ("Action", "Version")]
    if not own:
        return _bytes(chance, body)
    at = chance.choice(own)
    name, value = pairs[at]
    match chance.randrange(7):
        case 0:
            del pairs[at]
        case 1:
            pairs.insert(at, (name, _text(chance, value, strings)))
        case 2:
            pairs[at] = (_name(chance, name), value)
        case 3:  # beside the old one: two items of one index, a value that is a structure too
            pairs.append((_name(chance, name), value))
        case _:
            pairs[at] = (name, _text(chance, value, strings))
    return urlencode(pairs).encode()


def _name(chance: random.Random, name: str) -> str:
    parts = name.split(".")
    at = chance.randrange(len(parts))
    other = chance.choice(["", "1", "01", "0", "-1", "99999", "member", "entry", "x", parts[-1]])
    return ".".join(
        chance.choice([[*parts[:at], other, *parts[at + 1 :]], [*parts, other], parts[:at]])
    )


def _bytes(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randint(1, 20)]
            case 2:
                changed[at:at] = changed[: chance.randint(1, 30)]
            case _:
                changed[at:at] = chance.choice(BYTES)
    return bytes(changed)
