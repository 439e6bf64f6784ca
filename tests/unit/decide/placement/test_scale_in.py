"""Which tasks go when a service shrinks."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement_records import binpack, instance, spread

from homeport.decide.placement import CandidateInstance
from homeport.decide.placement.scale_in import RunningTask, stop_order
from homeport.decide.placement.strategies import SERVICE_DEFAULT, Strategy

ZONE = spread("attribute:ecs.availability-zone")


def on(host: str, name: str, **facts: Any) -> RunningTask:
    return RunningTask(name, f"arn/{host}", **{"running": True, **facts})


def cluster(*instances: CandidateInstance) -> dict[str, CandidateInstance]:
    return {i.arn: i for i in instances}


def in_zone(name: str, zone: str) -> CandidateInstance:
    return instance(name, availability_zone=zone)


def test_tasks_that_do_not_run_yet_go_first() -> None:
    hosts = cluster(in_zone("a", "a"), in_zone("b", "b"))
    tasks = [on("b", "b1"), on("a", "a1"), on("a", "a2"), on("b", "starting", running=False)]
    assert stop_order(tasks, hosts) == ["starting", "a1", "b1", "a2"]


def test_those_too_leave_the_best_balance() -> None:
    hosts = cluster(in_zone("a", "a"), in_zone("b", "b"))
    tasks = [on("a", "a1"), on("a", "a2", running=False), on("b", "b1", running=False)]
    assert stop_order(tasks, hosts) == ["a2", "b1", "a1"]


def test_tasks_without_a_host_go_before_others_and_those_of_a_draining_one_next() -> None:
    hosts = cluster(instance("here"), instance("leaving", status="DRAINING"))
    tasks = [on("here", "h1"), on("here", "h2"), on("leaving", "l"), on("gone", "g")]
    assert stop_order(tasks, hosts) == ["g", "l", "h1", "h2"]
    assert stop_order(tasks, hosts, (Strategy("random"),)) == ["g", "l", "h1", "h2"]


def test_without_a_strategy_the_fullest_zone_and_in_it_the_fullest_instance() -> None:
    hosts = cluster(in_zone("a1", "a"), in_zone("a2", "a"), in_zone("b1", "b"))
    tasks = [on("b1", "x"), on("a2", "y"), on("a1", "z"), on("a1", "w"), on("b1", "v")]
    assert stop_order(tasks, hosts)[0] == "z"


def test_spread_over_an_attribute_takes_from_the_fullest_value() -> None:
    hosts = cluster(*(instance(n, attributes={"rack": r}) for n, r in ("1x", "2x", "3y")))
    tasks = [on("3", "y1"), on("1", "x1"), on("2", "x2"), on("3", "y2"), on("1", "x3")]
    assert stop_order(tasks, hosts, (spread("attribute:rack"),))[:2] == ["x1", "y1"]


@pytest.mark.parametrize(("field", "first"), [("cpu", "c"), ("memory", "m")])
def test_binpack_stops_where_the_most_is_left_afterwards(field: str, first: str) -> None:
    hosts = cluster(
        instance("cpu", remaining_cpu=500, remaining_memory=100),
        instance("memory", remaining_cpu=100, remaining_memory=500),
    )
    tasks = [on("cpu", "c", cpu=10, memory=10), on("memory", "m", cpu=10, memory=10)]
    assert stop_order(tasks, hosts, (binpack(field),))[0] == first


def test_binpack_counts_what_the_tasks_stopped_before_gave_back() -> None:
    """So it empties one instance rather than taking from each in turn."""
    hosts = cluster(instance("a", remaining_memory=500), instance("b", remaining_memory=550))
    tasks = [
        on("a", "a1", memory=100),
        on("a", "a2", memory=100),
        on("b", "b1", memory=100),
        on("b", "b2", memory=20),
    ]
    assert stop_order(tasks, hosts, (binpack("memory"),)) == ["b1", "b2", "a1", "a2"]


def test_each_strategy_breaks_the_ties_of_the_one_before() -> None:
    hosts = cluster(
        instance("a1", availability_zone="a", remaining_memory=10),
        instance("a2", availability_zone="a", remaining_memory=90),
        instance("b1", availability_zone="b", remaining_memory=500),
    )
    tasks = [on(host, host, memory=10) for host in ("a1", "a2", "b1")]
    assert stop_order(tasks, hosts, (ZONE, binpack("memory"))) == ["a2", "b1", "a1"]


def test_random_is_the_callers_order() -> None:
    hosts = cluster(instance("a"), instance("b"))
    tasks = [on("b", "1"), on("a", "2"), on("a", "3")]
    strategies = (Strategy("random"), spread("instanceId"))
    assert stop_order(tasks, hosts, strategies) == ["1", "2", "3"]


HOSTS = st.lists(
    st.builds(
        lambda zone, cpu, memory: {
            "availability_zone": zone,
            "remaining_cpu": cpu,
            "remaining_memory": memory,
        },
        st.sampled_from("ab"),
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=4,
)
TASKS = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 20), st.integers(0, 20)), max_size=9
)
STRATEGIES = st.lists(
    st.sampled_from([ZONE, spread("instanceId"), binpack("cpu"), binpack("memory")]), max_size=3
)


def plainly(
    tasks: list[RunningTask], hosts: dict[str, CandidateInstance], strategies: list[Strategy]
) -> list[str]:
    """The order by looking at everything again before each choice."""
    left, order = list(tasks), []
    while left:

        def rank(task: RunningTask) -> tuple[float, ...]:
            host = hosts.get(task.instance_arn)
            if host is None:
                return (not task.running, 1)
            here = [t for t in left if hosts.get(t.instance_arn)]
            gone = [t for t in tasks if t.instance_arn == host.arn and t not in left]
            ranks: list[float] = []
            for strategy in strategies:
                if strategy.type == "binpack":
                    remaining = getattr(host, f"remaining_{strategy.field}")
                    back = sum(getattr(t, strategy.field) for t in [*gone, task])
                    ranks.append(remaining + back)
                elif strategy == ZONE:
                    zones = Counter(hosts[t.instance_arn].availability_zone for t in here)
                    ranks.append(zones[host.availability_zone])
                else:
                    ranks.append(sum(1 for t in here if t.instance_arn == host.arn))
            return (not task.running, 0, *ranks)

        best = max(left, key=rank)  # max takes the first of equals
        left.remove(best)
        order.append(best.arn)
    return order


@given(HOSTS, TASKS, STRATEGIES)
def test_it_is_as_if_one_looked_again_before_each_stop(
    facts: list[dict[str, Any]], tasks: list[tuple[int, bool, int, int]], chain: list[Strategy]
) -> None:
    hosts = cluster(*(instance(str(n), **f) for n, f in enumerate(facts)))
    given_tasks = [
        on(str(host), str(n), running=running, cpu=cpu, memory=memory)
        for n, (host, running, cpu, memory) in enumerate(tasks)
    ]
    wanted = plainly(given_tasks, hosts, chain or list(SERVICE_DEFAULT))
    assert stop_order(given_tasks, hosts, tuple(chain)) == wanted


@given(HOSTS, st.lists(st.integers(0, 3), max_size=12))
def test_each_stop_keeps_instances_as_even_as_they_were_or_better(
    facts: list[dict[str, Any]], where: list[int]
) -> None:
    hosts = cluster(*(instance(str(n), **f) for n, f in enumerate(facts)))
    tasks = [on(str(host % len(facts)), str(n)) for n, host in enumerate(where)]
    counts = Counter(dict.fromkeys(hosts, 0) | Counter(t.instance_arn for t in tasks))
    by_arn = {t.arn: t for t in tasks}
    uneven = max(counts.values()) - min(counts.values())
    for arn in stop_order(tasks, hosts, (spread("instanceId"),)):
        counts[by_arn[arn].instance_arn] -= 1
        now = max(counts.values()) - min(counts.values())
        assert now <= max(uneven, 1)
        uneven = now
