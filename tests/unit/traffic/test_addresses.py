"""The addresses that load balancers speak from."""

from __future__ import annotations

import ipaddress

import pytest

from homeport.traffic import addresses
from homeport.traffic.addresses import LOOK_SECONDS, SourceAddresses, source_addresses


def test_this_machine_has_some_and_none_is_loopback_unless_there_is_no_other() -> None:
    found = [ipaddress.IPv4Address(address) for address in source_addresses()]
    assert found
    assert len(set(found)) == len(found)
    assert len(found) == 1 or not any(address.is_loopback for address in found)


def test_a_network_that_comes_later_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    now, there = 0.0, ("10.0.0.1",)
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr(addresses, "source_addresses", lambda: there)
    look = SourceAddresses()
    assert look() == ("10.0.0.1",)
    there = ("10.0.0.1", "10.0.1.1")
    assert look() == ("10.0.0.1",)
    now = LOOK_SECONDS
    assert look() == there
