"""What becomes of a deployment that has failed: halted, or rolled back to the last good one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from homeport.domain.service import Deployment, Service

FAILED_REASON = "ECS deployment circuit breaker: tasks failed to start."

Say = Callable[[str], None]
"""Adds an event to the service."""


def failed(service: Service, now: float, say: Say) -> Service:
    """The service after its PRIMARY deployment has failed; rolled back where that is asked for."""
    primary = service.deployments[0]
    say(f"(deployment {primary.id}) deployment failed: tasks failed to start.")
    halted = msgspec.structs.replace(
        primary, rollout_state="FAILED", rollout_state_reason=FAILED_REASON, updated_at=now
    )
    last_good = service.last_completed
    if not service.circuit_breaker.rollback or last_good is None or last_good.id == primary.id:
        deployments = (halted, *service.deployments[1:])
        return msgspec.structs.replace(service, deployments=deployments, last_failed=halted)
    say(f"rolling back to deployment {last_good.id}.")
    return _rolled_back(service, halted, last_good, now)


def _rolled_back(
    service: Service, halted: Deployment, last_good: Deployment, now: float
) -> Service:
    """The last COMPLETED deployment is PRIMARY again; the failed one goes to no tasks."""
    text = f"ECS deployment circuit breaker: rolling back to deploymentId {last_good.id}."
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
        last_completed=None,  # while it is PRIMARY again it is no target of a rollback
    )
