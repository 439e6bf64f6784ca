"""Role credentials in the agent: kept in memory, found by id, renewed, forgotten."""

from __future__ import annotations

import msgspec
import pytest

from homeport.agent.credentials import EXECUTION_ROLE, CredentialsMissing, CredentialStore
from homeport.agent.metadata.rate import RateLimit
from homeport.domain.agent_payload import PayloadTask, RoleCredentials

TASK = "arn:aws:ecs:us-east-1:123456789012:task/default/1"


def role(identifier: str, key: str = "ASIA1") -> RoleCredentials:
    return RoleCredentials(identifier, "arn:aws:iam::1:role/r", key, "secret", "token", "2030")


def payload(**roles: RoleCredentials) -> PayloadTask:
    return PayloadTask(arn=TASK, desired_status="RUNNING", **roles)


def test_what_is_kept_of_a_payload_has_no_secret() -> None:
    store = CredentialStore()
    kept = store.take(payload(role_credentials=role("a"), execution_role_credentials=role("b")))
    text = msgspec.json.encode(kept).decode()
    assert "secret" not in text
    assert "token" not in text
    assert "ASIA" not in text
    assert kept.role_credentials is not None
    assert kept.role_credentials.credentials_id == "a"
    assert store.by_id("a") == role("a")
    assert store.of(TASK).execution_role == role("b")


def test_renewed_credentials_replace_those_of_the_same_role() -> None:
    store = CredentialStore()
    store.take(payload(role_credentials=role("a"), execution_role_credentials=role("b")))
    store.renew(TASK, EXECUTION_ROLE, role("b", "ASIA2"))
    assert store.of(TASK).task_role == role("a")
    assert store.by_id("b") == role("b", "ASIA2")


def test_a_task_that_is_over_has_no_credentials() -> None:
    store = CredentialStore()
    store.take(payload(role_credentials=role("a")))
    store.forget(TASK)
    assert store.by_id("a") is None


def test_a_payload_without_credentials_takes_none_away() -> None:
    store = CredentialStore()
    store.take(payload(role_credentials=role("a")))
    store.take(payload())
    assert store.by_id("a") == role("a")


async def test_waiting_for_an_execution_role_ends_in_words() -> None:
    store = CredentialStore()
    with pytest.raises(CredentialsMissing, match="no execution role credentials"):
        await store.execution_role(TASK, 0.01)


def test_nothing_secret_is_shown() -> None:
    assert "secret" not in repr(role("a"))
    assert "token" not in repr(role("a"))


def test_the_rate_limit_lets_a_burst_through_and_then_so_many_a_second() -> None:
    now = [0.0]
    limit = RateLimit(40, 60, lambda: now[0])
    assert sum(limit.allow() for _ in range(100)) == 60
    now[0] = 0.5
    assert sum(limit.allow() for _ in range(100)) == 20
