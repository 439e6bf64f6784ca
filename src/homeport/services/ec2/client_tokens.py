"""``ClientToken``: the same token and request give what the first one made.

Source: "Ensuring idempotency in Amazon EC2 API requests", EC2 developer guide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from homeport.domain.task import ClientToken
from homeport.services.call import Call
from homeport.store.schema import CLIENT_TOKENS

from .errors import IdempotentParameterMismatch, InvalidParameterValue

MAX_TOKEN = 64
TOKEN_SECONDS = 24 * 3600.0


def recall(call: Call, operation: str, request: Mapping[str, Any]) -> str | None:
    """The id of what this token made; None when there is no token, or it is new or over.

    Raises IdempotentParameterMismatch when it was given with another request.
    """
    token = request.get("ClientToken") or ""
    if len(token) > MAX_TOKEN:
        raise InvalidParameterValue(
            f"Value ({token[:MAX_TOKEN]}…) for parameter clientToken is invalid. It must be no "
            f"longer than {MAX_TOKEN} characters."
        )
    known = call.tx.get(CLIENT_TOKENS, _key(operation, token)) if token else None
    if known is None or call.now - known.created_at >= TOKEN_SECONDS:
        return None
    if known.request_digest != _digest(request):
        raise IdempotentParameterMismatch(
            f"The client token you have provided is associated with other parameters: {token}"
        )
    return known.resource_arns[0]


def remember(call: Call, operation: str, request: Mapping[str, Any], resource_id: str) -> None:
    """Keep what the request made, if it has a token."""
    if token := request.get("ClientToken"):
        key, digest = _key(operation, token), _digest(request)
        call.tx.put(CLIENT_TOKENS, ClientToken(key, digest, (resource_id,), call.now))


def _key(operation: str, token: str) -> str:
    return f"ec2:{operation}|{token}"


def _digest(request: Mapping[str, Any]) -> str:
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
