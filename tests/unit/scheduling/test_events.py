"""Service events: the newest hundred, newest first, no message twice in a row."""

from __future__ import annotations

import pytest
from scheduling_records import ARNS, CLUSTER_ARN, IDS

from homeport.domain.service import Service
from homeport.scheduling.events import add_service_event, delete_events, newest_events
from homeport.store import Transaction
from homeport.store.schema import SERVICE_EVENTS, SERVICES

SERVICE_ARN = ARNS.ecs("service/default/web")


@pytest.fixture(autouse=True)
def service(tx: Transaction) -> None:
    tx.put(
        SERVICES,
        Service(
            arn=SERVICE_ARN,
            name="web",
            cluster_arn=CLUSTER_ARN,
            task_definition_arn=ARNS.ecs("task-definition/web:1"),
            desired_count=1,
            created_at=0.0,
            created_by=ARNS.root(),
            deployments=(),
        ),
    )


def messages(tx: Transaction) -> list[str]:
    return [event.message for event in newest_events(tx, SERVICE_ARN)]


def test_events_are_newest_first(tx: Transaction) -> None:
    for message in ("one", "two", "three"):
        add_service_event(tx, SERVICE_ARN, message, 1.0, IDS)
    assert messages(tx) == ["three", "two", "one"]


def test_only_the_newest_hundred_are_kept(tx: Transaction) -> None:
    for number in range(250):
        add_service_event(tx, SERVICE_ARN, f"event {number}", float(number), IDS)
    kept = messages(tx)
    assert len(kept) == len(tx.all(SERVICE_EVENTS)) == 100
    assert kept[0] == "event 249"
    assert kept[-1] == "event 150"


def test_a_repeated_message_is_suppressed_for_six_hours(tx: Transaction) -> None:
    assert add_service_event(tx, SERVICE_ARN, "stuck", 0.0, IDS)
    assert add_service_event(tx, SERVICE_ARN, "stuck", 6 * 3600 - 1.0, IDS) is None
    assert add_service_event(tx, SERVICE_ARN, "stuck", 6 * 3600.0, IDS)
    assert messages(tx) == ["stuck", "stuck"]


def test_a_message_may_come_again_after_another(tx: Transaction) -> None:
    for message in ("stuck", "placed", "stuck"):
        add_service_event(tx, SERVICE_ARN, message, 0.0, IDS)
    assert messages(tx) == ["stuck", "placed", "stuck"]


def test_a_vanished_service_has_no_events(tx: Transaction) -> None:
    assert add_service_event(tx, SERVICE_ARN + "-gone", "hello", 0.0, IDS) is None
    add_service_event(tx, SERVICE_ARN, "hello", 0.0, IDS)
    delete_events(tx, SERVICE_ARN)
    assert messages(tx) == []
