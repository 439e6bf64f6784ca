"""Sessions of ECS Exec through Systems Manager's own operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

from homeport.domain.execute import ExecuteSession
from homeport.store.schema import EXECUTE_SESSIONS

IDS = [f"ecs-execute-command-{n:017x}" for n in range(3)]


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    with api.store.transaction() as tx:
        for number, id in enumerate(IDS):
            tx.put(
                EXECUTE_SESSIONS,
                ExecuteSession(
                    id=id,
                    channel_id=f"ecs:default_{number}_a",
                    task_arn="task",
                    container_name="web",
                    command="sh",
                    principal_arn="arn:aws:iam::123456789012:root",
                    token_digest="d",
                    created_at=1000.0,
                    expires_at=1060.0,
                ),
            )
    yield api
    api.close()


def described(api: Api, **request: Any) -> list[str]:
    answer = api.client("ssm").describe_sessions(**{"State": "Active", **request})
    return [session["SessionId"] for session in answer["Sessions"]]


def test_open_sessions_are_listed_and_pages_go_on(api: Api) -> None:
    ssm = api.client("ssm")
    pages = ssm.get_paginator("describe_sessions").paginate(
        State="Active", PaginationConfig={"PageSize": 2}
    )
    assert [s["SessionId"] for page in pages for s in page["Sessions"]] == IDS
    (session,) = ssm.describe_sessions(
        State="Active", Filters=[{"key": "Target", "value": "ecs:default_1_a"}]
    )["Sessions"]
    assert session["SessionId"] == IDS[1]
    assert session["Target"] == "ecs:default_1_a"
    assert session["Owner"].endswith(":root")
    assert "d" not in session.values()


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("SessionId", IDS[0], 1),
        ("Owner", "arn:aws:iam::123456789012:root", 3),
        ("Owner", "nobody", 0),
        ("Status", "Connected", 3),
        ("Status", "Terminated", 0),
    ],
)
def test_filters(api: Api, key: str, value: str, found: int) -> None:
    assert len(described(api, Filters=[{"key": key, "value": value}])) == found


def test_nothing_is_kept_of_sessions_that_are_over(api: Api) -> None:
    assert described(api, State="History") == []


def test_a_session_that_is_terminated_is_gone_and_that_may_be_said_twice(api: Api) -> None:
    for _ in range(2):
        assert api.client("ssm").terminate_session(SessionId=IDS[0])["SessionId"] == IDS[0]
    assert described(api) == IDS[1:]


def test_a_session_is_not_resumed_the_client_is_given_no_token(api: Api) -> None:
    answer = api.client("ssm").resume_session(SessionId=IDS[0])
    assert answer["SessionId"] == IDS[0]
    assert "TokenValue" not in answer


@pytest.mark.parametrize("operation", ["resume_session", "terminate_session"])
def test_what_is_no_session_does_not_exist(api: Api, operation: str) -> None:
    call = getattr(api.client("ssm"), operation)
    code, text = refusal(call, SessionId="root-0123456789abcdef0")
    assert code == "DoesNotExistException"
    assert "root-0123456789abcdef0" in text


def test_an_unknown_filter_is_named(api: Api) -> None:
    code, text = refusal(
        api.client("ssm").describe_sessions,
        State="Active",
        Filters=[{"key": "AccessType", "value": "Standard"}],
    )
    assert code == "InvalidFilterKey"
    assert "AccessType" in text
