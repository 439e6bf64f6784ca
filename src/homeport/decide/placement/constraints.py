"""Placement constraints: ``distinctInstance`` and ``memberOf``. All must hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from .candidate import CandidateInstance, TaskToPlace
from .cluster_query import matches, parse

MEMBER_OF_REASON = "MemberOf placement constraint unsatisfied"
DISTINCT_INSTANCE_REASON = "DistinctInstance placement constraint unsatisfied"


class Constraint(msgspec.Struct, frozen=True):
    """``expression`` is a cluster query for memberOf, empty for distinctInstance."""

    type: str
    expression: str = ""


def unsatisfied(
    constraints: Sequence[Constraint], task: TaskToPlace, instance: CandidateInstance
) -> Iterator[str]:
    """The reason of each constraint that the instance fails, in the constraints' order.

    Raises QueryError for an expression that does not parse: callers validate it before.
    """
    for constraint in constraints:
        if constraint.type == "distinctInstance":
            if instance.group_counts.get(task.group):
                yield DISTINCT_INSTANCE_REASON
        elif not matches(parse(constraint.expression), instance):
            yield MEMBER_OF_REASON
