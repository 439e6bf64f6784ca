"""Places one task."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .candidate import CandidateInstance, TaskToPlace
from .constraints import Constraint, unsatisfied
from .resources import refusal
from .strategies import Strategy, choose


class PlacementRules(msgspec.Struct, frozen=True):
    """Constraints of the definition and the request together, and the strategies in order."""

    constraints: tuple[Constraint, ...] = ()
    strategies: tuple[Strategy, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """Why one instance can't take the task (``RESOURCE:CPU``, ``AGENT``, …)."""

    instance_arn: str
    reason: str


class Placed(msgspec.Struct, frozen=True):
    """The chosen instance."""

    instance_arn: str


class Unplaceable(msgspec.Struct, frozen=True):
    """No instance can take the task; no refusals at all means no ACTIVE instance."""

    refusals: tuple[Refusal, ...]

    def closest(self) -> Refusal | None:
        """The refusal of the instance that passed the most filters."""
        return max(self.refusals, key=_filters_passed, default=None)


FILTER_ORDER = (
    "AGENT",
    "ATTRIBUTE",
    "MemberOf placement constraint unsatisfied",
    "DistinctInstance placement constraint unsatisfied",
    "RESOURCE:MEMORY",
    "RESOURCE:CPU",
    "RESOURCE:PORTS_UDP",
    "RESOURCE:PORTS",
)


def _filters_passed(refused: Refusal) -> int:
    return FILTER_ORDER.index(refused.reason) if refused.reason in FILTER_ORDER else 0


def place(
    task: TaskToPlace, instances: Sequence[CandidateInstance], rules: PlacementRules
) -> Placed | Unplaceable:
    """Choose an instance. ``instances`` is in the order that breaks ties (the caller shuffles).

    Only ACTIVE instances are candidates. To place several tasks, ``reserve`` the chosen one
    before placing the next.
    """
    active = [i for i in instances if i.status == "ACTIVE"]
    fitting: list[CandidateInstance] = []
    refusals: list[Refusal] = []
    for instance in active:
        reason = refusal(task, instance) or unsatisfied(rules.constraints, task, instance)
        if reason is None:
            fitting.append(instance)
        else:
            refusals.append(Refusal(instance.arn, reason))
    if not fitting:
        return Unplaceable(tuple(refusals))
    return Placed(choose(fitting, active, task, rules.strategies).arn)
