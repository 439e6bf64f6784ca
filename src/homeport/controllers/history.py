"""Writes the history of services: deployments and revisions, derived from the services alone.

A deployment's record follows its service: IN_PROGRESS until the service says COMPLETED
(SUCCESSFUL) or FAILED (rolled back, or STOPPED); one that a newer deployment overtook is STOPPED
once its tasks are gone. StopServiceDeployment alone writes here besides: what was requested.
Records of services that are forgotten go with them, the others after 90 days.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from homeport.domain.arn import Arns, Ids, last_segment
from homeport.domain.service import Deployment, Service
from homeport.domain.service_deployment import OVER, ServiceDeployment, ServiceRevision
from homeport.store import Change, Transaction
from homeport.store.schema import (
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
)

KEEP_SECONDS = 90 * 24 * 3600.0
ROLLED_BACK = "Service deployment rolled back because the circuit breaker threshold was exceeded."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
OVERTAKEN = "A newer deployment was started."


class HistoryController:
    """Keys are service ARNs."""

    name = "history"

    def __init__(self, ids: Ids, arns: Arns) -> None:
        self._ids = ids
        self._arns = arns

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """A service that changed."""
        return (change.key,) if change.of(SERVICES) else ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every service, and those that are gone but have a history."""
        remembered = {d.service_arn for d in tx.all(SERVICE_DEPLOYMENTS)}
        return remembered | {service.arn for service in tx.all(SERVICES)}

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """Bring the records of one service in line with it."""
        service = tx.get(SERVICES, key)
        records = {d.deployment_id: d for d in tx.find(SERVICE_DEPLOYMENTS, "service", key)}
        if service is None:
            for record in records.values():
                self._forget(tx, record)
            return None
        source = self._running_revisions(service, records)
        for deployment in reversed(service.deployments):
            if deployment.id not in records:
                records[deployment.id] = self._new(tx, service, deployment, source)
        for record in records.values():
            if record.created_at + KEEP_SECONDS < now and record.status in OVER:
                self._forget(tx, record)
                continue
            while (changed := _following(service, record, records, now)) != record:
                record = tx.put(SERVICE_DEPLOYMENTS, changed)
        return None

    def _running_revisions(
        self, service: Service, records: dict[str, ServiceDeployment]
    ) -> tuple[str, ...]:
        known = (records.get(d.id) for d in service.deployments[1:])
        return tuple(record.target_revision_arn for record in known if record is not None)

    def _new(
        self, tx: Transaction, service: Service, deployment: Deployment, source: tuple[str, ...]
    ) -> ServiceDeployment:
        path = f"{last_segment(service.cluster_arn)}/{service.name}"
        definition = tx.get(TASK_DEFINITIONS, deployment.task_definition_arn)
        revision = tx.put(
            SERVICE_REVISIONS,
            ServiceRevision(
                arn=self._arns.ecs(f"service-revision/{path}/{self._ids.digits19()}"),
                service_arn=service.arn,
                cluster_arn=service.cluster_arn,
                task_definition_arn=deployment.task_definition_arn,
                created_at=deployment.created_at,
                launch_type=deployment.launch_type,
                capacity_provider_strategy=deployment.capacity_provider_strategy,
                platform_version=deployment.platform_version,
                load_balancers=deployment.load_balancers,
                network=deployment.network,
                container_images=tuple((c.name, c.image) for c in definition.containers)
                if definition
                else (),
            ),
        )
        return tx.put(
            SERVICE_DEPLOYMENTS,
            ServiceDeployment(
                arn=self._arns.ecs(f"service-deployment/{path}/{self._ids.uuid()}"),
                deployment_id=deployment.id,
                service_arn=service.arn,
                cluster_arn=service.cluster_arn,
                created_at=deployment.created_at,
                updated_at=deployment.created_at,
                target_revision_arn=revision.arn,
                source_revision_arns=source,
                minimum_healthy_percent=service.minimum_healthy_percent,
                maximum_percent=service.maximum_percent,
                circuit_breaker=service.circuit_breaker,
            ),
        )

    def _forget(self, tx: Transaction, record: ServiceDeployment) -> None:
        tx.delete(SERVICE_DEPLOYMENTS, record.arn)
        tx.delete(SERVICE_REVISIONS, record.target_revision_arn)


def _following(
    service: Service,
    record: ServiceDeployment,
    records: dict[str, ServiceDeployment],
    now: float,
) -> ServiceDeployment:
    """The record as its service has it now; what is over stays as it was."""
    if record.status in OVER:
        return record
    primary = service.deployments[0]
    known = [*service.deployments, *filter(None, [service.last_failed])]
    own = next((d for d in known if d.id == record.deployment_id), None)
    if record.status == "ROLLBACK_IN_PROGRESS":
        if primary.rollout_state == "COMPLETED":
            return _over(record, "ROLLBACK_SUCCESSFUL", record.status_reason, now)
        if primary.rollout_state == "FAILED":
            return _over(record, "ROLLBACK_FAILED", primary.rollout_state_reason, now)
        return record
    if own is not None and own.rollout_state == "COMPLETED":
        return _over(record, "SUCCESSFUL", "", now)
    if own is not None and own.rollout_state == "FAILED":
        return _failed(service, record, own, records, now)
    if own is None:
        return _over(record, "STOPPED", record.status_reason or OVERTAKEN, now)
    if own.id != primary.id and record.status != "STOP_REQUESTED":
        return msgspec.structs.replace(
            record, status="STOP_REQUESTED", status_reason=OVERTAKEN, updated_at=now
        )
    return msgspec.structs.replace(record, failed_tasks=own.failed_tasks)


def _failed(
    service: Service,
    record: ServiceDeployment,
    own: Deployment,
    records: dict[str, ServiceDeployment],
    now: float,
) -> ServiceDeployment:
    record = msgspec.structs.replace(
        record, failed_tasks=own.failed_tasks, circuit_breaker_triggered=not own.stop_type
    )
    primary = service.deployments[0]
    target = records.get(primary.id)
    if primary.id == own.id or target is None:
        wanted = service.circuit_breaker.rollback and not own.stop_type
        if wanted or own.stop_type == "ROLLBACK":
            return _over(record, "ROLLBACK_FAILED", NO_CANDIDATE, now)
        return _over(record, "STOPPED", own.rollout_state_reason, now)
    return msgspec.structs.replace(
        record,
        status="ROLLBACK_IN_PROGRESS",
        status_reason=record.status_reason if own.stop_type else ROLLED_BACK,
        rollback_started_at=now,
        rollback_revision_arn=target.target_revision_arn,
        updated_at=now,
    )


def _over(record: ServiceDeployment, status: str, reason: str, now: float) -> ServiceDeployment:
    stopped_at = now if status == "STOPPED" else None
    document = {"status": status, "status_reason": reason, "updated_at": now}
    return msgspec.structs.replace(record, **document, finished_at=now, stopped_at=stopped_at)
