"""Which capacity provider the next task goes to, and which one gives a task back.

"Amazon ECS capacity provider strategy concepts", developer guide: ``base`` is how many tasks run
at a minimum on one provider; what is beyond it is divided by ``weight``. Here one task at a time:
first the base is filled, then each task goes to the provider whose share is the least filled,
``(tasks − base) / weight``; ties go to the one that the strategy names first. So weights 1 and 4
give one and four of every five tasks, whatever the sizes of the batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from homeport.domain.cluster import StrategyItem


def distribute(
    strategy: Sequence[StrategyItem], counts: Mapping[str, int], number: int
) -> list[str]:
    """The providers of the next ``number`` tasks; ``counts``: tasks that there are, by provider.

    The strategy has an item with a weight above 0, or enough base for all.
    """
    there = Counter(counts)
    chosen = []
    for _ in range(number):
        name = _next(strategy, there)
        there[name] += 1
        chosen.append(name)
    return chosen


def stop_order(strategy: Sequence[StrategyItem], providers: Sequence[str]) -> list[int]:
    """Positions of tasks, given by provider, the first to stop first.

    Tasks of providers that the strategy does not name go first, then always one whose end leaves
    the shares as ``distribute`` would fill them; the base goes last. Tasks of one provider keep
    the order they are given in.
    """
    named = {item.capacity_provider for item in strategy}
    order = [place for place, name in enumerate(providers) if name not in named]
    left = {name: [place for place, own in enumerate(providers) if own == name] for name in named}
    while any(left.values()):
        name = _last(strategy, {name: len(places) for name, places in left.items()})
        order.append(left[name].pop(0))
    return order


def _next(strategy: Sequence[StrategyItem], counts: Mapping[str, int]) -> str:
    for item in strategy:
        if counts.get(item.capacity_provider, 0) < item.base:
            return item.capacity_provider
    weighted = [item for item in strategy if item.weight > 0] or strategy
    return min(weighted, key=lambda item: _filled(item, counts)).capacity_provider


def _last(strategy: Sequence[StrategyItem], counts: Mapping[str, int]) -> str:
    """The provider to take from: the one that was filled the furthest, of equals the last."""
    there = [item for item in strategy if counts.get(item.capacity_provider, 0)]
    beyond = [item for item in there if counts[item.capacity_provider] > item.base] or there
    return max(reversed(beyond), key=lambda item: _filled(item, counts, 1)).capacity_provider


def _filled(item: StrategyItem, counts: Mapping[str, int], less: int = 0) -> Fraction:
    beyond = counts.get(item.capacity_provider, 0) - item.base - less
    # A task beyond the base of a provider without weight is there by an earlier strategy.
    return Fraction(beyond, item.weight) if item.weight else Fraction(beyond + 1) * 10**6
