"""Who calls, and whose an access key is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeport.services.call import Call, Handler, Principal, Response
from homeport.store.schema import ACCESS_KEYS

from .errors import AccessDenied

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import GetAccessKeyInfoRequestTypeDef


def get_caller_identity(call: Call, request: Mapping[str, Any]) -> Response:
    """The principal that signed the request. Needs no permission."""
    principal = call.principal
    return {
        "UserId": user_id(principal),
        "Account": principal.account_id,
        "Arn": principal.arn,
    }


def user_id(principal: Principal) -> str:
    """``aws:userid``: AIDA… of a user, AROA…:SESSION of a role's session, root's account id."""
    match principal.kind:
        case "user":
            return principal.user_id
        case "role":
            return f"{principal.user_id}:{principal.arn.rsplit('/', 1)[-1]}"
        case "agent":
            return principal.arn.rsplit("/", 1)[-1]
        case "root":
            return principal.account_id


def get_access_key_info(call: Call, request: GetAccessKeyInfoRequestTypeDef) -> Response:
    """The account of an access key that was made here."""
    if call.tx.get(ACCESS_KEYS, request["AccessKeyId"]) is None:
        raise AccessDenied(f"The access key {request['AccessKeyId']} is not of this account.")
    return {"Account": call.platform.account_id}


OPERATIONS: dict[str, Handler] = {
    "GetCallerIdentity": get_caller_identity,
    "GetAccessKeyInfo": get_access_key_info,
}
