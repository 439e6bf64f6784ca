"""Which secret and which version a request means.

A secret is named by its name, its ARN, or its ARN without the hyphen and six random characters
at the end. Source: Secrets Manager API reference, ``SecretId``.
"""

from __future__ import annotations

from homeport.domain.secret import CURRENT, Secret, SecretVersion
from homeport.services.call import Call
from homeport.store.schema import SECRET_VERSIONS, SECRETS

from .errors import InvalidRequestException, ResourceNotFoundException


def lookup(call: Call, identifier: str) -> Secret | None:
    """The secret, one that waits for its deletion included; one whose time is over is gone."""
    secret = call.tx.get(SECRETS, identifier)
    name = identifier.removeprefix(call.arns.secret(""))
    candidates = [secret] if secret is not None else call.tx.find(SECRETS, "name", name)
    living = (s for s in candidates if s.delete_at is None or s.delete_at > call.now)
    return next(living, None)


def find_secret(call: Call, identifier: str) -> Secret:
    """The same. Raises ResourceNotFoundException."""
    secret = lookup(call, identifier)
    if secret is None:
        raise ResourceNotFoundException
    return secret


def usable_secret(call: Call, identifier: str) -> Secret:
    """One that is not to be deleted. Raises InvalidRequestException."""
    secret = find_secret(call, identifier)
    if secret.delete_at is not None:
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret


def versions(call: Call, secret: Secret) -> list[SecretVersion]:
    """Every version, the oldest first."""
    found = call.tx.find(SECRET_VERSIONS, "secret", secret.arn)
    return sorted(found, key=lambda v: (v.created_at, v.version_id))


def find_version(
    call: Call, secret: Secret, version_id: str | None, stage: str | None
) -> SecretVersion:
    """By id, by stage, by both, or the current one."""
    if version_id is not None:
        version = call.tx.get(SECRET_VERSIONS, f"{secret.arn}|{version_id}")
        if version is None:
            raise ResourceNotFoundException(
                f"Secrets Manager can't find the specified secret value for VersionId: {version_id}"
            )
        if stage is not None and stage not in version.stages:
            raise InvalidRequestException(
                "You provided a VersionStage that is not associated to the provided VersionId."
            )
        return version
    wanted = stage or CURRENT
    found = next((v for v in versions(call, secret) if wanted in v.stages), None)
    if found is None:
        raise ResourceNotFoundException(
            f"Secrets Manager can't find the specified secret value for staging label: {wanted}"
        )
    return found
