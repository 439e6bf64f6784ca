"""``placementConstraints`` and ``placementStrategy`` of a request, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeport.decide.placement.cluster_query import QueryError, parse
from homeport.domain.service import PlacementConstraint, PlacementStrategy
from homeport.domain.task_definition import TaskDefinition

from .errors import InvalidParameterException

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import PlacementConstraintTypeDef, PlacementStrategyTypeDef

MAX_CONSTRAINTS = 10
MAX_STRATEGIES = 5
# What ECS returns for a field, whatever case it was given in.
_SPREAD_FIELDS = {"instanceid": "instanceId", "host": "instanceId"}


def parse_constraints(
    items: Sequence[PlacementConstraintTypeDef], definition: TaskDefinition
) -> tuple[PlacementConstraint, ...]:
    """The constraints of a request; with those of the definition they are at most ten."""
    if len(items) + len(definition.placement_constraints) > MAX_CONSTRAINTS:
        raise InvalidParameterException("Placement constraints cannot exceed 10 items.")
    return tuple(_constraint(item.get("type", ""), item.get("expression", "")) for item in items)


def parse_strategy(items: Sequence[PlacementStrategyTypeDef]) -> tuple[PlacementStrategy, ...]:
    """The strategies of a request, fields spelled as ECS returns them."""
    if len(items) > MAX_STRATEGIES:
        raise InvalidParameterException("Placement strategy cannot exceed 5 items.")
    return tuple(_strategy(item.get("type", ""), item.get("field", "")) for item in items)


def _constraint(kind: str, expression: str) -> PlacementConstraint:
    match kind:
        case "distinctInstance":
            if expression:
                raise InvalidParameterException(
                    "A distinctInstance placement constraint must not have an expression."
                )
        case "memberOf":
            _check_expression(expression)
        case _:
            raise InvalidParameterException(
                "Placement constraint type should be one of [distinctInstance, memberOf]"
            )
    return PlacementConstraint(kind, expression)


def _check_expression(expression: str) -> None:
    try:
        parse(expression)
    except QueryError as error:
        raise InvalidParameterException(f"Invalid expression: {error}") from error


def _strategy(kind: str, field: str) -> PlacementStrategy:
    match kind:
        case "random":
            if field:
                raise InvalidParameterException(
                    "A random placement strategy must not have a field."
                )
        case "binpack":
            field = field.lower()
            if field not in ("cpu", "memory"):
                raise InvalidParameterException(
                    "The field of a binpack placement strategy should be one of [cpu, memory]"
                )
        case "spread":
            field = _spread_field(field)
        case _:
            raise InvalidParameterException(
                "Placement strategy type should be one of [random, spread, binpack]"
            )
    return PlacementStrategy(kind, field)


def _spread_field(field: str) -> str:
    known = _SPREAD_FIELDS.get(field.lower())
    if known:
        return known
    name = field.removeprefix("attribute:")
    if not field.startswith("attribute:") or not name:
        raise InvalidParameterException(
            "The field of a spread placement strategy should be instanceId, host or attribute:NAME."
        )
    return field
