"""DeleteSecret and RestoreSecret: a secret goes after a recovery window, or at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRET_VERSIONS, SECRETS

from .errors import InvalidParameterException
from .resolve import find_secret, lookup, usable_secret, versions

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import (
        DeleteSecretRequestTypeDef,
        RestoreSecretRequestTypeDef,
    )

DAY_SECONDS = 24 * 3600
LEAST_DAYS, MOST_DAYS, DEFAULT_DAYS = 7, 30, 30


def delete_secret(call: Call, request: DeleteSecretRequestTypeDef) -> Response:
    """Nothing reads it from now on; it can be restored until its window ends."""
    days, force = request.get("RecoveryWindowInDays"), request.get("ForceDeleteWithoutRecovery")
    if days is not None and force:
        raise InvalidParameterException(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        )
    if days is not None and not LEAST_DAYS <= days <= MOST_DAYS:
        raise InvalidParameterException(
            f"The RecoveryWindowInDays value must be between {LEAST_DAYS} and {MOST_DAYS} days "
            "(inclusive)."
        )
    if force:
        return _delete_now(call, request["SecretId"])
    secret = usable_secret(call, request["SecretId"])
    delete_at = call.now + (days or DEFAULT_DAYS) * DAY_SECONDS
    call.tx.put(SECRETS, replace(secret, deleted_at=call.now, delete_at=delete_at))
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": delete_at}


def _delete_now(call: Call, identifier: str) -> Response:
    """One that is not there is no error: the request may be a repeated one."""
    secret = lookup(call, identifier)
    if secret is None:
        name = identifier.removeprefix(call.arns.secret(""))
        return {"ARN": call.arns.secret(name), "Name": name, "DeletionDate": call.now}
    for version in versions(call, secret):
        call.tx.delete(SECRET_VERSIONS, f"{secret.arn}|{version.version_id}")
    call.tx.delete(SECRETS, secret.arn)
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": call.now}


def restore_secret(call: Call, request: RestoreSecretRequestTypeDef) -> Response:
    """One that is not to be deleted stays as it is."""
    secret = find_secret(call, request["SecretId"])
    call.tx.put(SECRETS, replace(secret, deleted_at=None, delete_at=None))
    return {"ARN": secret.arn, "Name": secret.name}


OPERATIONS: dict[str, Handler] = {"DeleteSecret": delete_secret, "RestoreSecret": restore_secret}
