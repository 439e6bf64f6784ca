"""What becomes of a deployment that has failed or that somebody stopped: it is halted, or the
service is rolled back to the last good one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from homeport.domain.service import Deployment, Service

FAILED_REASON = "ECS deployment circuit breaker: tasks failed to start."
STOPPED_REASON = "ECS deployment {} was stopped by StopServiceDeployment."

Say = Callable[[str], None]
"""Adds an event to the service."""


def failed(service: Service, now: float, say: Say) -> Service:
    """The service after its PRIMARY deployment has failed; rolled back where that is asked for."""
    primary = service.deployments[0]
    say(f"(deployment {primary.id}) deployment failed: tasks failed to start.")
    halted = _halted(primary, FAILED_REASON, now)
    if not service.circuit_breaker.rollback:
        return _with_halted(service, halted)
    return _back_or_halted(
        service, halted, "ECS deployment circuit breaker: rolling back", now, say
    )


def stopped(service: Service, now: float, say: Say) -> Service:
    """The service after somebody stopped its PRIMARY deployment.

    ABORT halts it: what runs goes on, nothing more is started. ROLLBACK needs no circuit breaker.
    """
    primary = service.deployments[0]
    say(f"(deployment {primary.id}) deployment stopped: StopServiceDeployment was called.")
    halted = _halted(primary, STOPPED_REASON.format(primary.id), now)
    if primary.stop_type == "ABORT":
        return _with_halted(service, halted)
    return _back_or_halted(service, halted, "ECS deployment stopped: rolling back", now, say)


def _halted(primary: Deployment, reason: str, now: float) -> Deployment:
    return msgspec.structs.replace(
        primary, rollout_state="FAILED", rollout_state_reason=reason, updated_at=now
    )


def _with_halted(service: Service, halted: Deployment) -> Service:
    deployments = (halted, *service.deployments[1:])
    return msgspec.structs.replace(service, deployments=deployments, last_failed=halted)


def _back_or_halted(
    service: Service, halted: Deployment, doing: str, now: float, say: Say
) -> Service:
    last_good = service.last_completed
    if last_good is None or last_good.id == halted.id:
        return _with_halted(service, halted)
    say(f"rolling back to deployment {last_good.id}.")
    return _rolled_back(service, halted, last_good, f"{doing} to deploymentId {last_good.id}.", now)


def _rolled_back(
    service: Service, halted: Deployment, last_good: Deployment, text: str, now: float
) -> Service:
    """The last COMPLETED deployment is PRIMARY again; the failed one goes to no tasks."""
    restored = msgspec.structs.replace(
        last_good,
        status="PRIMARY",
        rollout_state="IN_PROGRESS",
        rollout_state_reason=text,
        failed_tasks=0,
        consecutive_failures=0,
        next_launch_at=0.0,
        updated_at=now,
    )
    others = tuple(d for d in service.deployments[1:] if d.id != last_good.id)
    leaving = msgspec.structs.replace(halted, status="ACTIVE")
    return msgspec.structs.replace(
        service,
        deployments=(restored, leaving, *others),
        last_failed=leaving,
        task_definition_arn=restored.task_definition_arn,
        load_balancers=restored.load_balancers,
        network=restored.network,
        launch_type=restored.launch_type,
        capacity_provider_strategy=restored.capacity_provider_strategy,
        last_completed=None,  # while it is PRIMARY again it is no target of a rollback
    )
