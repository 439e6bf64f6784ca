"""Placement strategies: rank the instances that fit. Each breaks the ties of the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from .candidate import CandidateInstance, TaskToPlace

INSTANCE_FIELDS = frozenset({"instanceid", "host"})
ZONE_FIELD = "attribute:ecs.availability-zone"


class Strategy(msgspec.Struct, frozen=True):
    """``spread`` over a field, ``binpack`` of cpu or memory, or ``random``."""

    type: str
    field: str = ""


SERVICE_DEFAULT = (Strategy("spread", ZONE_FIELD), Strategy("spread", "instanceId"))

Key = Callable[[CandidateInstance], float]


def bucket(field: str, instance: CandidateInstance) -> str | None:
    """The value by which ``spread`` groups; None for an instance that lacks it."""
    if field.lower() in INSTANCE_FIELDS:
        return instance.arn
    name = field.removeprefix("attribute:")
    if name == "ecs.availability-zone":
        return instance.attributes.get(name) or instance.availability_zone
    return instance.attributes.get(name)


def choose(
    fitting: Sequence[CandidateInstance],
    everything: Sequence[CandidateInstance],
    task: TaskToPlace,
    strategies: Sequence[Strategy],
) -> CandidateInstance:
    """The best of ``fitting``; what no strategy decides goes to the first in their order.

    ``everything``: all instances of the cluster, since a bucket's tasks count wherever they run.
    """
    best = list(fitting)
    for strategy in strategies:
        if strategy.type == "random":
            break  # the caller's order is the random one
        key = _key(strategy, everything, task)
        least = min(map(key, best))
        best = [instance for instance in best if key(instance) == least]
    return best[0]


def _key(strategy: Strategy, everything: Sequence[CandidateInstance], task: TaskToPlace) -> Key:
    if strategy.type == "binpack":
        if strategy.field.lower() == "cpu":
            return lambda instance: instance.remaining_cpu
        return lambda instance: instance.remaining_memory
    counts: Counter[str | None] = Counter()
    for instance in everything:
        counts[bucket(strategy.field, instance)] += instance.group_counts.get(task.group, 0)

    def spread(instance: CandidateInstance) -> float:
        value = bucket(strategy.field, instance)
        # Instances that lack the attribute rank last.
        return float("inf") if value is None else counts[value]

    return spread
