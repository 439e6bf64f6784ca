"""UpdateSecretVersionStage: move a staging label from one version to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.domain.secret import CURRENT, Secret, SecretVersion
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRET_VERSIONS

from .errors import InvalidParameterException, ResourceNotFoundException
from .resolve import usable_secret, versions
from .values import move_stage

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import UpdateSecretVersionStageRequestTypeDef


def update_secret_version_stage(
    call: Call, request: UpdateSecretVersionStageRequestTypeDef
) -> Response:
    """A label that another version has must be taken off it in the same request."""
    secret, stage = usable_secret(call, request["SecretId"]), request["VersionStage"]
    source, target = request.get("RemoveFromVersionId"), request.get("MoveToVersionId")
    if source is None and target is None:
        raise InvalidParameterException(
            "You must provide RemoveFromVersionId, MoveToVersionId or both."
        )
    for version_id in (source, target):
        _check_there(call, secret, version_id)
    holder = next((v for v in versions(call, secret) if stage in v.stages), None)
    _check_source(holder, stage, source, target)
    if stage == CURRENT and target is None:
        raise InvalidParameterException(
            f"You can only move staging label {CURRENT} to a different secret version. It can’t "
            "be completely removed."
        )
    move_stage(call, secret, stage, target)
    return {"ARN": secret.arn, "Name": secret.name}


def _check_there(call: Call, secret: Secret, version_id: str | None) -> None:
    if version_id and call.tx.get(SECRET_VERSIONS, f"{secret.arn}|{version_id}") is None:
        raise ResourceNotFoundException(
            f"Secrets Manager can't find the specified secret value for VersionId: {version_id}"
        )


def _check_source(
    holder: SecretVersion | None, stage: str, source: str | None, target: str | None
) -> None:
    if source is not None and (holder is None or holder.version_id != source):
        raise InvalidParameterException(
            f"Staging label {stage} is not currently attached to version {source}."
        )
    if source is None and holder is not None and holder.version_id != target:
        raise InvalidParameterException(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently "
            f"attached to version {holder.version_id}, so you must explicitly reference that "
            "version in RemoveFromVersionId."
        )


OPERATIONS: dict[str, Handler] = {"UpdateSecretVersionStage": update_secret_version_stage}
