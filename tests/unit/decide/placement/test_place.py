"""Where a task goes: what binds, what is best effort, in AWS's order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from placement_records import DISTINCT, binpack, instance, member_of, place_many, spread, task

from homeport.decide.placement import (
    CandidateInstance,
    Placed,
    PlacementRules,
    Unplaceable,
    place,
)
from homeport.decide.placement.candidate import reserve
from homeport.decide.placement.constraints import DISTINCT_INSTANCE_REASON, MEMBER_OF_REASON
from homeport.decide.placement.strategies import SERVICE_DEFAULT, Strategy

ANYWHERE = PlacementRules()


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
    ("demand", "facts"),
    [
        ({"cpu": 1024, "memory": 1024}, {}),
        ({}, {"remaining_cpu": 0, "remaining_memory": 0}),
        ({"tcp_ports": [80]}, {"used_tcp_ports": frozenset({81}), "used_udp_ports": {80}}),
        ({"udp_ports": [53]}, {"used_udp_ports": frozenset({54}), "used_tcp_ports": {53}}),
        ({"required_attributes": frozenset({"gpu"})}, {"attributes": {"gpu": None, "x": "y"}}),
    ],
)
def test_the_last_bit_of_an_instance_can_be_used(
    demand: dict[str, Any], facts: dict[str, Any]
) -> None:
    assert place(task(**demand), [instance(**facts)], ANYWHERE) == Placed("arn/one")


def test_what_was_reserved_is_not_given_twice() -> None:
    wanted = task(cpu=100, memory=200, tcp_ports=[80], udp_ports=[53])
    after = reserve(instance(), wanted)
    assert (after.remaining_cpu, after.remaining_memory) == (924, 824)
    assert (after.used_tcp_ports, after.used_udp_ports) == ({80}, {53})
    assert after.group_counts == {"family:web": 1}
    result = place(wanted, [after], ANYWHERE)
    assert isinstance(result, Unplaceable)
    assert [(r.reason, r.failed) for r in result.refusals] == [("RESOURCE:PORTS", 2)]


def test_the_first_filter_that_fails_is_the_reason() -> None:
    """In the order in which AWS's documentation lists them: resources, then constraints."""
    facts: dict[str, Any] = {
        "agent_connected": False,
        "remaining_cpu": 0,
        "remaining_memory": 0,
        "used_tcp_ports": frozenset({80}),
        "used_udp_ports": frozenset({53}),
        "group_counts": {"family:web": 1},
    }
    mended: dict[str, Any] = {
        "agent_connected": True,
        "attributes": {"gpu": None},
        "remaining_cpu": 1,
        "remaining_memory": 1,
        "used_tcp_ports": frozenset(),
        "used_udp_ports": frozenset(),
    }
    wanted = task(
        cpu=1,
        memory=1,
        tcp_ports=[80],
        udp_ports=[53],
        required_attributes=frozenset({"gpu"}),
    )
    rules = PlacementRules((member_of("attribute:rack == two"), DISTINCT))
    seen = []
    for name in (None, *mended):
        facts |= {name: mended[name]} if name else {}
        result = place(wanted, [instance(**facts)], rules)
        assert isinstance(result, Unplaceable)
        seen.append((result.refusals[0].reason, result.refusals[0].failed))
    assert seen == [
        ("AGENT", 8),
        ("ATTRIBUTE", 7),
        ("RESOURCE:CPU", 6),
        ("RESOURCE:MEMORY", 5),
        ("RESOURCE:PORTS", 4),
        ("RESOURCE:PORTS_UDP", 3),
        (MEMBER_OF_REASON, 2),
    ]


def test_constraints_bind_even_where_the_strategy_would_rather_not() -> None:
    rules = PlacementRules((member_of("attribute:rack == two"),), (spread("instanceId"),))
    one, two = instance("1", attributes={"rack": "one"}), instance("2", attributes={"rack": "two"})
    chosen, _ = place_many(task(), 3, [one, two], rules)
    assert chosen == ["arn/2"] * 3


def test_a_task_can_keep_away_from_another_group() -> None:
    """Anti-affinity as AWS's documentation writes it."""
    rules = PlacementRules((member_of("not(task:group == service:noisy)"),))
    noisy = instance("noisy", group_counts={"service:noisy": 1})
    assert place(task(), [noisy, instance("quiet")], rules) == Placed("arn/quiet")


@pytest.mark.parametrize("field", ["instanceId", "host", "INSTANCEID"])
def test_host_is_another_name_of_instance_id(field: str) -> None:
    rules = PlacementRules(strategies=(spread(field),))
    chosen, _ = place_many(task(), 4, [instance("1"), instance("2")], rules)
    assert Counter(chosen) == {"arn/1": 2, "arn/2": 2}


def test_spread_counts_the_tasks_of_its_own_group_alone() -> None:
    rules = PlacementRules(strategies=(spread("instanceId"),))
    mine = instance("mine", group_counts={"family:web": 1})
    other = instance("other", group_counts={"family:db": 9})
    assert place(task(), [mine, other], rules) == Placed("arn/other")


def test_spread_counts_a_zones_tasks_on_instances_that_are_full() -> None:
    rules = PlacementRules(strategies=(spread("attribute:ecs.availability-zone"),))
    full = instance("full", availability_zone="a", remaining_cpu=0, group_counts={"family:web": 2})
    a, b = instance("a", availability_zone="a"), instance("b", availability_zone="b")
    busy = reserve(b, task())
    assert place(task(cpu=1), [full, a, busy], rules) == Placed("arn/b")


def test_spread_over_an_attribute_of_ones_own() -> None:
    rules = PlacementRules(strategies=(spread("attribute:rack"),))
    racks = [instance(str(n), attributes={"rack": r}) for n, r in enumerate("xxyz")]
    chosen, _ = place_many(task(), 6, racks, rules)
    assert Counter("xxyz"[int(arn[4:])] for arn in chosen) == {"x": 2, "y": 2, "z": 2}


def test_without_a_strategy_a_service_spreads_over_zones_then_instances() -> None:
    rules = PlacementRules(strategies=SERVICE_DEFAULT)
    chosen, _ = place_many(task("service:web"), 8, zones({"a": 2, "b": 2}), rules)
    assert Counter(chosen) == {"arn/a0": 2, "arn/a1": 2, "arn/b0": 2, "arn/b1": 2}


def test_binpack_of_cpu_looks_at_cpu() -> None:
    instances = [
        instance("little-cpu", remaining_cpu=100, remaining_memory=900),
        instance("little-memory", remaining_cpu=900, remaining_memory=100),
    ]
    wanted = task(cpu=10, memory=10)
    by_cpu, by_memory = (PlacementRules(strategies=(binpack(f),)) for f in ("cpu", "memory"))
    assert place(wanted, instances, by_cpu) == Placed("arn/little-cpu")
    assert place(wanted, instances, by_memory) == Placed("arn/little-memory")


def test_what_stands_after_random_decides_nothing() -> None:
    rules = PlacementRules(strategies=(Strategy("random"), binpack("memory")))
    instances = [instance("roomy"), instance("tight", remaining_memory=10)]
    assert place(task(), instances, rules) == Placed("arn/roomy")


def test_random_breaks_the_ties_that_are_left() -> None:
    rules = PlacementRules(strategies=(binpack("memory"), Strategy("random")))
    tight = [instance(name, remaining_memory=10) for name in "ab"]
    assert place(task(), [instance("roomy"), *tight], rules) == Placed("arn/a")
    assert place(task(), [*tight[::-1], instance("roomy")], rules) == Placed("arn/b")
