"""The ``filter`` of ListContainerInstances: a cluster query."""

from __future__ import annotations

from collections.abc import Callable

from homeport.decide.placement.cluster_query import QueryError, matches, parse
from homeport.domain.container_instance import ContainerInstance
from homeport.scheduling.candidates import candidate
from homeport.store import Transaction

from .errors import InvalidParameterException


def instance_filter(tx: Transaction, expression: str) -> Callable[[ContainerInstance], bool]:
    """Whether an instance satisfies ``expression``; a bad one is InvalidParameterException."""
    try:
        parsed = parse(expression)
    except QueryError as error:
        raise InvalidParameterException(f"Invalid filter expression: {error}") from error
    return lambda instance: matches(parsed, candidate(tx, instance))
