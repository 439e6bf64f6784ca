"""The change feed: who changed, told after commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from .tables import Table

R = TypeVar("R", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after a commit; ``after`` is None for a deletion."""

    table: Table[msgspec.Struct]
    key: str
    before: msgspec.Struct | None
    after: msgspec.Struct | None
    revision: int

    def of(self, table: Table[R]) -> tuple[R | None, R | None] | None:
        """``(before, after)`` typed, if the change is of ``table``; else None."""
        if self.table is not table:
            return None
        return self.before, self.after  # type: ignore[return-value]


Subscriber = Callable[[Sequence[Change]], None]


class Feed:
    """Calls every subscriber with the changes of each commit, in commit order.

    Subscribers only take keys and return: they must not open a transaction or raise. A change
    told here may not be durable yet; whoever acts outside the process on it waits for
    ``store.durable(change.revision)`` first.
    """

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber; returns the function that removes it."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell every subscriber (the store calls this after commit)."""
        for subscriber in tuple(self._subscribers):
            subscriber(changes)
