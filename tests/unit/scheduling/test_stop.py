"""Stopping a task: forward only, the first reason stands, targets drain first."""

from __future__ import annotations

from dataclasses import replace as replace_template

import msgspec
import pytest
from scheduling_records import ARNS, CLUSTER_ARN, IDS, definition, instance

from homeport.domain.cluster import Tag
from homeport.domain.task import TASK_STATUS_ORDER, Task
from homeport.scheduling.stop import orphan_task, stop_task
from homeport.scheduling.template import TaskTemplate, new_task
from homeport.store import Transaction
from homeport.store.schema import TASKS


def put_task(tx: Transaction, **fields: object) -> Task:
    template = TaskTemplate(definition(), CLUSTER_ARN, "family:web")
    template = replace_template(template, tags=(Tag("a", "b"),))
    task = new_task(template, instance("a"), now=1.0, ids=IDS, arns=ARNS)
    return tx.put(TASKS, msgspec.structs.replace(task, **fields))


@pytest.mark.parametrize("status", ["PENDING", "ACTIVATING", "RUNNING"])
def test_a_task_without_targets_goes_to_stopping(tx: Transaction, status: str) -> None:
    task = put_task(tx, last_status=status)
    stopped = stop_task(tx, task, now=5.0, code="UserInitiated", reason="enough")
    assert stopped.desired_status == "STOPPED"
    assert stopped.last_status == "STOPPING"
    assert stopped.stopping_at == 5.0
    assert (stopped.stop_code, stopped.stopped_reason) == ("UserInitiated", "enough")
    assert stopped.version == task.version + 1
    assert tx.get(TASKS, task.arn) == stopped


def test_a_task_with_registered_targets_drains_first(tx: Transaction) -> None:
    task = put_task(tx, last_status="RUNNING", targets_registered=True)
    stopped = stop_task(tx, task, now=5.0, code="ServiceSchedulerInitiated", reason="scaling")
    assert stopped.last_status == "DEACTIVATING"


def test_the_first_reason_stands(tx: Transaction) -> None:
    task = put_task(tx, last_status="RUNNING")
    first = stop_task(tx, task, now=5.0, code="UserInitiated", reason="first")
    assert stop_task(tx, task, now=6.0, code="TerminationNotice", reason="second") == first


@pytest.mark.parametrize("status", list(TASK_STATUS_ORDER))
def test_a_stop_never_moves_a_task_backwards(tx: Transaction, status: str) -> None:
    task = put_task(tx, last_status=status)
    stopped = stop_task(tx, task, now=5.0, code="UserInitiated", reason="enough")
    assert TASK_STATUS_ORDER[stopped.last_status] >= TASK_STATUS_ORDER[task.last_status]


def test_a_reason_is_cut_at_1024_characters(tx: Transaction) -> None:
    stopped = stop_task(tx, put_task(tx), now=5.0, code="UserInitiated", reason="x" * 3000)
    assert stopped.stopped_reason == "x" * 1024


def test_an_orphan_is_stopped_at_once_and_frees_its_resources(tx: Transaction) -> None:
    task = put_task(tx, last_status="RUNNING")
    ended = orphan_task(tx, task, now=7.0, code="UserInitiated", reason="host gone")
    assert ended.last_status == ended.desired_status == "STOPPED"
    assert ended.stopped_at == ended.stopping_at == 7.0
    assert not ended.holds_resources()
    assert ended.tags == ()


def test_an_orphan_keeps_the_reason_it_was_stopped_for(tx: Transaction) -> None:
    task = put_task(tx, last_status="RUNNING")
    stop_task(tx, task, now=5.0, code="UserInitiated", reason="enough")
    ended = orphan_task(tx, task, now=7.0, code="TerminationNotice", reason="host gone")
    assert (ended.stop_code, ended.stopped_reason) == ("UserInitiated", "enough")
    assert ended.stopping_at == 5.0
