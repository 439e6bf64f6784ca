"""From which addresses this machine speaks to targets."""

from __future__ import annotations

import fcntl
import socket
import struct
import time

SIOCGIFADDR = 0x8915  # <linux/sockios.h>: the first IPv4 address of an interface
LOOK_SECONDS = 5.0
NOWHERE = "192.0.2.1"  # TEST-NET-1: connecting a UDP socket sends nothing


class SourceAddresses:
    """``source_addresses``, looked up again from time to time: networks come and go."""

    def __init__(self) -> None:
        self._seen: tuple[str, ...] = ()
        self._seen_at = float("-inf")

    def __call__(self) -> tuple[str, ...]:
        """The addresses as they were within the last seconds."""
        now = time.monotonic()
        if now >= self._seen_at + LOOK_SECONDS:
            self._seen, self._seen_at = source_addresses(), now
        return self._seen


def source_addresses() -> tuple[str, ...]:
    """The machine's IPv4 addresses that are not loopback, that of the default route first.

    Which of them a connection has as its source is the kernel's choice, route by route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        names = [name for _, name in socket.if_nameindex()]
        found = [address for name in names if (address := _address(probe, name))]
        first = _default_route(probe)
    ordered = dict.fromkeys([first, *found] if first else found)
    return tuple(a for a in ordered if not a.startswith("127.")) or ("127.0.0.1",)


def _address(probe: socket.socket, interface: str) -> str:
    request = struct.pack("256s", interface.encode()[:15])
    try:
        answer = fcntl.ioctl(probe.fileno(), SIOCGIFADDR, request)
    except OSError:  # it has none
        return ""
    return socket.inet_ntoa(answer[20:24])


def _default_route(probe: socket.socket) -> str:
    try:
        probe.connect((NOWHERE, 9))
    except OSError:
        return ""
    return str(probe.getsockname()[0])
