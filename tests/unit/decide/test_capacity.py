"""Base and weight: how tasks are divided among capacity providers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.decide.capacity import distribute, stop_order
from homeport.domain.cluster import StrategyItem


def item(name: str, weight: int = 0, base: int = 0) -> StrategyItem:
    return StrategyItem(name, weight, base)


@pytest.mark.parametrize(
    ("strategy", "count", "expected"),
    [
        ((item("a", 1),), 3, {"a": 3}),
        ((item("a", 1), item("b", 4)), 5, {"a": 1, "b": 4}),
        ((item("a", 1), item("b", 4)), 10, {"a": 2, "b": 8}),
        ((item("a", 1, 2), item("b", 4)), 2, {"a": 2}),
        ((item("a", 1, 2), item("b", 4)), 7, {"a": 3, "b": 4}),
        ((item("a", 0, 2), item("b", 1)), 5, {"a": 2, "b": 3}),
        ((item("a", 1), item("b", 1, 1)), 1, {"b": 1}),
        ((item("a", 1), item("b", 1)), 3, {"a": 2, "b": 1}),
        ((item("a", 0), item("b", 1)), 4, {"b": 4}),
    ],
)
def test_tasks_are_divided_as_the_guide_says(
    strategy: tuple[StrategyItem, ...], count: int, expected: dict[str, int]
) -> None:
    assert Counter(distribute(strategy, {}, count)) == expected


def test_what_there_is_counts() -> None:
    strategy = (item("a", 1), item("b", 1))
    assert distribute(strategy, {"a": 3}, 4) == ["b", "b", "b", "a"]


def test_tasks_of_a_provider_that_is_not_named_any_more_go_first() -> None:
    strategy = (item("a", 1), item("b", 1))
    assert stop_order(strategy, ["a", "old", "b"]) == [1, 2, 0]
    assert stop_order(strategy, ["a", "", "b"])[0] == 1


def test_the_base_goes_last() -> None:
    strategy = (item("a", 0, 1), item("b", 1))
    assert stop_order(strategy, ["a", "b", "b"]) == [1, 2, 0]


STRATEGIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=4).map(
    lambda items: tuple(
        # One base at most, and a weight somewhere, as the operations demand.
        item(f"p{n}", weight or (1 if n == 0 else 0), base if n == len(items) - 1 else 0)
        for n, (weight, base) in enumerate(items)
    )
)


@given(strategy=STRATEGIES, first=st.integers(0, 30), more=st.integers(0, 30))
def test_it_does_not_matter_in_how_many_batches(
    strategy: tuple[StrategyItem, ...], first: int, more: int
) -> None:
    before = distribute(strategy, {}, first)
    after = distribute(strategy, Counter(before), more)
    assert before + after == distribute(strategy, {}, first + more)


@given(strategy=STRATEGIES, count=st.integers(0, 60))
def test_the_base_is_filled_and_shares_are_never_more_than_one_task_off(
    strategy: tuple[StrategyItem, ...], count: int
) -> None:
    there = Counter(distribute(strategy, {}, count))
    base = {i.capacity_provider: i.base for i in strategy}
    total_base = sum(base.values())
    if count <= total_base:
        assert all(there[name] <= base[name] for name in base)
        return
    weights = sum(i.weight for i in strategy)
    for i in strategy:
        beyond = there[i.capacity_provider] - i.base
        fair = (count - total_base) * i.weight / weights
        assert beyond >= 0
        assert abs(beyond - fair) <= len(strategy)
        assert i.weight or beyond == 0


@given(strategy=STRATEGIES, count=st.integers(0, 30), data=st.data())
def test_stopping_undoes_what_starting_did(
    strategy: tuple[StrategyItem, ...], count: int, data: st.DataObject
) -> None:
    providers = data.draw(st.permutations(distribute(strategy, {}, count)))
    order = stop_order(strategy, providers)
    assert sorted(order) == list(range(count))
    for stopped in range(count + 1):
        left = Counter(providers[place] for place in order[stopped:])
        assert left == Counter(distribute(strategy, {}, count - stopped))
