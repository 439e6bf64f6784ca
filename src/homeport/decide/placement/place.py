"""Places one task."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .candidate import CandidateInstance, TaskToPlace
from .constraints import DISTINCT_INSTANCE_REASON, MEMBER_OF_REASON, Constraint, unsatisfied
from .resources import refusals
from .strategies import Strategy, choose


class PlacementRules(msgspec.Struct, frozen=True):
    """Constraints of the definition and the request together, and the strategies in order."""

    constraints: tuple[Constraint, ...] = ()
    strategies: tuple[Strategy, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """Why one instance can't take the task (``RESOURCE:CPU``, ``AGENT``, …).

    ``reason`` is the first filter that failed, ``failed`` how many did.
    """

    instance_arn: str
    reason: str
    failed: int = 1


class Placed(msgspec.Struct, frozen=True):
    """The chosen instance."""

    instance_arn: str


class Unplaceable(msgspec.Struct, frozen=True):
    """No instance can take the task; no refusals at all means no ACTIVE instance."""

    refusals: tuple[Refusal, ...]

    def closest(self) -> Refusal | None:
        """The refusal of the instance that passed the most filters.

        The same one whatever order the instances came in: a service event that named another
        instance at each attempt would never count as a repetition.
        """
        return min(self.refusals, key=_distance, default=None)


# From what is easiest to mend: of instances that lack one thing each, room is told first.
_NEAREST = (
    "RESOURCE:CPU",
    "RESOURCE:MEMORY",
    "RESOURCE:PORTS",
    "RESOURCE:PORTS_UDP",
    DISTINCT_INSTANCE_REASON,
    MEMBER_OF_REASON,
    "ATTRIBUTE",
    "AGENT",
)


def _distance(refused: Refusal) -> tuple[int, int, str]:
    return refused.failed, _NEAREST.index(refused.reason), refused.instance_arn


def place(
    task: TaskToPlace, instances: Sequence[CandidateInstance], rules: PlacementRules
) -> Placed | Unplaceable:
    """Choose an instance. ``instances`` is in the order that breaks ties (the caller shuffles).

    Only ACTIVE instances are candidates. To place several tasks, ``reserve`` the chosen one
    before placing the next.
    """
    active = [i for i in instances if i.status == "ACTIVE"]
    fitting: list[CandidateInstance] = []
    refused: list[Refusal] = []
    for instance in active:
        reasons = [*refusals(task, instance), *unsatisfied(rules.constraints, task, instance)]
        if reasons:
            refused.append(Refusal(instance.arn, reasons[0], len(reasons)))
        else:
            fitting.append(instance)
    if not fitting:
        return Unplaceable(tuple(refused))
    return Placed(choose(fitting, active, task, rules.strategies).arn)
