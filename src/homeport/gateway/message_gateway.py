"""The paths of ``ssmmessages``, which botocore has no model of.

``/v1/control-channel/ID`` and ``/v1/data-channel/ID``: a signed POST answers 201 with a token in
XML, a websocket there begins with that token. Source: ``agent/session`` of amazon-ssm-agent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import unquote
from xml.sax.saxutils import escape

from homeport.wire.errors import ApiError
from homeport.wire.http import Request, Response

from .asgi import AsgiWebSocket

ChannelKind = Literal["control", "data"]

_PATH = re.compile(r"/v1/(control|data)-channel/([^/]{1,1024})")


@dataclass(frozen=True, slots=True)
class Channel:
    """``id``: of a container's agent (control) or of a session (data)."""

    kind: ChannelKind
    id: str

    @property
    def operation(self) -> str:
        """``ControlChannel`` or ``DataChannel``."""
        return f"{self.kind.capitalize()}Channel"


class ChannelConnections(Protocol):
    """Gives agents their tokens and takes accepted connections."""

    def create_channel(self, kind: ChannelKind, identifier: str, opener: str) -> str | None:
        """The token; None: there is no such target or session for ``opener`` (an ARN)."""

    async def __call__(
        self, kind: ChannelKind, identifier: str, signed: bool, websocket: AsgiWebSocket
    ) -> None:
        """Serve one connection until it ends."""


class NoChannels:
    """An installation without sessions."""

    def create_channel(self, kind: ChannelKind, identifier: str, opener: str) -> str | None:
        """There is none."""
        return None

    async def __call__(
        self, kind: ChannelKind, identifier: str, signed: bool, websocket: AsgiWebSocket
    ) -> None:
        """Closed at once."""
        await websocket.close(1008)


no_channels = NoChannels()


def channel_of(request: Request) -> Channel | None:
    """The channel that a path names, if it does."""
    found = _PATH.fullmatch(request.path)
    if found is None or request.method not in ("GET", "POST"):
        return None
    kind: ChannelKind = "control" if found.group(1) == "control" else "data"
    return Channel(kind, unquote(found.group(2)))


def created(channel: Channel, token: str | None) -> Response:
    """The answer that has a token; raises ApiError when there is none."""
    if token is None:  # the first text is the one that agents know to give up on
        gone = {"data": "Session is already terminated", "control": f"No target {channel.id[:256]}"}
        raise ApiError("ValidationException", gone[channel.kind])
    name = f"Create{channel.operation}Response"
    return _xml(
        201,
        f"<{name}><MessageSchemaVersion>1.0</MessageSchemaVersion>"
        f"<TokenValue>{escape(token)}</TokenValue></{name}>",
    )


def refused(error: ApiError) -> Response:
    """An error, its code as the element's name."""
    code = re.sub(r"[^A-Za-z0-9]", "", error.code)
    text = f"<{code}><Message>{escape(error.message)}</Message></{code}>"
    return _xml(error.status, text)


def _xml(status: int, document: str) -> Response:
    return Response(status, document.encode(), {"content-type": "application/xml"})
