"""GetSecretValue, DescribeSecret, ListSecretVersionIds, GetResourcePolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.secret import Secret, SecretVersion
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRET_VERSIONS, SECRETS
from homeport.wire.paging import paginate

from .resolve import find_secret, find_version, usable_secret, versions
from .tags import view as tags_view
from .values import opened

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import (
        DescribeSecretRequestTypeDef,
        GetResourcePolicyRequestTypeDef,
        GetSecretValueRequestTypeDef,
        ListSecretVersionIdsRequestTypeDef,
    )

PAGE = 100
DAY_SECONDS = 24 * 3600


def get_secret_value(call: Call, request: GetSecretValueRequestTypeDef) -> Response:
    """The value of one version, by default the current one."""
    secret = usable_secret(call, request["SecretId"])
    version = find_version(call, secret, request.get("VersionId"), request.get("VersionStage"))
    return read_value(call, secret, version)


def read_value(call: Call, secret: Secret, version: SecretVersion) -> dict[str, object]:
    """The answer with the value; that it was read today is kept, as AWS keeps the day."""
    today = call.now - call.now % DAY_SECONDS
    if secret.accessed_at != today:
        call.tx.put(SECRETS, replace(secret, accessed_at=today))
    if version.accessed_at != today:
        call.tx.put(SECRET_VERSIONS, replace(version, accessed_at=today))
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.version_id,
        "VersionStages": list(version.stages),
        "CreatedDate": version.created_at,
        **opened(call, version),
    }


def describe_secret(call: Call, request: DescribeSecretRequestTypeDef) -> Response:
    """Everything but the value, also while it waits for its deletion."""
    secret = find_secret(call, request["SecretId"])
    return {**described(secret), "VersionIdsToStages": stages_of(call, secret)}


def described(secret: Secret) -> dict[str, object]:
    """What is told of a secret besides versions and values."""
    view: dict[str, object] = {
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": secret.created_at,
        "LastChangedDate": secret.changed_at,
        "Tags": tags_view(secret.tags),
    }
    optional = {
        "Description": secret.description,
        "LastAccessedDate": secret.accessed_at,
        "DeletedDate": secret.deleted_at,
    }
    return view | {name: value for name, value in optional.items() if value}


def stages_of(call: Call, secret: Secret) -> dict[str, list[str]]:
    """Staging labels by version; deprecated versions are not shown."""
    return {v.version_id: list(v.stages) for v in versions(call, secret) if v.stages}


def list_secret_version_ids(call: Call, request: ListSecretVersionIdsRequestTypeDef) -> Response:
    """Versions with a label; with ``IncludeDeprecated`` the others too."""
    secret = find_secret(call, request["SecretId"])
    shown = [
        v for v in versions(call, secret) if v.stages or request.get("IncludeDeprecated", False)
    ]
    page, token = paginate(
        shown,
        lambda v: f"{v.created_at:020.6f} {v.version_id}",
        request.get("MaxResults", PAGE),
        request.get("NextToken"),
        "InvalidNextTokenException",
    )
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "Versions": [_version(v) for v in page],
        "NextToken": token,
    }


def _version(version: SecretVersion) -> dict[str, object]:
    return {
        "VersionId": version.version_id,
        "VersionStages": list(version.stages),
        "LastAccessedDate": version.accessed_at,
        "CreatedDate": version.created_at,
        "KmsKeyIds": ["DefaultEncryptionKey"],
    }


def get_resource_policy(call: Call, request: GetResourcePolicyRequestTypeDef) -> Response:
    """Secrets have no policies of their own here: the answer has none."""
    secret = find_secret(call, request["SecretId"])
    return {"ARN": secret.arn, "Name": secret.name}


OPERATIONS: dict[str, Handler] = {
    "GetSecretValue": get_secret_value,
    "DescribeSecret": describe_secret,
    "ListSecretVersionIds": list_secret_version_ids,
    "GetResourcePolicy": get_resource_policy,
}
