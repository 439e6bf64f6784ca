"""What holds of placement whatever the cluster looks like."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from placement_records import DISTINCT, binpack, instance, member_of, place_many, spread, task

from homeport.decide.placement import CandidateInstance, Placed, PlacementRules, Unplaceable, place
from homeport.decide.placement.strategies import Strategy

ZONE = spread("attribute:ecs.availability-zone")
INSTANCES = st.lists(
    st.builds(
        lambda cpu, memory, zone, rack, tcp, count: {
            "remaining_cpu": cpu,
            "remaining_memory": memory,
            "availability_zone": zone,
            "attributes": {"rack": rack} if rack else {},
            "used_tcp_ports": frozenset(tcp),
            "group_counts": {"family:web": count},
        },
        st.integers(0, 400),
        st.integers(0, 400),
        st.sampled_from("abc"),
        st.sampled_from(["x", "y", None]),
        st.sets(st.sampled_from([80, 81])),
        st.integers(0, 2),
    ),
    max_size=6,
).map(lambda facts: [instance(str(number), **f) for number, f in enumerate(facts)])
DETERMINISTIC = st.sampled_from(
    [ZONE, spread("instanceId"), spread("attribute:rack"), binpack("cpu"), binpack("memory")]
)
STRATEGIES = st.lists(DETERMINISTIC | st.just(Strategy("random")), max_size=3).map(tuple)
CONSTRAINTS = st.lists(
    st.sampled_from([DISTINCT, member_of("attribute:rack == x"), member_of("attribute:rack != y")]),
    max_size=2,
).map(tuple)
DEMANDS = st.builds(
    lambda cpu, memory, tcp: task(cpu=cpu, memory=memory, tcp_ports=tcp),
    st.integers(0, 200),
    st.integers(0, 200),
    st.sets(st.sampled_from([80, 81]), max_size=1),
)
COUNT = 10


def room(count: int, **facts: Any) -> list[CandidateInstance]:
    return [instance(str(n), **facts) for n in range(count)]


@given(INSTANCES, DEMANDS, CONSTRAINTS, STRATEGIES)
def test_nothing_is_placed_beyond_what_there_is(
    instances: list[CandidateInstance], wanted: Any, constraints: Any, strategies: Any
) -> None:
    rules = PlacementRules(constraints, strategies)
    chosen, left = place_many(wanted, COUNT, instances, rules)
    counts, before = Counter(chosen), {i.arn: i for i in instances}
    for after in left:
        was, count = before[after.arn], counts[after.arn]
        assert after.remaining_cpu == was.remaining_cpu - count * wanted.cpu >= 0
        assert after.remaining_memory == was.remaining_memory - count * wanted.memory >= 0
        assert not (count and wanted.tcp_ports & was.used_tcp_ports)
        assert count <= 1 or not wanted.tcp_ports
        if count and DISTINCT in constraints:
            assert count == 1
            assert not was.group_counts.get(wanted.group)
        if count and member_of("attribute:rack == x") in constraints:
            assert was.attributes.get("rack") == "x"


@given(INSTANCES, DEMANDS, CONSTRAINTS, STRATEGIES)
def test_a_task_is_refused_only_where_each_instance_has_a_reason(
    instances: list[CandidateInstance], wanted: Any, constraints: Any, strategies: Any
) -> None:
    rules = PlacementRules(constraints, strategies)
    chosen, left = place_many(wanted, COUNT, instances, rules)
    if len(chosen) < COUNT:
        result = place(wanted, left, rules)
        assert isinstance(result, Unplaceable)
        assert [r.instance_arn for r in result.refusals] == [i.arn for i in left]
        assert all(r.failed > 0 for r in result.refusals)


def ranks(
    chosen: CandidateInstance, instances: list[CandidateInstance], strategies: tuple[Strategy, ...]
) -> list[float]:
    """What each strategy thinks of an instance; by its definition, not by the code's."""
    result: list[float] = []
    for strategy in strategies:
        if strategy.type == "binpack":
            result.append(getattr(chosen, f"remaining_{strategy.field}"))
            continue

        def value(i: CandidateInstance, strategy: Strategy = strategy) -> str | None:
            if strategy == ZONE:
                return i.availability_zone
            return i.arn if strategy.field == "instanceId" else i.attributes.get("rack")

        same = [i for i in instances if value(i) == value(chosen)]
        count = sum(i.group_counts["family:web"] for i in same)
        result.append(count if value(chosen) is not None else float("inf"))
    return result


@given(
    INSTANCES,
    DEMANDS,
    st.lists(DETERMINISTIC, max_size=3).map(tuple),
    st.randoms(use_true_random=False),
)
def test_the_best_is_chosen_whatever_order_they_came_in(
    instances: list[CandidateInstance], wanted: Any, strategies: Any, chance: Any
) -> None:
    """Only what no strategy decides is left to the caller's order."""
    rules = PlacementRules(strategies=strategies)
    shuffled = list(instances)
    chance.shuffle(shuffled)
    one, other = place(wanted, instances, rules), place(wanted, shuffled, rules)
    by_arn = {i.arn: i for i in instances}
    if isinstance(one, Unplaceable) or isinstance(other, Unplaceable):
        assert isinstance(one, Unplaceable)
        assert isinstance(other, Unplaceable)
        assert set(one.refusals) == set(other.refusals)
        assert one.closest() == other.closest()
        return
    fitting = [i for i in instances if isinstance(place(wanted, [i], rules), Placed)]
    best = min(ranks(i, instances, strategies) for i in fitting)
    equals = [i.arn for i in fitting if ranks(i, instances, strategies) == best]
    assert ranks(by_arn[one.instance_arn], instances, strategies) == best
    assert one.instance_arn == equals[0]
    assert other.instance_arn in equals
    if len(equals) == 1:
        assert one == other


@given(st.integers(1, 6), st.integers(1, 30))
def test_spread_keeps_instances_even_while_all_fit(hosts: int, count: int) -> None:
    rules = PlacementRules(strategies=(spread("instanceId"),))
    chosen, _ = place_many(task(), count, room(hosts), rules)
    counts = Counter({i.arn: 0 for i in room(hosts)} | Counter(chosen))
    assert sum(counts.values()) == count
    assert max(counts.values()) - min(counts.values()) <= 1


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 30))
def test_the_default_keeps_zones_even_and_in_each_its_instances(
    sizes: list[int], count: int
) -> None:
    instances = [
        instance(f"{zone}-{n}", availability_zone=str(zone))
        for zone, size in enumerate(sizes)
        for n in range(size)
    ]
    rules = PlacementRules(strategies=(ZONE, spread("instanceId")))
    chosen, left = place_many(task(), count, instances, rules)
    assert len(chosen) == count
    zones: dict[str, list[int]] = {}
    for i in left:
        zones.setdefault(i.availability_zone, []).append(i.group_counts.get("family:web", 0))
    totals = [sum(counts) for counts in zones.values()]
    assert max(totals) - min(totals) <= 1
    assert all(max(counts) - min(counts) <= 1 for counts in zones.values())


@given(
    st.integers(1, 6), st.integers(1, 30), st.integers(1, 1024), st.sampled_from(["cpu", "memory"])
)
def test_binpack_uses_as_few_equal_instances_as_can_be(
    hosts: int, count: int, size: int, field: str
) -> None:
    rules = PlacementRules(strategies=(binpack(field),))
    chosen, _ = place_many(task(**{field: size}), count, room(hosts), rules)
    each = 1024 // size
    placed = min(count, hosts * each)
    assert len(chosen) == placed
    assert len(set(chosen)) == -(-placed // each)


@given(INSTANCES, st.integers(1, 8), st.integers(1, 100))
def test_binpack_never_uses_more_instances_than_spread(
    instances: list[CandidateInstance], count: int, memory: int
) -> None:
    wanted = task(memory=memory)
    packed, even = (
        place_many(wanted, count, instances, PlacementRules(strategies=(strategy,)))[0]
        for strategy in (binpack("memory"), spread("instanceId"))
    )
    assert len(packed) == len(even), "how many fit is no question of strategy"
