"""Log groups and streams: what is known of them besides their events."""

from __future__ import annotations

import msgspec

from .cluster import Tag


class LogGroup(msgspec.Struct, frozen=True):
    """A log group. ``retention_days`` None: events never expire."""

    arn: str
    name: str
    created_at: float
    retention_days: int | None = None
    group_class: str = "STANDARD"
    deletion_protection: bool = False
    tags: tuple[Tag, ...] = ()


class LogStream(msgspec.Struct, frozen=True):
    """A stream of a log group."""

    arn: str
    group_arn: str
    name: str
    created_at: float
