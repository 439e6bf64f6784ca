"""A secret's value: sealed, told from another one, and staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from homeport.domain.secret import CURRENT, PREVIOUS, Secret, SecretVersion
from homeport.services.call import Call
from homeport.store.schema import SECRET_VERSIONS, SECRETS

from .errors import InvalidParameterException, ResourceExistsException
from .resolve import versions

KEPT_VERSIONS = 100
Request = Mapping[str, Any]  # CreateSecret, PutSecretValue or UpdateSecret


def value_of(request: Request) -> tuple[bytes, bool] | None:
    """The value and whether it is binary; None when the request has none."""
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise InvalidParameterException(
            "You can't specify both a binary secret value and a string secret value in the same "
            "secret."
        )
    if text is not None:
        return str(text).encode(), False
    return (bytes(binary), True) if binary is not None else None


def opened(call: Call, version: SecretVersion) -> dict[str, object]:
    """``SecretString`` or ``SecretBinary``."""
    value = call.vault.open(version.value, version.owner)
    return {"SecretBinary": value} if version.binary else {"SecretString": value.decode()}


def add_version(
    call: Call,
    secret: Secret,
    version_id: str,
    value: tuple[bytes, bool],
    stages: Sequence[str] = (CURRENT,),
) -> SecretVersion:
    """A new version with these stages; the same one asked for again changes nothing."""
    content, binary = value
    existing = call.tx.get(SECRET_VERSIONS, f"{secret.arn}|{version_id}")
    if existing is not None:
        if (call.vault.open(existing.value, existing.owner), existing.binary) == value:
            return existing
        raise ResourceExistsException(
            f"You can't use ClientRequestToken {version_id} because that value is already in use "
            f"for a version of secret {secret.arn}."
        )
    before = versions(call, secret)
    wanted = tuple(dict.fromkeys(stages)) if before else tuple(dict.fromkeys((*stages, CURRENT)))
    version = SecretVersion(
        secret_arn=secret.arn,
        version_id=version_id,
        value=call.vault.seal(content, f"{secret.arn} {version_id}"),
        created_at=call.now,
        binary=binary,
    )
    call.tx.put(SECRET_VERSIONS, version)
    for stage in wanted:
        move_stage(call, secret, stage, version_id)
    _forget_old_versions(call, secret)
    call.tx.put(SECRETS, replace(secret, changed_at=call.now))
    kept = call.tx.get(SECRET_VERSIONS, f"{secret.arn}|{version_id}")
    return kept or version


def move_stage(call: Call, secret: Secret, stage: str, version_id: str | None) -> None:
    """Put a label on a version (None: on none), off the one that had it.

    When AWSCURRENT moves, AWSPREVIOUS follows to the version that it left.
    """
    left: str | None = None
    for version in versions(call, secret):
        if stage in version.stages and version.version_id != version_id:
            left = version.version_id
            remaining = tuple(s for s in version.stages if s != stage)
            call.tx.put(SECRET_VERSIONS, replace(version, stages=remaining))
        elif stage not in version.stages and version.version_id == version_id:
            call.tx.put(SECRET_VERSIONS, replace(version, stages=(*version.stages, stage)))
    if stage == CURRENT and left is not None:
        move_stage(call, secret, PREVIOUS, left)


def _forget_old_versions(call: Call, secret: Secret) -> None:
    """Deprecated versions go when there are many."""
    kept = versions(call, secret)
    surplus = len(kept) - KEPT_VERSIONS
    for version in [v for v in kept if not v.stages][: max(0, surplus)]:
        call.tx.delete(SECRET_VERSIONS, f"{secret.arn}|{version.version_id}")
