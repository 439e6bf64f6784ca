"""Dynamic host ports: chosen by the agent, never one that is taken."""

from __future__ import annotations

import contextlib
import random
import re
import socket
from collections.abc import Callable, Iterable

from homeport.domain.agent_payload import PayloadPort
from homeport.domain.port_range import parse_port_range

from .task_state import Binding

FIRST = 32768
LAST = 60999

Probe = Callable[[int, str], bool]


class NoFreePort(Exception):
    """Every port of the range is taken."""


def is_free(port: int, protocol: str) -> bool:
    """Whether the port can be bound on every address right now, as docker-proxy would."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with contextlib.closing(socket.socket(socket.AF_INET, kind)) as probe:
        if protocol != "udp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


class PortAllocator:
    """Goes round the range, so that a port is not used again soon after its container ended.

    Traffic for the old container may still be on its way. Two agents on one host begin at
    different places; what they still both choose, the Engine refuses and is tried again.
    """

    def __init__(self, probe: Probe = is_free, start: int | None = None) -> None:
        self._probe = probe
        self._next = start if start is not None else random.randint(FIRST, LAST)
        self._held: dict[str, set[int]] = {}

    def take(self, mappings: Iterable[PayloadPort]) -> tuple[Binding, ...]:
        """Bind every mapping; host port 0 gets a free one, a range as many in a row.

        Raises NoFreePort.
        """
        bindings: list[Binding] = []
        try:
            for mapping in mappings:
                if mapping.container_port_range:
                    ports = parse_port_range(mapping.container_port_range)
                    first = self._take_row(len(ports), mapping.protocol)
                    bindings += (
                        Binding(port, first + number, mapping.protocol)
                        for number, port in enumerate(ports)
                    )
                    continue
                port = mapping.host_port or self._take_one(mapping.protocol)
                bindings.append(Binding(mapping.container_port, port, mapping.protocol))
        except NoFreePort:
            self.release(bindings)
            raise
        self.hold(bindings)
        return tuple(bindings)

    def hold(self, bindings: Iterable[Binding]) -> None:
        """These are in use, for example by an adopted container."""
        for binding in bindings:
            self._held.setdefault(binding.protocol, set()).add(binding.host_port)

    def release(self, bindings: Iterable[Binding]) -> None:
        """Their container is gone."""
        for binding in bindings:
            self._held.setdefault(binding.protocol, set()).discard(binding.host_port)

    def _take_one(self, protocol: str) -> int:
        held = self._held.setdefault(protocol, set())
        for _ in range(FIRST, LAST + 1):
            port = self._next
            self._next = FIRST if port >= LAST else port + 1
            if port not in held and self._probe(port, protocol):
                held.add(port)
                return port
        raise NoFreePort(f"no free {protocol} host port between {FIRST} and {LAST}")

    def _take_row(self, length: int, protocol: str) -> int:
        """The first of so many free ports in a row."""
        held = self._held.setdefault(protocol, set())
        found = 0
        for _ in range(2 * (LAST - FIRST + 1)):
            port = self._next
            self._next = FIRST if port >= LAST else port + 1
            found = found + 1 if port not in held and self._probe(port, protocol) else 0
            if found == length:
                held.update(range(port - length + 1, port + 1))
                return port - length + 1
            if self._next == FIRST:
                found = 0
        raise NoFreePort(
            f"no {length} free {protocol} host ports in a row between {FIRST} and {LAST}"
        )


def is_port_conflict(message: str) -> bool:
    """Whether the Engine refused a start because a host port is taken."""
    return bool(re.search(r"port is already allocated|address already in use", message))
