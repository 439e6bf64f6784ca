"""Tokens of agents: one channel, once, for a minute."""

from __future__ import annotations

from homeport.domain.arn import Ids
from homeport.domain.execute import TOKEN_SECONDS, ExecuteSession, token_digest
from homeport.sessionlink.tokens import AgentTokens


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_opens_its_channel_once() -> None:
    tokens = AgentTokens(Ids(), Clock())
    token = tokens.issue("data s1")
    assert tokens.redeem("data s1", token)
    assert not tokens.redeem("data s1", token)


def test_a_token_of_another_channel_opens_nothing_and_is_spent() -> None:
    tokens = AgentTokens(Ids(), Clock())
    token = tokens.issue("data s1")
    assert not tokens.redeem("data s2", token)
    assert not tokens.redeem("data s1", token)


def test_a_token_expires() -> None:
    clock = Clock()
    tokens = AgentTokens(Ids(), clock)
    token = tokens.issue("control c")
    clock.now += TOKEN_SECONDS
    assert not tokens.redeem("control c", token)


def test_no_token_and_a_made_up_one_open_nothing() -> None:
    tokens = AgentTokens(Ids(), Clock())
    tokens.issue("control c")
    assert not tokens.redeem("control c", "")
    assert not tokens.redeem("control c", "x" * 64)


def test_a_clients_token_is_kept_as_a_digest_and_expires() -> None:
    session = ExecuteSession(
        id="s",
        channel_id="c",
        task_arn="t",
        container_name="main",
        command="sh",
        principal_arn="p",
        token_digest=token_digest("secret"),
        created_at=0.0,
        expires_at=60.0,
    )
    assert "secret" not in repr(session)
    assert session.admits("secret", 59.9)
    assert not session.admits("secret", 60.0)
    assert not session.admits("Secret", 1.0)
    assert not session.admits("", 1.0)
