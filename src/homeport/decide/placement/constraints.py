"""Placement constraints: ``distinctInstance`` and ``memberOf``. All must hold."""

from __future__ import annotations

from collections.abc import Sequence

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
) -> str | None:
    """The reason of the first constraint that the instance fails, or None.

    Raises QueryError for an expression that does not parse: callers validate it before.
    """
    for constraint in constraints:
        if constraint.type == "distinctInstance":
            if instance.group_counts.get(task.group):
                return DISTINCT_INSTANCE_REASON
        elif not matches(parse(constraint.expression), instance):
            return MEMBER_OF_REASON
    return None
