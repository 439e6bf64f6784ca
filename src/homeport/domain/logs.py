"""Log groups and streams: what is known of them besides their events."""

from __future__ import annotations

import msgspec

from .cluster import Tag

DAY_MILLISECONDS = 24 * 3600 * 1000


class LogGroup(msgspec.Struct, frozen=True):
    """A log group. ``retention_days`` None: events never expire."""

    arn: str
    name: str
    created_at: float
    retention_days: int | None = None
    group_class: str = "STANDARD"
    deletion_protection: bool = False
    tags: tuple[Tag, ...] = ()

    def oldest(self, now: float) -> int:
        """Events with an earlier timestamp (milliseconds) have expired."""
        if self.retention_days is None:
            return 0
        return max(0, int(now * 1000) - self.retention_days * DAY_MILLISECONDS)


class LogStream(msgspec.Struct, frozen=True):
    """A stream of a log group. ``incarnation``: another one for each stream of the same name."""

    arn: str
    group_arn: str
    name: str
    created_at: float
    incarnation: str = ""

    @property
    def events(self) -> str:
        """What its events are kept under: never those of a former stream of the same name."""
        return f"{self.arn}|{self.incarnation}"
