"""Ranges of ports as ECS writes them: ``5000-5010``."""

from __future__ import annotations

import re

LAST_PORT = 65535
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


def parse_port_range(text: str) -> range:
    """The ports of ``FIRST-LAST``, LAST included; ValueError says what is wrong."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError("must be two ports with a hyphen between them")
    first, last = int(match[1]), int(match[2])
    if first < 1 or last > LAST_PORT:
        raise ValueError(f"must be between 1 and {LAST_PORT}")
    if first >= last:
        raise ValueError("must begin with the lower port")
    return range(first, last + 1)


def port_range_text(ports: range) -> str:
    """``FIRST-LAST``."""
    return f"{ports[0]}-{ports[-1]}"
