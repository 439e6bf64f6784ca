"""Ports on 169.254.170.2, shared by all agents of one host.

One agent at a time holds a port; when it ends, another takes it within a second. The address is
put on the loopback interface, where every container of the host reaches it. Needs root.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from ..backoff import Backoff
from ..commands import CommandFailed, ip
from ..settings import AgentSettings

logger = logging.getLogger(__name__)

ADDRESS = "169.254.170.2"
BACKLOG = 512

Serve = Callable[[socket.socket], Awaitable[None]]


def api_url(settings: AgentSettings) -> str:
    """Where containers of this host reach the control plane's API."""
    if not settings.endpoint_is_local:
        return settings.endpoint_url
    return f"http://{ADDRESS}:{urlsplit(settings.endpoint_url).port or 80}"


async def claim_address() -> bool:
    """Put the address on this host; false, with the reason in the log, if that isn't allowed."""
    try:
        await ip("addr", "replace", f"{ADDRESS}/32", "dev", "lo")
    except CommandFailed as error:
        logger.warning(
            "containers get no metadata and no role credentials: %s can't be put on this host"
            " (%s). Run the agent as root for that.",
            ADDRESS,
            error,
        )
        return False
    return True


async def hold(port: int, serve: Serve) -> None:
    """Serve the port as soon as no other agent of this host does, until cancelled."""
    waiting = False
    backoff = Backoff(0.2, 1.0, 1.5)
    while True:
        try:
            opened = _opened(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                logger.warning("%s:%d can't be opened: %s", ADDRESS, port, error)
            elif not waiting:
                logger.info("%s:%d is served by another agent of this host", ADDRESS, port)
            waiting = True
            await asyncio.sleep(backoff.next())
            continue
        with opened:
            logger.info("serving %s:%d", ADDRESS, port)
            await serve(opened)


def _opened(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((ADDRESS, port))
        opened.listen(BACKLOG)  # two binds may both succeed; only one may listen
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened
