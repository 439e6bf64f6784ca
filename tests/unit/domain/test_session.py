"""Session tokens: what was issued is read back, what was not is refused."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.domain.session import Session, SessionMint

MINT = SessionMint(b"k" * 32)


def a_session(name: str = "task") -> Session:
    return Session(
        arn=f"arn:aws:sts::000000000000:assumed-role/worker/{name}",
        role_name="worker",
        session_name=name,
        issued_at=1.0,
        expires_at=3601.0,
        nonce="n",
        session_policies=('{"Statement":[]}',),
    )


def test_a_session_is_read_back_with_its_secret() -> None:
    credentials = MINT.issue(a_session())
    verified = MINT.verify(credentials.access_key_id, credentials.session_token)
    assert verified is not None
    assert verified.session == a_session()
    assert verified.secret_access_key == credentials.secret_access_key
    assert credentials.access_key_id.startswith("ASIA")
    assert len(credentials.secret_access_key) == 40


def test_another_key_refuses_the_token_and_has_another_secret() -> None:
    credentials = MINT.issue(a_session())
    other = SessionMint(b"o" * 32)
    assert other.verify(credentials.access_key_id, credentials.session_token) is None
    assert other.issue(a_session()).secret_access_key != credentials.secret_access_key


def test_a_token_counts_only_with_its_own_access_key_id() -> None:
    one, two = MINT.issue(a_session("one")), MINT.issue(a_session("two"))
    assert MINT.verify(one.access_key_id, two.session_token) is None


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    credentials = MINT.issue(a_session())
    raw = bytearray(base64.urlsafe_b64decode(credentials.session_token))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    token = base64.urlsafe_b64encode(bytes(raw)).decode()
    assert MINT.verify(credentials.access_key_id, token) is None


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    assert MINT.verify("ASIAAAAAAAAAAAAAAAAA", text) is None


def test_nothing_secret_is_shown() -> None:
    credentials = MINT.issue(a_session())
    verified = MINT.verify(credentials.access_key_id, credentials.session_token)
    shown = f"{credentials!r} {verified!r}"
    assert credentials.secret_access_key not in shown
    assert credentials.session_token not in shown


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        SessionMint(b"short")


def test_a_session_is_a_plain_record() -> None:
    assert msgspec.json.decode(msgspec.json.encode(a_session()), type=Session) == a_session()
