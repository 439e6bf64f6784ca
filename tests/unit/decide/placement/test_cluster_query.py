"""The cluster query language: every subject, every operator, every way to say it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement_records import instance

from homeport.decide.placement.cluster_query import QueryError, matches, parse

INSTANCE = instance(
    ec2_instance_id="i-0abc",
    agent_version="1.105.1",
    registered_at=1_529_361_748.0,  # 2018-06-18T22:42:28Z
    running_tasks_count=3,
    attributes={
        "ecs.instance-type": "g2.2xlarge",
        "ecs.availability-zone": "us-east-1a",
        "stack": "prod",
        "my/odd-name_1": "a b",
        "flag": None,
    },
    group_counts={"service:web": 2, "family:db": 1},
)

TRUE = [
    "attribute:stack == prod",
    "attribute:stack equals prod",
    "attribute:stack != test",
    "attribute:stack not_equals test",
    "attribute:stack > a",
    "attribute:stack greater_than a",
    "attribute:stack >= prod",
    "attribute:stack greater_than_equal prod",
    "attribute:stack < z",
    "attribute:stack less_than z",
    "attribute:stack <= prod",
    "attribute:stack less_than_equal prod",
    "attribute:stack exists",
    "attribute:flag exists",
    "attribute:nothing !exists",
    "attribute:nothing not_exists",
    "attribute:stack in [test, prod]",
    "attribute:stack !in [test, dev]",
    "attribute:stack not_in [test]",
    "attribute:ecs.instance-type =~ g2.*",
    "attribute:ecs.instance-type matches g2.*",
    "attribute:ecs.instance-type !~ t2.*",
    "attribute:ecs.instance-type not_matches t2.*",
    "attribute:my/odd-name_1 == 'a b'",
    'attribute:my/odd-name_1 == "a b"',
    "agentConnected == true",
    "agentVersion > 1.9.0",
    "agentVersion >= 1.105.1",
    "agentVersion < 2",
    "ec2InstanceId in ['i-0abc', 'i-0def']",
    "ec2InstanceId == i-0abc",
    "registeredAt > 2018-06-18T22:28:28+00:00",
    "registeredAt >= 2018-06-18",
    "registeredAt < 2019-01-01T00:00:00Z",
    "runningTasksCount >= 3",
    "runningTasksCount < 10",
    "runningTasksCount == 3",
    "task:group == service:web",
    "task:group in [service:web, service:x]",
    "not(task:group == service:none)",
    "!(attribute:stack == test)",
    "attribute:stack == prod and attribute:flag exists",
    "attribute:stack == prod && attribute:flag exists",
    "attribute:stack == test or attribute:flag exists",
    "attribute:stack == test || attribute:flag exists",
    "(attribute:stack == test or attribute:stack == prod) and agentConnected == true",
    "attribute:stack == prod or attribute:stack == test and agentConnected == false",
    "not attribute:stack == test and attribute:flag exists",
    "attribute:nothing != x",
    "attribute:nothing !in [x]",
    "attribute:nothing !~ x.*",
]
FALSE = [
    "attribute:stack == Prod",
    "attribute:stack in [test]",
    "attribute:stack =~ pro",  # the whole value must match
    "attribute:nothing == x",
    "attribute:nothing > a",
    "attribute:nothing in [x]",
    "attribute:nothing =~ .*",
    "attribute:nothing exists",
    "agentConnected == false",
    "agentVersion < 1.20.0",
    "ec2InstanceId == i-0",
    "runningTasksCount > 3",
    "registeredAt > 2019-01-01",
    "task:group == service:none",
    "attribute:stack == test and attribute:flag exists",
    "not attribute:stack == prod",
]


@pytest.mark.parametrize("expression", TRUE)
def test_it_holds(expression: str) -> None:
    assert matches(parse(expression), INSTANCE)


@pytest.mark.parametrize("expression", FALSE)
def test_it_does_not_hold(expression: str) -> None:
    assert not matches(parse(expression), INSTANCE)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "attribute:stack",
        "attribute:stack ==",
        "attribute:stack === prod",
        "attribute:stack == prod and",
        "(attribute:stack == prod",
        "attribute:stack == prod)",
        "attribute:stack in prod",
        "attribute:stack == [prod]",
        "attribute: == x",
        "colour == red",
        "attribute:stack =~ (",
        "runningTasksCount == many",
        "registeredAt > yesterday",
        "agentConnected > true",
        "ec2InstanceId >= i-0",
        "runningTasksCount =~ 3",
        "attribute:stack == 'prod",
        "x" * 2001,
    ],
)
def test_what_does_not_parse_says_so(expression: str) -> None:
    with pytest.raises(QueryError):
        parse(expression)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        matches(parse(text), INSTANCE)


PIECES = st.sampled_from(
    [*"()[]!,", "and", "or", "not", "attribute:stack", "==", "in", "exists", "prod", "'a b'", "=~"]
)


@given(st.lists(PIECES, max_size=15))
def test_any_sequence_of_words_is_parsed_or_refused(pieces: list[str]) -> None:
    with contextlib.suppress(QueryError):
        matches(parse(" ".join(pieces)), INSTANCE)


@pytest.mark.parametrize("expression", [*TRUE, *FALSE])
def test_negation_turns_it_round(expression: str) -> None:
    assert matches(parse(f"not({expression})"), INSTANCE) != matches(parse(expression), INSTANCE)
