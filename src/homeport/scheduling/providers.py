"""Launches by a capacity provider strategy: divided first, then placed provider by provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from homeport.decide.capacity import distribute
from homeport.decide.placement import Unplaceable
from homeport.domain.arn import Arns, Ids
from homeport.domain.capacity_provider import launch_type_of
from homeport.domain.cluster import StrategyItem
from homeport.domain.service import PlacementConstraint, PlacementStrategy
from homeport.domain.task import Task
from homeport.store import Transaction

from .launch import LaunchResult, launch_tasks
from .template import TaskTemplate


def launch_by_strategy(
    tx: Transaction,
    template: TaskTemplate,
    count: int,
    *,
    capacity: Sequence[StrategyItem],
    running: Mapping[str, int],
    constraints: Sequence[PlacementConstraint] = (),
    strategy: Sequence[PlacementStrategy] = (),
    now: float,
    ids: Ids,
    arns: Arns,
) -> LaunchResult:
    """Place up to ``count`` tasks; ``running``: how many there are already, by provider.

    What one provider has no room for is not given to another ("Fargate Spot … doesn't fall back
    to FARGATE"): it is missing. Without a ``capacity`` strategy all are placed as the template
    says.
    """
    results = []
    for name, number in _batches(capacity, running, count):
        own = template
        if name is not None:
            own = replace(template, capacity_provider_name=name, launch_type=launch_type_of(name))
        results.append(
            launch_tasks(
                tx,
                own,
                number,
                constraints=constraints,
                strategy=strategy,
                now=now,
                ids=ids,
                arns=arns,
            )
        )
    return _together(results)


def by_provider(tasks: Iterable[Task]) -> Counter[str]:
    """How many tasks each provider has."""
    return Counter(t.capacity_provider_name for t in tasks if t.capacity_provider_name)


def _batches(
    capacity: Sequence[StrategyItem], running: Mapping[str, int], count: int
) -> list[tuple[str | None, int]]:
    if not capacity:
        return [(None, count)]
    return list(Counter(distribute(capacity, running, count)).items())


def _together(results: Sequence[LaunchResult]) -> LaunchResult:
    refused: list[Unplaceable] = [r.unplaceable for r in results if r.unplaceable is not None]
    return LaunchResult(
        tasks=tuple(task for result in results for task in result.tasks),
        refusals=tuple(refusal for result in results for refusal in result.refusals),
        unplaceable=refused[0] if refused else None,
        missing=sum(result.missing for result in results),
    )
