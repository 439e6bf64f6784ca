"""A bad expression is InvalidParameterException wherever a client can send one, and no other."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.domain.task_definition import TaskDefinition
from homeport.services.ecs.errors import InvalidParameterException
from homeport.services.ecs.instance_filter import instance_filter
from homeport.services.ecs.placement_request import parse_constraints
from homeport.store import Store
from homeport.store.journal import MemoryJournal
from homeport.store.schema import TABLES

DEFINITION = TaskDefinition(
    arn="arn:aws:ecs:us-east-1:123456789012:task-definition/web:1",
    family="web",
    revision=1,
    document={},
    containers=(),
    network_mode="bridge",
    registered_at=0.0,
    registered_by="",
)
WORDS = st.sampled_from(
    [
        *("attribute:a", "agentVersion", "registeredAt", "runningTasksCount", "task:group"),
        *("==", "!=", ">=", "=~", "in", "not_in", "exists", "!exists", "and", "or", "not", "!"),
        *("(", ")", "[", "]", ",", "'", '"', "x", "1.2", "'('", "'a{9999}'", "\ud800", "\0"),
    ]
)
EXPRESSIONS = st.text(max_size=60) | st.lists(WORDS, max_size=12).map(" ".join)


@pytest.mark.parametrize("expression", ["", "(", "attribute:a", "attribute:a =~ '('", "!" * 1999])
def test_it_is_refused_in_a_request_and_in_a_filter(expression: str) -> None:
    with pytest.raises(InvalidParameterException, match="Invalid expression: "):
        parse_constraints([{"type": "memberOf", "expression": expression}], DEFINITION)
    with (
        Store(TABLES, MemoryJournal()).transaction() as tx,
        pytest.raises(InvalidParameterException, match="Invalid filter expression: "),
    ):
        instance_filter(tx, expression)


@given(EXPRESSIONS)
@settings(max_examples=400)
def test_no_expression_raises_anything_else(expression: str) -> None:
    with contextlib.suppress(InvalidParameterException):
        parse_constraints([{"type": "memberOf", "expression": expression}], DEFINITION)
