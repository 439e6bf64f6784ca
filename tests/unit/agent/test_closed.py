"""Addresses whose task is gone answer "unreachable", and are forgotten in the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from homeport.agent.network import closed
from homeport.agent.network.closed import Closed, closing, left_closed

LIVE = {"dst": "172.31.0.4", "dev": "hpe0", "flags": []}
DEFAULT = {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"}


def under(address: str, protocol: str = closed.PROTOCOL) -> dict[str, Any]:
    return {"type": "unreachable", "dst": address, "protocol": protocol, "metric": 4096}


def test_the_route_lies_below_the_interfaces_own() -> None:
    assert closing("172.31.0.4") == (
        "route replace unreachable 172.31.0.4/32 metric 4096 proto 238\n"
    )


def test_only_what_nothing_else_leads_to_is_left() -> None:
    routes = [DEFAULT, LIVE, under("172.31.0.4"), under("172.31.0.5"), under("10.0.0.0/8", "boot")]
    assert left_closed(routes) == {"172.31.0.5"}


async def test_an_address_is_opened_long_after_its_interface_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    opened: list[Sequence[str]] = []

    async def run(command: Sequence[str]) -> str:
        return json.dumps([DEFAULT, LIVE, *(under(f"172.31.0.{n}") for n in (4, 5, 6))])

    async def ip(*arguments: str) -> str:
        opened.append(arguments)
        return ""

    monkeypatch.setattr(closed, "run", run)
    monkeypatch.setattr(closed, "ip", ip)
    monkeypatch.setattr("time.monotonic", lambda: now)
    sweeper = Closed()
    known = {"172.31.0.4", "172.31.0.6"}
    own = {"172.31.0.4", "172.31.0.6"}
    await sweeper.sweep(known, own)
    now = closed.KEPT_SECONDS - 1
    await sweeper.sweep(known, own)
    assert opened == []
    now = closed.KEPT_SECONDS + closed.SWEEP_SECONDS
    await sweeper.sweep(known, own)
    assert opened == [("route", "del", "unreachable", "172.31.0.5/32", "metric", "4096")]
    await sweeper.sweep(set(), own)  # not before its time
    assert len(opened) == 1
    opened.clear()
    await sweeper.leave()
    assert [command[3] for command in opened] == ["172.31.0.6/32"], "nobody else's, none in use"
