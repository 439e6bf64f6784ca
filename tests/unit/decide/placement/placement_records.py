"""Instances and tasks for placement tests."""

from __future__ import annotations

from typing import Any

from homeport.decide.placement import CandidateInstance, TaskToPlace
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
