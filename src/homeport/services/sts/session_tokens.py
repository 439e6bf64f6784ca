"""GetSessionToken: temporary credentials with the caller's own permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.domain.session import Session
from homeport.services.call import Call, Handler, Response

from .assume_role import credentials_view, refuse_mfa
from .errors import AccessDenied

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import GetSessionTokenRequestTypeDef

DEFAULT_SECONDS = 12 * 3600
LONGEST_ROOT_SECONDS = 3600


def get_session_token(call: Call, request: GetSessionTokenRequestTypeDef) -> Response:
    """Credentials of the user, or of root for an hour at most."""
    principal = call.principal
    refuse_mfa(request.get("SerialNumber"), request.get("TokenCode"))
    if principal.session is not None:
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    seconds = request.get("DurationSeconds", DEFAULT_SECONDS)
    if principal.kind == "root":
        seconds = min(seconds, LONGEST_ROOT_SECONDS)
    session = Session(
        arn=principal.arn,
        role_name="",
        # The user by id: the token outlives a change of the user's name.
        session_name=principal.user_id,
        issued_at=call.now,
        expires_at=call.now + seconds,
        nonce=call.ids.hex16(),
    )
    return {"Credentials": credentials_view(call.sessions.issue(session))}


OPERATIONS: dict[str, Handler] = {"GetSessionToken": get_session_token}
