"""Launching: tasks hold what they ask for, where placement put them, or there is a reason."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduling_records import ARNS, CLUSTER_ARN, IDS, definition, instance

from homeport.domain.service import PlacementConstraint, PlacementStrategy
from homeport.domain.task_definition import ContainerDefinition, PortMapping
from homeport.scheduling.candidates import candidates
from homeport.scheduling.launch import LaunchResult, launch_tasks, start_tasks
from homeport.scheduling.stop import stop_task
from homeport.scheduling.template import TaskTemplate
from homeport.store import Store, Transaction
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import CONTAINER_INSTANCES, TABLES, TASKS

WEB = TaskTemplate(definition(), CLUSTER_ARN, "family:web")
A, B = instance("a").arn, instance("b").arn


def launch(
    tx: Transaction, count: int = 1, template: TaskTemplate = WEB, **rules: object
) -> LaunchResult:
    return launch_tasks(
        tx,
        template,
        count,
        now=1.0,
        ids=IDS,
        arns=ARNS,
        order=random.Random(7),
        **rules,  # type: ignore[arg-type]
    )


def big(cpu: int = 0, memory: int = 64, *ports: PortMapping) -> TaskTemplate:
    containers = (
        ContainerDefinition(name="web", image="w", cpu=cpu, memory=memory, port_mappings=ports),
    )
    return replace(WEB, task_definition=definition(containers=containers))


def where(result: LaunchResult) -> Counter[str | None]:
    return Counter(task.container_instance_arn for task in result.tasks)


def test_launched_tasks_are_in_the_store_and_hold_their_resources(tx: Transaction) -> None:
    result = launch(tx, 3)
    assert len(result.tasks) == 3
    assert (result.missing, result.refusals, result.unplaceable) == (0, (), None)
    assert [tx.get(TASKS, task.arn) for task in result.tasks] == list(result.tasks)
    left = sum(c.remaining_cpu for c in candidates(tx, CLUSTER_ARN))
    assert left == 2 * 2048 - 3 * 128


def test_each_placement_sees_the_reservations_before_it(tx: Transaction) -> None:
    result = launch(tx, 5, big(cpu=1024))
    assert where(result) == {A: 2, B: 2}
    assert result.missing == 1
    assert {(r.arn, r.reason) for r in result.refusals} == {
        (A, "RESOURCE:CPU"),
        (B, "RESOURCE:CPU"),
    }


def test_a_static_port_is_taken_once_per_instance(tx: Transaction) -> None:
    result = launch(tx, 3, big(0, 64, PortMapping(80, 8080)))
    assert where(result) == {A: 1, B: 1}
    assert {r.reason for r in result.refusals} == {"RESOURCE:PORTS"}


def test_a_stopping_task_still_holds_and_a_stopped_one_does_not(tx: Transaction) -> None:
    port = big(0, 64, PortMapping(80, 8080))
    first = launch(tx, 2, port).tasks[0]
    stopping = stop_task(tx, first, now=2.0, code="UserInitiated", reason="x")
    assert launch(tx, 1, port).missing == 1
    tx.put(TASKS, msgspec.structs.replace(stopping, last_status="STOPPED"))
    again = launch(tx, 1, port)
    assert where(again) == {first.container_instance_arn: 1}


def test_a_reserved_port_is_never_given(tx: Transaction) -> None:
    result = launch(tx, 1, big(0, 64, PortMapping(22, 22)))
    assert {r.reason for r in result.refusals} == {"RESOURCE:PORTS"}


def test_the_tasks_of_a_service_spread_over_zones_then_instances(tx: Transaction) -> None:
    tx.put(CONTAINER_INSTANCES, instance("c", availability_zone="us-east-1b"))
    service = replace(WEB, group="service:web", service_arn="service")
    placed = where(launch(tx, 4, service))
    assert placed == {A: 2, B: 1, instance("c").arn: 1}


def test_constraints_of_the_definition_and_the_request_both_bind(tx: Transaction) -> None:
    zoned = definition(
        placement_constraints=(("memberOf", "attribute:ecs.availability-zone == us-east-1a"),)
    )
    tx.put(
        CONTAINER_INSTANCES,
        instance("a", agent_attributes=(("ecs.availability-zone", "us-east-1a"),)),
    )
    template = replace(WEB, task_definition=zoned)
    result = launch(tx, 3, template, constraints=(PlacementConstraint("distinctInstance"),))
    assert where(result) == {A: 1}
    assert {r.reason for r in result.refusals} == {
        "MemberOf placement constraint unsatisfied",
        "DistinctInstance placement constraint unsatisfied",
    }


def test_binpack_fills_one_instance(tx: Transaction) -> None:
    result = launch(tx, 6, strategy=(PlacementStrategy("binpack", "memory"),))
    assert sorted(where(result).values()) == [6]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"agent_connected": False}, "AGENT"), ({"cpu": 0}, "RESOURCE:CPU")],
)
def test_refusals_name_the_instance_and_the_reason(
    tx: Transaction, fields: dict[str, object], reason: str
) -> None:
    tx.delete(CONTAINER_INSTANCES, B)
    tx.put(CONTAINER_INSTANCES, instance("a", **fields))
    result = launch(tx, 2)
    assert [(r.arn, r.reason) for r in result.refusals] == [(A, reason), (A, reason)]
    assert result.missing == 2
    assert result.unplaceable is not None
    closest = result.unplaceable.closest()
    assert closest is not None
    assert closest.reason == reason


@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE"])
def test_only_active_instances_take_tasks(tx: Transaction, status: str) -> None:
    tx.put(CONTAINER_INSTANCES, instance("a", status=status))
    assert where(launch(tx, 2)) == {B: 2}


def test_start_tasks_takes_the_given_instances(tx: Transaction) -> None:
    tx.put(CONTAINER_INSTANCES, instance("c", status="INACTIVE"))
    tx.put(CONTAINER_INSTANCES, instance("d", status="DRAINING"))
    gone = ARNS.ecs("container-instance/default/gone")
    c, d = instance("c").arn, instance("d").arn
    result = start_tasks(tx, WEB, [A, gone, c, d], now=1.0, ids=IDS, arns=ARNS)
    assert where(result) == {A: 1, d: 1}
    assert [(r.arn, r.reason) for r in result.refusals] == [(gone, "MISSING"), (c, "INACTIVE")]


@given(
    demands=st.lists(
        st.tuples(st.integers(0, 1500), st.integers(1, 1500), st.sampled_from([0, 22, 8080, 8081])),
        max_size=12,
    ),
    seed=st.integers(0, 100),
)
def test_no_instance_ever_holds_more_than_it_has(
    demands: list[tuple[int, int, int]], seed: int
) -> None:
    with Store(TABLES, MemoryJournal()).transaction() as tx:
        tx.put(CONTAINER_INSTANCES, instance("a"))
        tx.put(CONTAINER_INSTANCES, instance("b", memory=1024))
        for cpu, memory, port in demands:
            template = big(cpu, memory, PortMapping(80, port))
            launch_tasks(tx, template, 2, now=1.0, ids=IDS, arns=ARNS, order=random.Random(seed))
        for candidate in candidates(tx, CLUSTER_ARN):
            assert candidate.remaining_cpu >= 0
            assert candidate.remaining_memory >= 0
            held = tx.find(TASKS, "container_instance", candidate.arn)
            ports = [port for task in held for port in task.tcp_ports]
            assert len(ports) == len(set(ports))
            assert 22 not in ports
