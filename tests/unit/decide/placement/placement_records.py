"""Instances and tasks for placement tests."""

from __future__ import annotations

from typing import Any

from homeport.decide.placement import (
    CandidateInstance,
    Placed,
    PlacementRules,
    TaskToPlace,
    place,
)
from homeport.decide.placement.candidate import reserve
from homeport.decide.placement.constraints import Constraint
from homeport.decide.placement.strategies import Strategy


def instance(name: str = "one", **facts: Any) -> CandidateInstance:
    settings: dict[str, Any] = {
        "ec2_instance_id": f"i-{name}",
        "availability_zone": "us-east-1a",
        "remaining_cpu": 1024,
        "remaining_memory": 1024,
        **facts,
    }
    return CandidateInstance(arn=f"arn/{name}", **settings)


def task(group: str = "family:web", **demand: Any) -> TaskToPlace:
    ports = {k: frozenset(demand.pop(k)) for k in ("tcp_ports", "udp_ports") if k in demand}
    return TaskToPlace(group=group, **ports, **demand)


def member_of(expression: str) -> Constraint:
    return Constraint("memberOf", expression)


DISTINCT = Constraint("distinctInstance")


def spread(field: str) -> Strategy:
    return Strategy("spread", field)


def binpack(field: str) -> Strategy:
    return Strategy("binpack", field)


def place_many(
    wanted: TaskToPlace, count: int, instances: list[CandidateInstance], rules: PlacementRules
) -> tuple[list[str], list[CandidateInstance]]:
    """Where each task went, one after the other, and what is left."""
    chosen: list[str] = []
    for _ in range(count):
        result = place(wanted, instances, rules)
        if not isinstance(result, Placed):
            break
        chosen.append(result.instance_arn)
        instances = [reserve(i, wanted) if i.arn == result.instance_arn else i for i in instances]
    return chosen, instances
