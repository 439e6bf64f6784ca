"""AWS STS: who am I."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.services.call import Call, Handler, Response


def get_caller_identity(call: Call, request: Mapping[str, Any]) -> Response:
    """The principal that signed the request. Needs no permission."""
    user_id = call.principal.account_id
    if call.principal.kind != "root":
        user_id = call.principal.arn.rsplit("/", 1)[-1]
    return {"UserId": user_id, "Account": call.principal.account_id, "Arn": call.principal.arn}


OPERATIONS: Mapping[str, Handler] = {"GetCallerIdentity": get_caller_identity}
