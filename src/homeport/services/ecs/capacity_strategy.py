"""Capacity provider strategies: parsed, checked, and what a launch comes to with one.

The messages are AWS's ("CreateService", "RunTask" and "PutClusterCapacityProviders" as clients
have seen them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeport.domain.arn import last_segment
from homeport.domain.capacity_provider import FARGATE_PROVIDERS, Strategy, launch_type_of
from homeport.domain.cluster import Cluster, StrategyItem
from homeport.domain.service import Service
from homeport.services.call import Call
from homeport.store.schema import CAPACITY_PROVIDERS

from .errors import InvalidParameterException
from .launch_checks import check_launch_type

MAX_ITEMS = 20
NOT_FOR_DAEMONS = (
    "The daemon scheduling strategy does not support a capacity provider strategy. Remove it and "
    "try again"
)

Request = Mapping[str, Any]  # RunTask, CreateService and UpdateService share members


@dataclass(frozen=True, slots=True)
class Capacity:
    """Where tasks are to run: a launch type and, if they go to providers, by which strategy."""

    launch_type: str = "EC2"
    strategy: Strategy = ()


def resolve_capacity(call: Call, cluster: Cluster, request: Request) -> Capacity:
    """What a request for tasks asks for; the cluster's default when it says nothing."""
    given = request.get("capacityProviderStrategy")
    launch_type = check_launch_type(request)
    if given:
        strategy = parse_strategy_items(given)
        _check_usable(cluster, strategy)
        return _with_strategy(strategy)
    if not request.get("launchType") and cluster.default_capacity_provider_strategy:
        default = cluster.default_capacity_provider_strategy
        if not any(item.weight or item.base for item in default):
            raise InvalidParameterException(
                "There are no capacity providers with a weight value greater than zero defined in "
                "the default capacity provider strategy. At least one capacity provider must have "
                "a weight value greater than zero specified. Update the cluster's default "
                "capacity provider strategy or specify a valid capacity provider strategy and try "
                "again."
            )
        return _with_strategy(default)
    return Capacity(launch_type)


def changed_capacity(cluster: Cluster, service: Service, request: Request) -> Capacity:
    """What UpdateService makes of a service; an empty strategy takes the present one away."""
    if "capacityProviderStrategy" not in request:
        return Capacity(service.launch_type, service.capacity_provider_strategy)
    strategy = parse_strategy_items(request["capacityProviderStrategy"])
    if strategy:
        _check_usable(cluster, strategy)
        if service.scheduling_strategy == "DAEMON":
            raise InvalidParameterException(NOT_FOR_DAEMONS)
    if strategy != service.capacity_provider_strategy and not request.get("forceNewDeployment"):
        raise InvalidParameterException(
            "When switching from launch type to capacity provider strategy on an existing "
            "service, or making a change to a capacity provider strategy on a service that is "
            "already using one, you must force a new deployment."
        )
    return _with_strategy(strategy) if strategy else Capacity(service.launch_type)


def without_strategy(capacity: Capacity, request: Request) -> Capacity:
    """A DAEMON has a task on every instance: no strategy divides them, nor does a default."""
    if request.get("capacityProviderStrategy"):
        raise InvalidParameterException(NOT_FOR_DAEMONS)
    return capacity if not capacity.strategy else Capacity()


def _with_strategy(strategy: Strategy) -> Capacity:
    return Capacity(launch_type_of(strategy[0].capacity_provider), strategy)


def parse_strategy_items(items: Sequence[Mapping[str, Any]]) -> Strategy:
    """``capacityProviderStrategy``, checked by itself."""
    if len(items) > MAX_ITEMS:
        raise InvalidParameterException(
            f"capacityProviderStrategy cannot contain more than {MAX_ITEMS} capacity providers."
        )
    strategy = tuple(_item(item) for item in items)
    names = [item.capacity_provider for item in strategy]
    if len(set(names)) < len(names):
        raise InvalidParameterException(
            "capacityProviderStrategy: a capacity provider can be specified only once."
        )
    if len({name in FARGATE_PROVIDERS for name in names}) > 1:
        raise InvalidParameterException(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto "
            "Scaling groups and Fargate providers. Specify one or the other and try again."
        )
    if sum(item.base > 0 for item in strategy) > 1:
        raise InvalidParameterException(
            "There are multiple capacity providers in the specified capacity provider strategy "
            "with a base value defined. Only one capacity provider can have a base value defined. "
            "Update the capacity provider strategy and try again."
        )
    return strategy


def _item(item: Mapping[str, Any]) -> StrategyItem:
    name = last_segment(item["capacityProvider"])
    if not name:
        raise InvalidParameterException(
            "capacityProviderStrategy.capacityProvider can not be blank."
        )
    return StrategyItem(name, item.get("weight") or 0, item.get("base") or 0)


def _check_usable(cluster: Cluster, strategy: Strategy) -> None:
    if any(item.capacity_provider not in cluster.capacity_providers for item in strategy):
        raise InvalidParameterException(
            "The specified capacity provider strategy cannot contain a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider with the cluster "
            "and try again."
        )
    # A provider without a weight that is alone can take nothing beyond its base.
    if not any(item.weight for item in strategy):
        raise InvalidParameterException(
            "There are no capacity providers in the capacity provider strategy with a weight "
            "value greater than zero. At least one capacity provider must have a weight value "
            "greater than zero specified."
        )


def parse_cluster_providers(
    call: Call, names: Sequence[str], default: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], Strategy]:
    """The providers of a cluster and its default strategy, which names only those."""
    providers = tuple(dict.fromkeys(last_segment(name) for name in names))
    if len(providers) > MAX_ITEMS:
        raise InvalidParameterException(
            f"capacityProviders: a cluster can have at most {MAX_ITEMS} capacity providers."
        )
    for name in providers:
        check_exists(call, name)
    strategy = parse_strategy_items(default)
    if any(item.capacity_provider not in providers for item in strategy):
        raise InvalidParameterException(
            "The specified default capacity provider strategy cannot contain a capacity provider "
            "that is not associated with the cluster. Associate the capacity provider with the "
            "cluster and try again."
        )
    return providers, strategy


def check_exists(call: Call, name: str) -> None:
    """InvalidParameterException for a provider that is not there."""
    arn = call.arns.ecs(f"capacity-provider/{name}")
    if name not in FARGATE_PROVIDERS and call.tx.get(CAPACITY_PROVIDERS, arn) is None:
        raise InvalidParameterException(
            f"The specified capacity provider '{name[:255]}' was not found. Specify a valid name "
            "or ARN and try again."
        )


def strategy_view(strategy: Strategy) -> list[dict[str, object]]:
    """A strategy as ECS shows it."""
    return [
        {"capacityProvider": item.capacity_provider, "weight": item.weight, "base": item.base}
        for item in strategy
    ]
