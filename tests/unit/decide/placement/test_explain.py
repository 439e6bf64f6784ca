"""Why a task was not placed, as its owner reads it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from placement_records import DISTINCT, instance, member_of, task

from homeport.decide.placement import CandidateInstance, PlacementRules, Unplaceable, place
from homeport.decide.placement.constraints import DISTINCT_INSTANCE_REASON, MEMBER_OF_REASON
from homeport.decide.placement.explain import unplaceable_message

WANTED = task(
    cpu=1,
    memory=1,
    tcp_ports=[80],
    udp_ports=[53],
    required_attributes=frozenset({"gpu"}),
)
RULES = PlacementRules((member_of("attribute:rack == two"), DISTINCT))
FITS: dict[str, Any] = {"attributes": {"gpu": None, "rack": "two"}}
LACKS: dict[str, dict[str, Any]] = {
    "RESOURCE:CPU": {"remaining_cpu": 0},
    "RESOURCE:MEMORY": {"remaining_memory": 0},
    "RESOURCE:PORTS": {"used_tcp_ports": frozenset({80})},
    "RESOURCE:PORTS_UDP": {"used_udp_ports": frozenset({53})},
    DISTINCT_INSTANCE_REASON: {"group_counts": {"family:web": 1}},
    MEMBER_OF_REASON: {"attributes": {"gpu": None, "rack": "one"}},
    "ATTRIBUTE": {"attributes": {"rack": "two"}},
    "AGENT": {"agent_connected": False},
}
NEAREST_FIRST = list(LACKS)


def lacking(*reasons: str, name: str = "one") -> CandidateInstance:
    facts = dict(FITS)
    for reason in reasons:
        facts |= LACKS[reason]
    return instance(name, **facts)


def refused(*instances: CandidateInstance) -> Unplaceable:
    result = place(WANTED, list(instances), RULES)
    assert isinstance(result, Unplaceable)
    return result


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("RESOURCE:CPU", "has insufficient CPU units available."),
        ("RESOURCE:MEMORY", "has insufficient memory available."),
        ("RESOURCE:PORTS", "is already using a port required by your task."),
        ("RESOURCE:PORTS_UDP", "is already using a port required by your task."),
        ("AGENT", 'encountered error "AGENT".'),
        ("ATTRIBUTE", "is missing an attribute required by your task."),
        (MEMBER_OF_REASON, f'encountered error "{MEMBER_OF_REASON}".'),
        (DISTINCT_INSTANCE_REASON, f'encountered error "{DISTINCT_INSTANCE_REASON}".'),
    ],
)
def test_every_reason_is_said_in_awss_words(reason: str, words: str) -> None:
    result = refused(lacking(reason))
    assert [r.reason for r in result.refusals] == [reason]
    assert unplaceable_message("web", result) == (
        "(service web) was unable to place a task because no container instance met all of its "
        f"requirements. The closest matching (container-instance one) {words} For more "
        "information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    )


def test_a_cluster_without_instances_says_so() -> None:
    assert unplaceable_message("web", refused()) == (
        "(service web) was unable to place a task because no container instance met all of its "
        "requirements. Reason: No Container Instances were found in your cluster. For more "
        "information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    )


def test_a_draining_instance_is_no_candidate_and_has_no_reason() -> None:
    assert place(WANTED, [instance(status="DRAINING", **FITS)], RULES) == Unplaceable(())


def test_every_candidate_has_a_reason() -> None:
    instances = [lacking(reason, name=str(n)) for n, reason in enumerate(LACKS)]
    assert [r.reason for r in refused(*instances).refusals] == list(LACKS)


def test_the_closest_is_the_one_that_lacks_the_least() -> None:
    """Not the one whose first failure comes latest: the other rack lacks room as well."""
    wrong_rack = lacking(MEMBER_OF_REASON, "RESOURCE:CPU", name="wrong")
    right_rack = lacking("RESOURCE:MEMORY", name="right")
    closest = refused(wrong_rack, right_rack).closest()
    assert closest is not None
    assert (closest.instance_arn, closest.reason) == ("arn/right", "RESOURCE:MEMORY")


@pytest.mark.parametrize("number", range(len(NEAREST_FIRST) - 1))
def test_of_those_that_lack_one_thing_room_is_told_first(number: int) -> None:
    nearer, farther = NEAREST_FIRST[number : number + 2]
    closest = refused(lacking(farther, name="a"), lacking(nearer, name="b")).closest()
    assert closest is not None
    assert closest.reason == nearer


def test_the_same_instance_is_named_at_every_attempt() -> None:
    """Or each attempt would add an event: only a repeated message is left out."""
    instances = [lacking("RESOURCE:CPU", name=str(n)) for n in range(8)]
    chance = random.Random(7)
    messages = set()
    for _ in range(10):
        chance.shuffle(instances)
        messages.add(unplaceable_message("web", refused(*instances)))
    assert len(messages) == 1
