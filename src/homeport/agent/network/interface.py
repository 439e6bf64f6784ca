"""A task's interface: a veth pair between its namespace and the host, routed, not bridged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homeport.domain.agent_payload import PayloadInterface

from ..commands import CommandFailed, ip, run
from .closed import closing

ROUTER = "169.254.1.1"
ROUTER_MAC = "ee:ee:ee:ee:ee:ee"
PREFIX = "hpe"
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_TRUSTED = (("-i", f"{PREFIX}+"), ("-o", f"{PREFIX}+"))


def address_of(interface: PayloadInterface) -> str:
    """Its primary private address; empty if it has none."""
    addresses = interface.ipv4_addresses or []
    return next((a.private_address for a in addresses if a.primary), "") or next(
        (a.private_address for a in addresses), ""
    )


def host_side(interface_id: str) -> str:
    """The name of the host's end (at most 15 characters)."""
    return PREFIX + interface_id.removeprefix("eni-")[-12:]


async def attach(interface: PayloadInterface, pid: int, own: str) -> None:
    """Give the namespace of ``pid`` its interface; ``own``: the host's address, which its own
    traffic to the task comes from. Raises CommandFailed."""
    name, address = host_side(interface.ec2_id), address_of(interface)
    await detach(interface)  # what an agent that was killed has left half done
    source = f" src {own}" if own else ""
    await run(
        ("ip", "-batch", "-"),
        f"{closing(address)}"
        f"link add {name} address {ROUTER_MAC} type veth peer name eth0 netns {pid}\n"
        f"link set {name} up\n"
        f"route replace {address}/32 dev {name}{source}\n",
    )
    await run(
        ("nsenter", "--target", str(pid), "--net", "ip", "-batch", "-"),
        f"link set lo up\n"
        f"link set eth0 address {interface.mac_address}\n"
        f"addr add {address}/32 dev eth0\n"
        f"link set eth0 up\n"
        f"route add {ROUTER} dev eth0 scope link\n"
        f"route add default via {ROUTER}\n"
        f"neigh add {ROUTER} lladdr {ROUTER_MAC} dev eth0 nud permanent\n",
    )


async def attached(interface: PayloadInterface, pid: int) -> bool:
    """Whether the namespace has the interface's address already."""
    try:
        shown = await run(
            ("nsenter", "--target", str(pid), "--net", "ip", "-4", "addr", "show", "dev", "eth0")
        )
    except CommandFailed:
        return False
    return f"inet {address_of(interface)}/32" in shown


async def detach(interface: PayloadInterface) -> None:
    """Remove the host's end, and with it the other; gone is fine. The address stays closed."""
    name = host_side(interface.ec2_id)
    try:
        await ip("link", "del", name)
    except CommandFailed as error:
        if "Cannot find device" not in str(error):
            raise


async def let_through() -> None:
    """Docker drops what is forwarded by default; our interfaces are judged by their own rules.
    Raises CommandFailed and OSError."""
    for match in _TRUSTED:
        rule = ("DOCKER-USER", *match, "-j", "ACCEPT")
        try:
            await run(("iptables", "-w", "10", "-C", *rule))
        except CommandFailed:
            await run(("iptables", "-w", "10", "-I", *rule))
    await asyncio.to_thread(FORWARDING.write_text, "1")
