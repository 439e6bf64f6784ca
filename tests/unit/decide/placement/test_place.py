"""Where a task goes, and why it does not go elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement_records import DISTINCT, binpack, instance, member_of, spread, task

from homeport.decide.placement import (
    CandidateInstance,
    Placed,
    PlacementRules,
    TaskToPlace,
    Unplaceable,
    place,
)
from homeport.decide.placement.candidate import reserve
from homeport.decide.placement.constraints import DISTINCT_INSTANCE_REASON, MEMBER_OF_REASON
from homeport.decide.placement.explain import unplaceable_message
from homeport.decide.placement.scale_in import RunningTask, stop_order
from homeport.decide.placement.strategies import Strategy

ANYWHERE = PlacementRules()


def place_many(
    wanted: TaskToPlace, count: int, instances: list[CandidateInstance], rules: PlacementRules
) -> tuple[list[str], list[CandidateInstance]]:
    """Where each task went, one after the other, and what is left."""
    chosen: list[str] = []
    for _ in range(count):
        result = place(wanted, instances, rules)
        if not isinstance(result, Placed):
            break
        chosen.append(result.instance_arn)
        instances = [reserve(i, wanted) if i.arn == result.instance_arn else i for i in instances]
    return chosen, instances


@pytest.mark.parametrize(
    ("demand", "facts", "reason"),
    [
        ({"cpu": 1025}, {}, "RESOURCE:CPU"),
        ({"memory": 1025}, {}, "RESOURCE:MEMORY"),
        ({"tcp_ports": [80]}, {"used_tcp_ports": frozenset({22, 80})}, "RESOURCE:PORTS"),
        ({"udp_ports": [53]}, {"used_udp_ports": frozenset({53})}, "RESOURCE:PORTS_UDP"),
        ({}, {"agent_connected": False}, "AGENT"),
        ({"required_attributes": frozenset({"gpu"})}, {}, "ATTRIBUTE"),
    ],
)
def test_an_instance_that_cannot_take_a_task_has_a_reason(
    demand: dict[str, Any], facts: dict[str, Any], reason: str
) -> None:
    result = place(task(**demand), [instance(**facts)], ANYWHERE)
    assert isinstance(result, Unplaceable)
    assert [r.reason for r in result.refusals] == [reason]
    assert place(task(), [instance()], ANYWHERE) == Placed("arn/one")


def test_a_tcp_port_and_a_udp_port_are_different_ports() -> None:
    wanted = task(udp_ports=[53])
    result = place(wanted, [instance(used_tcp_ports=frozenset({53}))], ANYWHERE)
    assert isinstance(result, Placed)


@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE", "REGISTERING"])
def test_only_active_instances_are_candidates(status: str) -> None:
    assert place(task(), [instance(status=status)], ANYWHERE) == Unplaceable(())


def test_constraints_bind_and_all_must_hold() -> None:
    rules = PlacementRules((member_of("attribute:rack == two"), DISTINCT))
    wrong = instance("wrong", attributes={"rack": "one"})
    busy = instance("busy", attributes={"rack": "two"}, group_counts={"family:web": 1})
    result = place(task(), [wrong, busy], rules)
    assert isinstance(result, Unplaceable)
    assert [r.reason for r in result.refusals] == [MEMBER_OF_REASON, DISTINCT_INSTANCE_REASON]
    free = instance("free", attributes={"rack": "two"}, group_counts={"family:db": 1})
    assert place(task(), [wrong, busy, free], rules) == Placed("arn/free")


def test_distinct_instance_is_about_the_tasks_own_group() -> None:
    rules = PlacementRules((DISTINCT,))
    instances = [instance(str(n)) for n in range(3)]
    chosen, left = place_many(task(), 5, instances, rules)
    assert len(chosen) == len(set(chosen)) == 3
    assert place(task("family:other"), left, rules) == Placed("arn/0")


def zones(counts: dict[str, int]) -> list[CandidateInstance]:
    return [
        instance(f"{zone}{n}", availability_zone=zone, attributes={"ecs.availability-zone": zone})
        for zone, count in counts.items()
        for n in range(count)
    ]


def test_spread_over_zones_counts_zones_not_instances() -> None:
    rules = PlacementRules(strategies=(spread("attribute:ecs.availability-zone"),))
    chosen, _ = place_many(task(), 6, zones({"a": 3, "b": 1}), rules)
    assert Counter(arn[4] for arn in chosen) == {"a": 3, "b": 3}


def test_each_strategy_breaks_the_ties_of_the_one_before() -> None:
    rules = PlacementRules(
        strategies=(spread("attribute:ecs.availability-zone"), binpack("memory"))
    )
    chosen, _ = place_many(task(memory=100), 4, zones({"a": 2, "b": 2}), rules)
    assert Counter(chosen) == {"arn/a0": 2, "arn/b0": 2}


def test_binpack_fills_the_fullest_instance_that_fits() -> None:
    instances = [
        instance("empty"),
        instance("half", remaining_memory=512),
        instance("full", remaining_memory=50),
    ]
    rules = PlacementRules(strategies=(binpack("memory"),))
    assert place(task(memory=100), instances, rules) == Placed("arn/half")
    assert place(task(memory=10), instances, rules) == Placed("arn/full")


def test_random_takes_the_callers_order() -> None:
    rules = PlacementRules(strategies=(Strategy("random"),))
    instances = [instance("b"), instance("a")]
    assert place(task(), instances, rules) == Placed("arn/b")
    assert place(task(), instances[::-1], rules) == Placed("arn/a")


def test_an_instance_without_the_spread_attribute_comes_last() -> None:
    rules = PlacementRules(strategies=(spread("attribute:rack"),))
    instances = [instance("none"), instance("one", attributes={"rack": "r"})]
    chosen, _ = place_many(task(), 3, instances, rules)
    assert chosen == ["arn/one"] * 3


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"remaining_memory": 0}, "has insufficient memory available."),
        ({"remaining_cpu": 0}, "has insufficient CPU units available."),
        ({"used_tcp_ports": frozenset({80})}, "is already using a port required by your task."),
        ({"agent_connected": False}, 'encountered error "AGENT".'),
    ],
)
def test_a_services_event_says_why_in_awss_words(facts: dict[str, Any], words: str) -> None:
    result = place(task(cpu=1, memory=1, tcp_ports=[80]), [instance(**facts)], ANYWHERE)
    assert isinstance(result, Unplaceable)
    message = unplaceable_message("web", result)
    assert message.startswith("(service web) was unable to place a task because no container")
    assert f"The closest matching (container-instance one) {words}" in message


def test_an_empty_cluster_says_so() -> None:
    message = unplaceable_message("web", Unplaceable(()))
    assert "No Container Instances were found in your cluster." in message


def test_a_shrinking_service_stops_waiting_tasks_and_then_the_fullest_zone() -> None:
    instances = {i.arn: i for i in zones({"a": 1, "b": 1})}
    tasks = [
        RunningTask("b1", "arn/b0", True),
        RunningTask("a1", "arn/a0", True),
        RunningTask("a2", "arn/a0", True),
        RunningTask("starting", "arn/b0", False),
    ]
    assert stop_order(tasks, instances)[:2] == ["starting", "a1"]


def test_a_task_whose_host_is_gone_is_stopped_first() -> None:
    instances = {i.arn: i for i in zones({"a": 1})}
    tasks = [RunningTask("here", "arn/a0", True), RunningTask("lost", "arn/gone", True)]
    assert stop_order(tasks, instances) == ["lost", "here"]


INSTANCES = st.lists(
    st.builds(
        lambda cpu, memory, zone: {"remaining_cpu": cpu, "remaining_memory": memory, "zone": zone},
        st.integers(0, 400),
        st.integers(0, 400),
        st.sampled_from("abc"),
    ),
    max_size=6,
)
STRATEGIES = st.lists(
    st.sampled_from(
        [
            spread("instanceId"),
            spread("attribute:ecs.availability-zone"),
            binpack("cpu"),
            binpack("memory"),
            Strategy("random"),
        ]
    ),
    max_size=3,
)


def build(facts: list[dict[str, Any]]) -> list[CandidateInstance]:
    return [
        instance(
            str(number),
            remaining_cpu=f["remaining_cpu"],
            remaining_memory=f["remaining_memory"],
            availability_zone=f["zone"],
            attributes={"ecs.availability-zone": f["zone"]},
        )
        for number, f in enumerate(facts)
    ]


@given(INSTANCES, STRATEGIES, st.integers(0, 200), st.integers(0, 200), st.booleans())
def test_nothing_is_placed_beyond_what_there_is(
    facts: list[dict[str, Any]], strategies: list[Strategy], cpu: int, memory: int, port: bool
) -> None:
    wanted = task(cpu=cpu, memory=memory, tcp_ports=[80] if port else [])
    rules = PlacementRules(strategies=tuple(strategies))
    chosen, left = place_many(wanted, 10, build(facts), rules)
    assert all(i.remaining_cpu >= 0 and i.remaining_memory >= 0 for i in left)
    if port:
        assert len(set(chosen)) == len(chosen)
    if len(chosen) < 10:
        result = place(wanted, left, rules)
        assert isinstance(result, Unplaceable)
        assert len(result.refusals) == len(left), "every instance has its reason"


@given(INSTANCES, st.integers(1, 12))
def test_spread_keeps_instances_even_while_all_fit(facts: list[dict[str, Any]], count: int) -> None:
    instances = build(facts)
    chosen, _ = place_many(
        task(), count, instances, PlacementRules(strategies=(spread("instanceId"),))
    )
    if instances:
        counts = Counter({i.arn: 0 for i in instances})
        counts.update(chosen)
        assert max(counts.values()) - min(counts.values()) <= 1


@given(INSTANCES, st.integers(1, 8), st.integers(1, 100), st.randoms(use_true_random=False))
def test_binpack_uses_no_more_instances_than_spread(
    facts: list[dict[str, Any]], count: int, memory: int, chance: Any
) -> None:
    wanted = task(memory=memory)
    packed, _ = place_many(
        wanted, count, build(facts), PlacementRules(strategies=(binpack("memory"),))
    )
    even, _ = place_many(
        wanted, count, build(facts), PlacementRules(strategies=(spread("instanceId"),))
    )
    if len(packed) == len(even):
        assert len(set(packed)) <= len(set(even))


@given(INSTANCES, STRATEGIES, st.randoms(use_true_random=False))
def test_whether_a_task_fits_does_not_depend_on_the_order(
    facts: list[dict[str, Any]], strategies: list[Strategy], chance: Any
) -> None:
    instances = build(facts)
    shuffled = instances[:]
    chance.shuffle(shuffled)
    wanted, rules = task(cpu=100, memory=100), PlacementRules(strategies=tuple(strategies))
    first, second = place(wanted, instances, rules), place(wanted, shuffled, rules)
    assert isinstance(first, Placed) == isinstance(second, Placed)
