"""What RegisterTaskDefinition accepts as ``portMappings``.

Source: "PortMapping", ECS API reference: ranges are for the bridge and awsvpc modes, at most 100 in
a container, and a port is in one mapping only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.domain.port_range import parse_port_range

from .errors import ClientException

PROTOCOLS = ("tcp", "udp")
MAX_RANGES = 100
RANGE_MODES = ("bridge", "awsvpc")

Document = Mapping[str, Any]  # a request document: open-ended by nature


def check_ports(container: Document, mode: str) -> None:
    """Raise ClientException unless the mappings of a container are right for the network mode."""
    mappings = container.get("portMappings") or ()
    if mappings and mode == "none":
        raise ClientException("Port mappings are not allowed when networkMode=none: portMappings.")
    if sum(bool(m.get("containerPortRange")) for m in mappings) > MAX_RANGES:
        raise ClientException(
            f"Container '{container['name']}' has more than {MAX_RANGES} ranges: "
            "portMappings.containerPortRange."
        )
    names: set[str] = set()
    ranges: list[tuple[str, range]] = []
    for mapping in mappings:
        protocol = mapping.get("protocol", "tcp")
        if protocol not in PROTOCOLS:
            raise ClientException(
                f"protocol '{protocol[:64]}' should be one of [{','.join(PROTOCOLS)}]"
            )
        if mapping.get("containerPortRange") is None:
            _check_one(container, mapping, mode)
        else:
            ranges.append((protocol, _range(mapping, mode)))
        if mapping.get("name"):
            if mapping["name"] in names:
                raise ClientException(f"Port mapping names must be unique: '{mapping['name']}'.")
            names.add(mapping["name"])
    _check_overlaps(ranges, mappings)


def _check_one(container: Document, mapping: Document, mode: str) -> None:
    port, host_port = mapping.get("containerPort"), mapping.get("hostPort")
    if port is None:
        raise ClientException(
            f"Container '{container['name']}': portMappings.containerPort is required."
        )
    _check_port("containerPort", port, 1)
    if host_port is not None:
        _check_port("hostPort", host_port, 0)
    if mode in ("awsvpc", "host") and host_port and host_port != port:
        raise ClientException(
            f"When networkMode={mode}, the host ports and container ports in port mappings "
            "must match."
        )


def _check_port(field: str, port: int, lowest: int) -> None:
    if not lowest <= port <= 65535:
        raise ClientException(f"portMappings.{field} {port} must be between {lowest} and 65535.")


def _range(mapping: Document, mode: str) -> range:
    text = mapping["containerPortRange"]
    where = f"portMappings.containerPortRange '{text[:64]}'"
    if mode not in RANGE_MODES:
        raise ClientException(
            f"When networkMode={mode}, a port range is not allowed. Use bridge or awsvpc: {where}."
        )
    for other in ("containerPort", "hostPort"):
        if mapping.get(other) is not None:
            raise ClientException(f"{where} and {other} exclude each other.")
    try:
        return parse_port_range(text)
    except ValueError as error:
        raise ClientException(f"{where} {error}.") from None


def _check_overlaps(ranges: list[tuple[str, range]], mappings: Any) -> None:
    taken = [
        (m.get("protocol", "tcp"), range(m["containerPort"], m["containerPort"] + 1))
        for m in mappings
        if m.get("containerPort")
    ]
    for protocol, ports in ranges:
        for other_protocol, other in taken:
            if protocol == other_protocol and ports[0] <= other[-1] and other[0] <= ports[-1]:
                raise ClientException(
                    f"portMappings.containerPortRange '{ports[0]}-{ports[-1]}' overlaps with "
                    f"another mapping of {protocol} ports."
                )
        taken.append((protocol, ports))
