"""A task's healthStatus follows its essential containers."""

from __future__ import annotations

import pytest

from homeport.agentlink.tcs import with_health
from homeport.domain.task import Container, HealthStatus, Task

H: HealthStatus = "HEALTHY"
S: HealthStatus = "UNHEALTHY"
U: HealthStatus = "UNKNOWN"


def task(*names: str) -> Task:
    containers = tuple(Container(arn=n, name=n, image="i") for n in names)
    return Task("arn", "cluster", "definition", "group", 0.0, containers)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, U),
        ({"a": H}, U),  # b has no check, or no verdict yet
        ({"a": H, "b": H}, H),
        ({"a": S}, S),
        ({"a": S, "b": H}, S),
        ({"a": H, "b": H, "side": S}, H),
        ({"side": H}, U),
    ],
)
def test_it_is_as_the_reference_says(
    statuses: dict[str, HealthStatus], expected: HealthStatus
) -> None:
    told = with_health(task("a", "b", "side"), statuses, {"a", "b"})
    assert told.health_status == expected
    assert {c.name: c.health_status for c in told.containers} == {
        "a": U,
        "b": U,
        "side": U,
        **statuses,
    }


def test_the_last_verdict_stands_until_another_comes() -> None:
    told = with_health(task("a"), {"a": H}, {"a"})
    assert with_health(told, {"a": U}, {"a"}).health_status == H
    assert with_health(told, {"a": S}, {"a"}).health_status == S
