"""The members that CreateService and UpdateService share: parsed, checked, refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeport.domain.service import CircuitBreaker

from .errors import ClientException, InvalidParameterException
from .not_run_yet import refusal

MAX_GRACE_SECONDS = 2_147_483_647
DEFAULT_MINIMUM_HEALTHY_PERCENT = 100
DEFAULT_MAXIMUM_PERCENT = 200

Request = Mapping[str, Any]  # CreateService and UpdateService


@dataclass(frozen=True, slots=True)
class Percents:
    """minimumHealthyPercent and maximumPercent."""

    minimum_healthy: int = DEFAULT_MINIMUM_HEALTHY_PERCENT
    maximum: int = DEFAULT_MAXIMUM_PERCENT


def parse_percents(request: Request, current: Percents) -> Percents:
    """``deploymentConfiguration`` over what stands; refuses all but the rolling strategy."""
    configuration: Request = request.get("deploymentConfiguration") or {}
    _refuse_other_strategies(configuration)
    minimum = configuration.get("minimumHealthyPercent")
    maximum = configuration.get("maximumPercent")
    percents = Percents(
        current.minimum_healthy if minimum is None else minimum,
        current.maximum if maximum is None else maximum,
    )
    if not 0 <= percents.minimum_healthy <= 100:
        raise InvalidParameterException("minimumHealthyPercent must be between 0 and 100.")
    if percents.maximum < max(1, percents.minimum_healthy) or percents.maximum > 10_000:
        raise InvalidParameterException(
            "maximumPercent must be greater than 0 and not below minimumHealthyPercent."
        )
    return percents


def parse_scheduling_strategy(request: Request) -> str:
    """``schedulingStrategy``; a DAEMON has no count and no placement strategy of its own."""
    strategy: str = request.get("schedulingStrategy") or "REPLICA"
    if strategy not in ("REPLICA", "DAEMON"):
        raise InvalidParameterException("schedulingStrategy must be one of [REPLICA, DAEMON]")
    if strategy == "DAEMON" and request.get("desiredCount") is not None:
        raise InvalidParameterException(
            "The daemon scheduling strategy does not support a desired count for services. Remove "
            "the desired count value and try again"
        )
    if strategy == "DAEMON" and request.get("placementStrategy"):
        raise InvalidParameterException(
            "The daemon scheduling strategy does not support placementStrategy. Remove it and "
            "try again"
        )
    return strategy


def default_percents(strategy: str) -> Percents:
    """What a new service has unless it says otherwise."""
    return Percents(0, 100) if strategy == "DAEMON" else Percents()


def parse_circuit_breaker(request: Request, current: CircuitBreaker) -> CircuitBreaker:
    """``deploymentConfiguration.deploymentCircuitBreaker`` over what stands."""
    configuration: Request = request.get("deploymentConfiguration") or {}
    given: Request | None = configuration.get("deploymentCircuitBreaker")
    if given is None:
        return current
    threshold: Request = given.get("thresholdConfiguration") or {}
    kind, value = threshold.get("type", "BOUNDED_PERCENT"), threshold.get("value", 50)
    if kind not in ("BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"):
        raise InvalidParameterException(
            "deploymentCircuitBreaker.thresholdConfiguration.type must be one of "
            "[BOUNDED_PERCENT, UNBOUNDED_PERCENT, COUNT]"
        )
    if value < 1 or (kind != "COUNT" and value > 100):
        raise InvalidParameterException(
            "deploymentCircuitBreaker.thresholdConfiguration.value must be at least 1, and at "
            "most 100 for a percentage."
        )
    return CircuitBreaker(
        enable=bool(given.get("enable")),
        rollback=bool(given.get("rollback")),
        reset_on_healthy_task=given.get("resetOnHealthyTask", True) is not False,
        threshold_type=kind,
        value=value,
    )


def parse_desired_count(value: int) -> int:
    """``desiredCount``."""
    if value < 0:
        raise InvalidParameterException("DesiredCount must not be negative.")
    return value


def parse_grace_period(value: int | None) -> int | None:
    """``healthCheckGracePeriodSeconds``."""
    if value is not None and not 0 <= value <= MAX_GRACE_SECONDS:
        raise InvalidParameterException(
            f"healthCheckGracePeriodSeconds must be between 0 and {MAX_GRACE_SECONDS}."
        )
    return value


def parse_propagate_tags(value: str | None, current: str = "NONE") -> str:
    """``propagateTags``: SERVICE, TASK_DEFINITION or NONE."""
    if value not in (None, "NONE", "SERVICE", "TASK_DEFINITION"):
        raise InvalidParameterException(
            "propagateTags must be one of [SERVICE, TASK_DEFINITION, NONE]"
        )
    return value or current


def refuse_not_run_yet(request: Request) -> None:
    """ClientException for controllers, strategies and rebalancing that Homeport lacks."""
    controller = (request.get("deploymentController") or {}).get("type")
    if controller not in (None, "ECS"):
        raise ClientException(refusal(f"deploymentController {controller}"))
    if request.get("availabilityZoneRebalancing") == "ENABLED":
        raise ClientException(refusal("availabilityZoneRebalancing ENABLED"))


def _refuse_other_strategies(configuration: Request) -> None:
    strategy = configuration.get("strategy")
    if strategy not in (None, "ROLLING"):
        raise ClientException(refusal(f"deploymentConfiguration.strategy {strategy}"))
    for member in ("alarms", "earlySuccessCriteria"):
        if (configuration.get(member) or {}).get("enable"):
            raise ClientException(refusal(f"deploymentConfiguration.{member}"))
    for member in (
        "lifecycleHooks",
        "bakeTimeInMinutes",
        "linearConfiguration",
        "canaryConfiguration",
    ):
        if configuration.get(member):
            raise ClientException(refusal(f"deploymentConfiguration.{member}"))
