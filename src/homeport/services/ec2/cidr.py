"""Address ranges in requests. Pure."""

from __future__ import annotations

import ipaddress

from .errors import InvalidParameterValue

MIN_PREFIX, MAX_PREFIX = 16, 28
"""The sizes that VPCs and subnets have."""

NOT_FOR_VPCS = tuple(
    ipaddress.IPv4Network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "198.18.0.0/15", "224.0.0.0/3")
)
"""Ranges that a host needs for something else; 198.18.0.0/15 are the public addresses here."""


def ipv4_block(text: str, parameter: str) -> ipaddress.IPv4Network:
    """A range in canonical form: ``100.68.0.18/18`` is ``100.68.0.0/18``."""
    try:
        if "/" not in text:
            raise ValueError
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise InvalidParameterValue(
            f"Value ({text[:64]}) for parameter {parameter} is invalid. "
            "This is not a valid CIDR block."
        ) from None
