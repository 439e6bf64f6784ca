"""Secrets Manager: the secret by its whole ARN, whatever form the request names it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from homeport.services.secretsmanager.resolve import lookup

from .rule import Asked, Need, Rule, members


def _arn(asked: Asked, identifier: str) -> str:
    """A secret that there is not is refused as it was named, as AWS does."""
    secret = lookup(asked.call, identifier)
    if secret is not None:
        return secret.arn
    return identifier if identifier.startswith("arn:") else asked.call.arns.secret(identifier)


def _secret(asked: Asked) -> list[str]:
    return [_arn(asked, each) for each in members(asked, "SecretId")]


def _new_secret(asked: Asked) -> list[str]:
    """Six characters are added to the name, which policies write as ``-??????``."""
    return [asked.call.arns.secret(f"{asked.document.get('Name', '')}-??????")]


def _each_value(asked: Asked) -> Iterator[Need]:
    """Reading by filters would read whatever is found: it needs the permission on everything."""
    found: Iterable[str] = members(asked, "SecretIdList")
    arns = [_arn(asked, each) for each in found] or [asked.call.arns.secret("*")]
    for arn in arns:
        yield Need("secretsmanager:GetSecretValue", arn, {})


_ON_SECRET = Rule(_secret)

RULES: Mapping[str, Rule] = {
    "CreateSecret": Rule(_new_secret, tagging="TagResource"),
    **dict.fromkeys(
        (
            "GetSecretValue",
            "DescribeSecret",
            "ListSecretVersionIds",
            "GetResourcePolicy",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
            "PutSecretValue",
            "UpdateSecret",
            "UpdateSecretVersionStage",
            "RotateSecret",
            "CancelRotateSecret",
            "DeleteSecret",
            "RestoreSecret",
            "TagResource",
            "UntagResource",
        ),
        _ON_SECRET,
    ),
    "BatchGetSecretValue": Rule(also=_each_value),
    "ListSecrets": Rule(),
    "GetRandomPassword": Rule(),
}
