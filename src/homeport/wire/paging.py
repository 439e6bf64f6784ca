"""Opaque paging tokens over a stable order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from .errors import ApiError

T = TypeVar("T")

_PREFIX = "hp1:"


def paginate(
    items: Sequence[T],
    key: Callable[[T], str],
    max_results: int,
    token: str | None,
    error_code: str = "InvalidParameterException",
) -> tuple[list[T], str | None]:
    """One page of ``items`` in the order of ``key``, and the token of the next page or None.

    The token names the last key seen, so items that come and go between two pages neither
    repeat nor hide others. A token that is not ours raises ``ApiError(error_code)``.
    """
    ordered = sorted(items, key=key)
    if token:
        last = decode_token(token, error_code)
        ordered = [item for item in ordered if key(item) > last]
    page = ordered[:max_results]
    more = len(ordered) > len(page) and bool(page)
    return page, encode_token(key(page[-1])) if more else None


def encode_token(last_key: str) -> str:
    """The token that continues after ``last_key``."""
    return base64.urlsafe_b64encode(f"{_PREFIX}{last_key}".encode()).decode()


def decode_token(token: str, error_code: str = "InvalidParameterException") -> str:
    """The key in a token."""
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise ApiError(error_code, "Invalid token in nextToken.") from error
    if not text.startswith(_PREFIX):
        raise ApiError(error_code, "Invalid token in nextToken.")
    return text[len(_PREFIX) :]
