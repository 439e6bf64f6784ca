"""Service events: the one place that appends to a service's ``events[]``."""

from __future__ import annotations

import msgspec

from homeport.domain.arn import Ids
from homeport.domain.event import ServiceAction
from homeport.domain.service import Service, ServiceEvent
from homeport.store import Transaction
from homeport.store.schema import SERVICE_EVENTS, SERVICES

KEPT_EVENTS = 100
NO_ACTION = ServiceAction()
REPEAT_AFTER_SECONDS = 6 * 3600.0


def add_service_event(
    tx: Transaction,
    service_arn: str,
    message: str,
    now: float,
    ids: Ids,
    action: ServiceAction = NO_ACTION,
    reason: str = "",
) -> ServiceEvent | None:
    """Append ``message`` (AWS's words, with the ``(service NAME)`` prefix) to a service's events.

    The newest 100 are kept. The message of the latest event is not repeated within six hours
    ("Amazon ECS service event messages", developer guide). ``action``: what EventBridge is told,
    with ``reason``. Returns the event, or None when it
    was a repetition or the service is gone. The service's record is rewritten (its
    ``last_event_sequence``), so a caller that holds one must read it again before writing it.
    """
    service = tx.get(SERVICES, service_arn)
    if service is None or _repeats(tx, service, message, now):
        return None
    sequence = service.last_event_sequence + 1
    tx.put(SERVICES, msgspec.structs.replace(service, last_event_sequence=sequence))
    tx.delete(SERVICE_EVENTS, event_key(service_arn, sequence - KEPT_EVENTS))
    event = ServiceEvent(
        service_arn=service_arn,
        sequence=sequence,
        id=ids.uuid(),
        created_at=now,
        message=message,
        action_type=action.type,
        action_name=action.name,
        reason=reason,
    )
    return tx.put(SERVICE_EVENTS, event)


def newest_events(tx: Transaction, service_arn: str) -> list[ServiceEvent]:
    """The kept events of a service, newest first."""
    events = tx.find(SERVICE_EVENTS, "service", service_arn)
    return sorted(events, key=lambda event: -event.sequence)


def delete_events(tx: Transaction, service_arn: str) -> None:
    """Forget every event of a service (its name is given to a new one, or it is purged)."""
    for event in tx.find(SERVICE_EVENTS, "service", service_arn):
        tx.delete(SERVICE_EVENTS, SERVICE_EVENTS.key(event))


def event_key(service_arn: str, sequence: int) -> str:
    """Key of an event in its table."""
    return f"{service_arn}|{sequence:012d}"


def _repeats(tx: Transaction, service: Service, message: str, now: float) -> bool:
    latest = tx.get(SERVICE_EVENTS, event_key(service.arn, service.last_event_sequence))
    return (
        latest is not None
        and latest.message == message
        and now - latest.created_at < REPEAT_AFTER_SECONDS
    )
