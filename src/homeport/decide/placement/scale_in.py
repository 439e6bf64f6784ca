"""In which order do tasks go when a service shrinks?

Source: "Amazon ECS task placement strategies" and "service scheduler", developer guide: tasks
that are not running first, then so that the strategy's balance is best kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from .candidate import CandidateInstance
from .strategies import SERVICE_DEFAULT, Strategy, bucket


class RunningTask(msgspec.Struct, frozen=True):
    """A task that may be stopped, and what it gives back to its instance."""

    arn: str
    instance_arn: str
    running: bool
    cpu: int = 0
    memory: int = 0


def stop_order(
    tasks: Sequence[RunningTask],
    instances: Mapping[str, CandidateInstance],
    strategies: Sequence[Strategy] = (),
) -> list[str]:
    """Task ARNs, the first to stop first. Ties keep the caller's order."""
    waiting = [t.arn for t in tasks if not t.running]
    left = [t for t in tasks if t.running]
    order: list[str] = []
    while left:
        task = _next(left, instances, strategies or SERVICE_DEFAULT)
        left.remove(task)
        order.append(task.arn)
    return waiting + order


def _next(
    left: Sequence[RunningTask],
    instances: Mapping[str, CandidateInstance],
    strategies: Sequence[Strategy],
) -> RunningTask:
    best = list(left)
    for strategy in strategies:
        if strategy.type == "random":
            break
        ranks = {t.arn: _rank(t, left, instances, strategy) for t in best}
        most = max(ranks.values())
        best = [t for t in best if ranks[t.arn] == most]
    return best[0]


def _rank(
    task: RunningTask,
    left: Sequence[RunningTask],
    instances: Mapping[str, CandidateInstance],
    strategy: Strategy,
) -> float:
    instance = instances.get(task.instance_arn)
    if instance is None:  # its host has left the cluster: first of all
        return float("inf")
    if strategy.type == "binpack":
        # Stop where the most is left afterwards: that empties instances.
        if strategy.field.lower() == "cpu":
            return instance.remaining_cpu + task.cpu
        return instance.remaining_memory + task.memory
    counts = Counter(
        bucket(strategy.field, instances[t.instance_arn])
        for t in left
        if t.instance_arn in instances
    )
    return counts[bucket(strategy.field, instance)]
