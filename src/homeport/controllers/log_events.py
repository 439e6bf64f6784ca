"""Removes the events of streams that are gone, and those that are older than their group keeps.

Readers never see an expired event, whenever its file goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from homeport.logstore import LogStore
from homeport.store import Change, Transaction
from homeport.store.schema import LOG_GROUPS, LOG_STREAMS

EXPIRE_EVERY_SECONDS = 600.0
NOT_DURABLE_YET_SECONDS = 0.2
_LEFT_OVER = "left over"


class LogEventsController:
    """Keys are ``gone|REVISION|EVENTS`` of deleted streams, ``group|ARN`` of groups that do not
    keep events for ever, and ``left over`` once.

    ``durable_revision``: up to where deletions are on disk; no file is removed before its
    stream's deletion is.
    """

    name = "log events"

    def __init__(self, logs: LogStore, durable_revision: Callable[[], int]) -> None:
        self._logs = logs
        self._durable_revision = durable_revision

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A stream that was deleted or made anew, a group whose retention changed."""
        if streams := change.of(LOG_STREAMS):
            before, after = streams
            if before is not None and (after is None or after.events != before.events):
                return (f"gone|{change.revision}|{before.events}",)
        if groups := change.of(LOG_GROUPS):
            group = groups[1]
            if group is not None and group.retention_days is not None:
                return (f"group|{group.arn}",)
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """What a kill may have left over, and every group with a retention."""
        groups = [g.arn for g in tx.all(LOG_GROUPS) if g.retention_days is not None]
        return [_LEFT_OVER, *(f"group|{arn}" for arn in groups)]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Remove files; nothing is written to the store."""
        kind, _, rest = key.partition("|")
        if kind == "gone":
            revision, _, events = rest.partition("|")
            return self._remove(int(revision), events, now)
        if kind == "group":
            return self._expire(rest, tx, now)
        self._logs.keep_only(stream.events for stream in tx.all(LOG_STREAMS))
        return None

    def _remove(self, revision: int, events: str, now: float) -> float | None:
        if self._durable_revision() < revision:
            return now + NOT_DURABLE_YET_SECONDS
        self._logs.delete(events)
        return None

    def _expire(self, arn: str, tx: Transaction, now: float) -> float | None:
        group = tx.get(LOG_GROUPS, arn)
        if group is None or group.retention_days is None:
            return None
        for stream in tx.find(LOG_STREAMS, "group", arn):
            self._logs.expire(stream.events, group.oldest(now))
        return now + EXPIRE_EVERY_SECONDS
