"""One module per AWS protocol: request → document, document → response, error → response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response


class WireProtocol(Protocol):
    """What the gateway needs of a protocol, bound to one service's model."""

    def decode(self, operation: str, request: Request) -> dict[str, Any]:
        """The request's document; raises ApiError."""

    def encode(self, operation: str, document: Mapping[str, Any], request_id: str) -> Response:
        """The answer."""

    def error(self, error: ApiError, request_id: str) -> Response:
        """The answer that is an error."""
