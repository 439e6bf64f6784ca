"""CreateSecret, PutSecretValue, UpdateSecret. Source: Secrets Manager API reference."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from homeport.domain.secret import CURRENT, Secret
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRET_VERSIONS, SECRETS

from .errors import (
    InvalidParameterException,
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ValidationException,
)
from .resolve import lookup, usable_secret
from .tags import parse_tags
from .values import add_version, value_of

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import (
        CreateSecretRequestTypeDef,
        PutSecretValueRequestTypeDef,
        UpdateSecretRequestTypeDef,
    )

MAX_STAGES = 20
SUFFIX_CHARACTERS = 6
OWN_KEYS = ("alias/aws/secretsmanager", "aws/secretsmanager")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_ABSENT = ("AddReplicaRegions", "Type", "CrossAccountPrimaryARN")


def create_secret(call: Call, request: CreateSecretRequestTypeDef) -> Response:
    """A secret, with a first version if a value is given."""
    name = request["Name"]
    if not _NAME.fullmatch(name):
        raise ValidationException(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
            "following: -/_+=.@!"
        )
    given = cast(Mapping[str, Any], request)
    _refuse_what_is_not_there(given)
    value = value_of(given)
    version_id = request.get("ClientRequestToken") or call.ids.uuid()
    existing = lookup(call, call.arns.secret(name))
    if existing is not None and existing.name == name:
        return _created_before(call, existing, version_id, value)
    secret = Secret(
        arn=call.arns.secret(f"{name}-{_suffix()}"),
        name=name,
        created_at=call.now,
        changed_at=call.now,
        description=request.get("Description", ""),
        tags=parse_tags(request.get("Tags") or ()),
    )
    call.tx.put(SECRETS, secret)
    if value is None:
        return {"ARN": secret.arn, "Name": name}
    add_version(call, secret, version_id, value)
    return {"ARN": secret.arn, "Name": name, "VersionId": version_id}


def _created_before(
    call: Call, secret: Secret, version_id: str, value: tuple[bytes, bool] | None
) -> Response:
    """A repeated request gets the first one's answer; anything else is refused."""
    if secret.delete_at is not None:
        raise InvalidRequestException(
            "You can't create this secret because a secret with this name is already scheduled "
            "for deletion."
        )
    version = call.tx.get(SECRET_VERSIONS, f"{secret.arn}|{version_id}")
    if version is None or value is None:
        raise ResourceExistsException(
            f"The operation failed because the secret {secret.name} already exists."
        )
    add_version(call, secret, version_id, value)
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": version_id}


def put_secret_value(call: Call, request: PutSecretValueRequestTypeDef) -> Response:
    """A new version; by default it becomes the current one."""
    given = cast(Mapping[str, Any], request)
    secret = usable_secret(call, request["SecretId"])
    value = value_of(given)
    if value is None:
        raise InvalidRequestException("You must provide either SecretString or SecretBinary.")
    stages = request.get("VersionStages") or (CURRENT,)
    if len(set(stages)) > MAX_STAGES:
        raise LimitExceededException(f"A version can have at most {MAX_STAGES} staging labels.")
    version_id = request.get("ClientRequestToken") or call.ids.uuid()
    version = add_version(call, secret, version_id, value, stages)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version_id,
        "VersionStages": list(version.stages),
    }


def update_secret(call: Call, request: UpdateSecretRequestTypeDef) -> Response:
    """Another description, another value, or both."""
    given = cast(Mapping[str, Any], request)
    secret = usable_secret(call, request["SecretId"])
    _refuse_what_is_not_there(given)
    value = value_of(given)
    if "Description" in request:
        secret = replace(secret, description=request["Description"], changed_at=call.now)
        call.tx.put(SECRETS, secret)
    if value is None:
        return {"ARN": secret.arn, "Name": secret.name}
    version_id = request.get("ClientRequestToken") or call.ids.uuid()
    add_version(call, secret, version_id, value)
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": version_id}


def _refuse_what_is_not_there(request: Mapping[str, Any]) -> None:
    key = request.get("KmsKeyId")
    if key and not str(key).endswith(OWN_KEYS):
        raise InvalidParameterException(
            "Homeport has no KMS keys; secrets are sealed with its own key: KmsKeyId."
        )
    for member in _ABSENT:
        if request.get(member):
            raise InvalidParameterException(f"Homeport has no secrets with {member}.")


def _suffix() -> str:
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(SUFFIX_CHARACTERS))


OPERATIONS: dict[str, Handler] = {
    "CreateSecret": create_secret,
    "PutSecretValue": put_secret_value,
    "UpdateSecret": update_secret,
}
