"""In which order do tasks go when a service shrinks?

Source: "Amazon ECS task placement strategies" and "service scheduler", developer guide: tasks
that are not running first, then so that the strategy's balance is best kept. Where AWS is silent
Homeport decides: tasks whose host has left the cluster or is DRAINING go before others.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
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
    balance = _Balance(tasks, instances, strategies or SERVICE_DEFAULT)
    order: list[str] = []
    for wave in ([t for t in tasks if not t.running], [t for t in tasks if t.running]):
        queues = _by_instance(wave, balance)
        while queues:
            # Tasks of one instance differ by their sizes alone: the first of each is enough.
            host = max(
                queues, key=lambda arn: (*balance.rank(queues[arn][0][1]), -queues[arn][0][0])
            )
            _, task = queues[host].popleft()
            if not queues[host]:
                del queues[host]
            balance.stop(task)
            order.append(task.arn)
    return order


def _by_instance(
    wave: Sequence[RunningTask], balance: _Balance
) -> dict[str, deque[tuple[int, RunningTask]]]:
    """The tasks of each instance with their places in the caller's order, best to stop first."""
    queues: defaultdict[str, list[tuple[int, RunningTask]]] = defaultdict(list)
    for place, task in enumerate(wave):
        queues[task.instance_arn].append((place, task))
    return {
        arn: deque(sorted(queue, key=lambda entry: balance.rank(entry[1]), reverse=True))
        for arn, queue in queues.items()
    }


class _Balance:
    """Where the service's tasks are, while they are stopped one after the other."""

    def __init__(
        self,
        tasks: Sequence[RunningTask],
        instances: Mapping[str, CandidateInstance],
        strategies: Sequence[Strategy],
    ) -> None:
        self._instances = instances
        self._strategies = _before_random(strategies)
        # Per strategy: tasks by bucket for spread, what was given back by instance for binpack.
        self._counts: list[Counter[str | None]] = [Counter() for _ in self._strategies]
        for task in tasks:
            self._count(task, 1)

    def rank(self, task: RunningTask) -> tuple[float, ...]:
        """The higher the sooner it stops."""
        instance = self._instances.get(task.instance_arn)
        if instance is None:
            return (2.0, *(0.0 for _ in self._strategies))
        leaving = 1.0 if instance.status == "DRAINING" else 0.0
        ranks = (
            self._left(task, instance, strategy, counts)
            if strategy.type == "binpack"
            else counts[bucket(strategy.field, instance)]
            for strategy, counts in zip(self._strategies, self._counts, strict=True)
        )
        return (leaving, *ranks)

    def stop(self, task: RunningTask) -> None:
        """The task is gone: its bucket has one less, its instance more room."""
        self._count(task, -1)

    def _left(
        self,
        task: RunningTask,
        instance: CandidateInstance,
        strategy: Strategy,
        given_back: Counter[str | None],
    ) -> float:
        """What is left of the resource afterwards: stopping where it is most empties instances."""
        cpu = strategy.field.lower() == "cpu"
        remaining = instance.remaining_cpu if cpu else instance.remaining_memory
        return remaining + given_back[instance.arn] + (task.cpu if cpu else task.memory)

    def _count(self, task: RunningTask, change: int) -> None:
        instance = self._instances.get(task.instance_arn)
        if instance is None:
            return
        for strategy, counts in zip(self._strategies, self._counts, strict=True):
            if strategy.type == "spread":
                counts[bucket(strategy.field, instance)] += change
            elif change < 0:
                counts[instance.arn] += task.cpu if strategy.field.lower() == "cpu" else task.memory


def _before_random(strategies: Sequence[Strategy]) -> list[Strategy]:
    """What ``random`` leaves undecided is the caller's order, whatever comes after it."""
    kinds = [strategy.type for strategy in strategies]
    return list(strategies[: kinds.index("random")] if "random" in kinds else strategies)
