"""Requests and responses as plain values, whatever server carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as received.

    ``path`` and ``query_string`` are raw (still percent-encoded); ``headers`` has lower-case
    names, repeated ones joined by ``,``. ``source_ip``: the peer of the connection.
    """

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    source_ip: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; header names are lower-case."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
