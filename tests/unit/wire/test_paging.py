"""Pages follow one another without repeating or hiding an item; foreign tokens are refused."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.wire.errors import ApiError
from homeport.wire.paging import decode_token, encode_token, paginate

KEYS = st.text(max_size=20)


def pages(items: list[str], size: int) -> list[list[str]]:
    found: list[list[str]] = []
    token: str | None = None
    while True:
        page, token = paginate(items, str, size, token)
        found.append(page)
        if token is None:
            return found
        assert len(found) <= len(items), "paging does not end"


@given(st.sets(KEYS), st.integers(1, 10))
def test_the_pages_together_are_all_items_in_order(items: set[str], size: int) -> None:
    found = pages(list(items), size)
    assert [item for page in found for item in page] == sorted(items)
    assert all(len(page) == size for page in found[:-1])


def test_a_last_page_that_is_full_has_no_token() -> None:
    assert paginate(["a", "b"], str, 2, None) == (["a", "b"], None)
    assert paginate([], str, 2, None) == ([], None)


@given(st.sets(KEYS, min_size=3), st.data())
def test_items_that_come_and_go_between_pages_hide_no_other(
    items: set[str], data: st.DataObject
) -> None:
    page, token = paginate(list(items), str, 2, None)
    gone = data.draw(st.sets(st.sampled_from(sorted(items))))
    came = data.draw(st.sets(KEYS))
    rest, _ = paginate(list(items - gone | came), str, 1000, token)
    assert not set(rest) & set(page)
    assert (items - gone) <= {*page, *rest}


@given(KEYS)
def test_a_token_names_the_last_key(key: str) -> None:
    assert decode_token(encode_token(key)) == key


@pytest.mark.parametrize(
    "token",
    ["x", "====", "é", "!!!!", base64.urlsafe_b64encode(b"other:key").decode(), "\x00", "/w=="],
)
def test_a_token_that_is_not_ours_is_refused_with_the_services_code(token: str) -> None:
    with pytest.raises(ApiError) as refused:
        paginate(["a"], str, 1, token, "InvalidNextToken")
    assert (refused.value.code, refused.value.status) == ("InvalidNextToken", 400)


@given(st.text(max_size=50))
def test_no_token_does_more_than_be_refused(token: str) -> None:
    with contextlib.suppress(ApiError):
        decode_token(token)
