"""The circuit breaker trips where AWS's guide says it does."""

from __future__ import annotations

import pytest

from homeport.decide.circuit_breaker import threshold, trips
from homeport.domain.service import CircuitBreaker


@pytest.mark.parametrize(
    ("desired", "expected"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)]
)
def test_the_threshold_is_half_the_desired_count_within_bounds(desired: int, expected: int) -> None:
    assert threshold(CircuitBreaker(enable=True), desired) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("UNBOUNDED_PERCENT", 50, 1), ("UNBOUNDED_PERCENT", 100, 2), ("COUNT", 7, 7)],
)
def test_other_thresholds(kind: str, value: int, expected: int) -> None:
    breaker = CircuitBreaker(enable=True, threshold_type=kind, value=value)  # type: ignore[arg-type]
    assert threshold(breaker, 2) == expected


def test_it_trips_only_when_it_is_enabled() -> None:
    assert not trips(CircuitBreaker(), 100, 1)
    assert not trips(CircuitBreaker(enable=True), 2, 1)
    assert trips(CircuitBreaker(enable=True), 3, 1)
