"""Idempotency tokens: the same token and request give what the first one made.

"Ensuring idempotency", Amazon ECS API reference. A token is scoped to its operation and cluster.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from homeport.domain.task import ClientToken
from homeport.services.call import Call
from homeport.store.schema import CLIENT_TOKENS

from .errors import ConflictException, InvalidParameterException

MAX_TOKEN = 64
TOKEN_SECONDS = 24 * 3600.0


def check_token(token: str, limit: int = MAX_TOKEN) -> str:
    """The token, or InvalidParameterException: ASCII 33–126, at most ``limit`` characters."""
    if len(token) > limit or any(not 33 <= ord(character) <= 126 for character in token):
        raise InvalidParameterException(
            f"clientToken must be at most {limit} characters of the ASCII range 33-126."
        )
    return token


def recall(
    call: Call, operation: str, scope: str, token: str, request: Mapping[str, object]
) -> tuple[str, ...] | None:
    """The ARNs that this token made, or None when it is new or over.

    Raises ConflictException when it was given with another request.
    """
    known = call.tx.get(CLIENT_TOKENS, _key(operation, scope, token))
    if known is None or call.now - known.created_at >= TOKEN_SECONDS:
        return None
    if known.request_digest != _digest(request):
        raise ConflictException(
            "The client token was already used with different request parameters."
        )
    return known.resource_arns


def repeats(
    call: Call, operation: str, scope: str, token: str, request: Mapping[str, object]
) -> bool:
    """Whether this very request was made with this token before."""
    try:
        return bool(token) and recall(call, operation, scope, token, request) is not None
    except ConflictException:
        return False


def remember(
    call: Call,
    operation: str,
    scope: str,
    token: str,
    request: Mapping[str, object],
    arns: Iterable[str],
) -> None:
    """Keep what the request made."""
    call.tx.put(
        CLIENT_TOKENS,
        ClientToken(
            key=_key(operation, scope, token),
            request_digest=_digest(request),
            resource_arns=tuple(arns),
            created_at=call.now,
        ),
    )


def _key(operation: str, scope: str, token: str) -> str:
    return f"{operation}|{scope}|{token}"


def _digest(request: Mapping[str, object]) -> str:
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
