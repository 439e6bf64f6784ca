"""Writes the events of a transaction into it, and forgets the oldest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from homeport.domain.arn import Ids
from homeport.domain.event import Event, EventCounter
from homeport.services.ecs.state_changes import StateChange, state_changes
from homeport.store import Change, Transaction
from homeport.store.schema import EVENT_COUNTERS, EVENTS

KEPT_EVENTS = 5000
COUNTER = "events"


class EventRecorder:
    """Given to ``Store.before_commit``."""

    def __init__(self, ids: Ids, clock: Callable[[], float]) -> None:
        self._ids = ids
        self._clock = clock

    def __call__(self, changes: Sequence[Change], tx: Transaction) -> None:
        """Add the events that these changes come to."""
        now = self._clock()
        found = [event for change in changes for event in state_changes(change, tx, now)]
        if not found:
            return
        counter = tx.get(EVENT_COUNTERS, COUNTER)
        sequence = counter.last if counter else 0
        for event in found:
            sequence += 1
            tx.put(EVENTS, self._event(event, sequence, now))
            tx.delete(EVENTS, event_key(sequence - KEPT_EVENTS))
        tx.put(EVENT_COUNTERS, EventCounter(COUNTER, sequence))

    def _event(self, change: StateChange, sequence: int, now: float) -> Event:
        return Event(
            sequence=sequence,
            id=self._ids.uuid(),
            time=now,
            source="aws.ecs",
            detail_type=change.detail_type,
            resources=(change.resource,),
            detail=msgspec.json.encode(change.detail).decode(),
        )


def event_key(sequence: int) -> str:
    """Key of an event in its table."""
    return f"{sequence:020d}"
