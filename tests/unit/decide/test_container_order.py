"""Containers start after what they depend on and stop before it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.decide.container_order import (
    Condition,
    Dependency,
    Never,
    Node,
    Ready,
    Waiting,
    dependencies_of,
    may_start,
    may_stop,
    resolvable,
)
from homeport.domain.agent_payload import PayloadContainer, PayloadDependency, PayloadVolumeFrom

NOW = 1000.0


def app(condition: Condition) -> Node:
    return Node("app", (Dependency("db", condition),))


def db(**changes: object) -> Node:
    return dataclasses.replace(Node("db"), **changes)


NONE = db()
CREATED = db(status="CREATED")
RUNNING = db(status="RUNNING", started_at=NOW - 5)
HEALTHY = db(status="RUNNING", started_at=NOW - 5, healthy=True)
SUCCEEDED = db(status="STOPPED", started_at=NOW - 5, exit_code=0)
FAILED = db(status="STOPPED", started_at=NOW - 5, exit_code=1)
NOT_STARTED = db(status="STOPPED")
UNWANTED = db(wanted=False)


@pytest.mark.parametrize(
    ("condition", "dependency", "expected"),
    [
        ("CREATE", NONE, Waiting),
        ("CREATE", CREATED, Ready),
        ("CREATE", RUNNING, Ready),
        ("CREATE", FAILED, Ready),
        ("CREATE", NOT_STARTED, Never),
        ("START", NONE, Waiting),
        ("START", CREATED, Waiting),
        ("START", RUNNING, Ready),
        ("START", FAILED, Ready),
        ("START", NOT_STARTED, Never),
        ("START", UNWANTED, Never),
        ("COMPLETE", RUNNING, Waiting),
        ("COMPLETE", SUCCEEDED, Ready),
        ("COMPLETE", FAILED, Ready),
        ("COMPLETE", NOT_STARTED, Never),
        ("SUCCESS", RUNNING, Waiting),
        ("SUCCESS", SUCCEEDED, Ready),
        ("SUCCESS", FAILED, Never),
        ("HEALTHY", RUNNING, Waiting),
        ("HEALTHY", HEALTHY, Ready),
        ("HEALTHY", SUCCEEDED, Never),
        ("HEALTHY", UNWANTED, Never),
    ],
)
def test_a_condition_is_met_waited_for_or_out_of_reach(
    condition: Condition, dependency: Node, expected: type
) -> None:
    target = app(condition)
    assert isinstance(may_start(target, [target, dependency], NOW), expected)


@pytest.mark.parametrize("condition", ["COMPLETE", "SUCCESS", "HEALTHY"])
def test_a_start_timeout_of_the_dependency_bounds_the_wait(condition: Condition) -> None:
    slow = dataclasses.replace(RUNNING, start_timeout=10.0)
    target = app(condition)
    assert may_start(target, [target, slow], NOW) == Waiting(until=NOW + 5)
    late = may_start(target, [target, slow], NOW + 5)
    assert late == Never(
        "dependency graph: container ordering dependency [db] for target [app] has timed out."
    )


def test_a_start_timeout_does_not_bound_start() -> None:
    created = db(status="CREATED", started_at=NOW - 100, start_timeout=1.0)
    target = app("START")
    assert may_start(target, [target, created], NOW) == Waiting()


def test_the_earliest_of_several_timeouts_is_named() -> None:
    target = Node("app", (Dependency("a", "HEALTHY"), Dependency("b", "COMPLETE")))
    a = Node("a", status="RUNNING", started_at=NOW, start_timeout=30)
    b = Node("b", status="RUNNING", started_at=NOW, start_timeout=20)
    assert may_start(target, [target, a, b], NOW) == Waiting(until=NOW + 20)


def test_shutdown_is_the_reverse_order() -> None:
    dependency, dependant = RUNNING, dataclasses.replace(app("START"), status="RUNNING")
    assert not may_stop(dependency, [dependency, dependant])
    assert may_stop(dependant, [dependency, dependant])
    stopped = dataclasses.replace(dependant, status="STOPPED")
    assert may_stop(dependency, [dependency, stopped])


def test_links_and_volumes_imply_dependencies() -> None:
    container = PayloadContainer(
        name="app",
        links=["db:database", "cache"],
        volumes_from=[PayloadVolumeFrom("data")],
        depends_on=[PayloadDependency("db", "HEALTHY")],
    )
    assert dependencies_of(container) == (
        Dependency("db", "HEALTHY"),
        Dependency("data", "CREATE"),
        Dependency("db", "START"),
        Dependency("cache", "START"),
    )


@pytest.mark.parametrize(
    "container",
    [
        PayloadContainer(name="app", links=["a:b:c"]),
        PayloadContainer(name="app", links=[":b"]),
        PayloadContainer(name="app", depends_on=[PayloadDependency("db", "SOON")]),
    ],
)
def test_malformed_dependencies_are_refused(container: PayloadContainer) -> None:
    with pytest.raises(ValueError, match=r"invalid link|unknown condition"):
        dependencies_of(container)


def test_cycles_and_unknown_containers_are_not_resolvable() -> None:
    assert not resolvable([app("START")])
    assert not resolvable([app("START"), Node("db", (Dependency("app", "START"),))])
    assert not resolvable([Node("a", (Dependency("a", "START"),))])
    assert resolvable([app("START"), Node("db")])


@st.composite
def tasks(draw: st.DrawFn) -> list[Node]:
    """Up to six containers; each depends on earlier ones only, so there is no cycle."""
    nodes: list[Node] = []
    for index in range(draw(st.integers(1, 6))):
        earlier = draw(st.sets(st.sampled_from([n.name for n in nodes]))) if nodes else set()
        condition: Condition = draw(st.sampled_from(["CREATE", "START"]))
        nodes.append(Node(f"c{index}", tuple(Dependency(n, condition) for n in sorted(earlier))))
    return draw(st.permutations(nodes))


@given(tasks())
def test_every_resolvable_task_starts_wholly_and_stops_wholly(nodes: list[Node]) -> None:
    assert resolvable(nodes)
    for _ in range(len(nodes)):
        nodes = [
            dataclasses.replace(n, status="RUNNING", started_at=NOW)
            if n.status == "NONE" and isinstance(may_start(n, nodes, NOW), Ready)
            else n
            for n in nodes
        ]
    assert {n.status for n in nodes} == {"RUNNING"}
    for _ in range(len(nodes)):
        free = next(n for n in nodes if n.status == "RUNNING" and may_stop(n, nodes))
        dependants = [n for n in nodes if any(d.container == free.name for d in n.depends_on)]
        assert all(n.status == "STOPPED" for n in dependants)
        nodes = [dataclasses.replace(n, status="STOPPED") if n is free else n for n in nodes]
    assert {n.status for n in nodes} == {"STOPPED"}
