"""Access keys of users. A secret is in one answer, that of CreateAccessKey; it is stored sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.credential import AccessKey
from homeport.domain.iam import User
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ACCESS_KEYS

from .entities import find_user, own_user_name
from .errors import LimitExceeded, NoSuchEntity, ValidationError
from .pages import page

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateAccessKeyRequestTypeDef,
        DeleteAccessKeyRequestTypeDef,
        ListAccessKeysRequestTypeDef,
        UpdateAccessKeyRequestTypeDef,
    )

MAX_KEYS = 2


def create_access_key(call: Call, request: CreateAccessKeyRequestTypeDef) -> Response:
    """A key of the user, its secret shown this once."""
    user = find_user(call, own_user_name(call, request.get("UserName")))
    if len(_keys(call, user)) >= MAX_KEYS:
        raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}")
    key_id, secret = call.ids.access_key_id(), call.ids.secret_access_key()
    key = AccessKey(
        access_key_id=key_id,
        secret_access_key="",
        sealed_secret=call.vault.seal_text(secret, key_id),
        principal_arn=user.arn,
        kind="user",
        created_at=call.now,
        user_id=user.user_id,
    )
    call.tx.put(ACCESS_KEYS, key)
    return {"AccessKey": _view(user, key) | {"SecretAccessKey": secret}}


def list_access_keys(call: Call, request: ListAccessKeysRequestTypeDef) -> Response:
    """The user's keys, without their secrets."""
    user = find_user(call, own_user_name(call, request.get("UserName")))
    return page(
        "AccessKeyMetadata",
        _keys(call, user),
        lambda key: key.access_key_id,
        lambda key: _view(user, key),
        request,
    )


def update_access_key(call: Call, request: UpdateAccessKeyRequestTypeDef) -> Response:
    """Active or Inactive; an inactive key is refused from the next request on."""
    key = _find(call, request.get("UserName"), request["AccessKeyId"])
    if request["Status"] not in ("Active", "Inactive"):
        raise ValidationError("status must be Active or Inactive.")
    call.tx.put(ACCESS_KEYS, replace(key, active=request["Status"] == "Active"))
    return {}


def delete_access_key(call: Call, request: DeleteAccessKeyRequestTypeDef) -> Response:
    """The key is unknown from the next request on."""
    key = _find(call, request.get("UserName"), request["AccessKeyId"])
    call.tx.delete(ACCESS_KEYS, key.access_key_id)
    return {}


def _keys(call: Call, user: User) -> list[AccessKey]:
    return call.tx.find(ACCESS_KEYS, "user", user.user_id)


def _find(call: Call, user_name: str | None, key_id: str) -> AccessKey:
    user = find_user(call, own_user_name(call, user_name))
    key = call.tx.get(ACCESS_KEYS, key_id)
    if key is None or key.user_id != user.user_id:
        raise NoSuchEntity(f"The Access Key with id {key_id} cannot be found.")
    return key


def _view(user: User, key: AccessKey) -> dict[str, object]:
    return {
        "UserName": user.name,
        "AccessKeyId": key.access_key_id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": key.created_at,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateAccessKey": create_access_key,
    "ListAccessKeys": list_access_keys,
    "UpdateAccessKey": update_access_key,
    "DeleteAccessKey": delete_access_key,
}
