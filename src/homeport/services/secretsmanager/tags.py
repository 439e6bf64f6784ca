"""Tags of secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.cluster import Tag
from homeport.domain.secret import Secret
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRETS

from .errors import InvalidParameterException, LimitExceededException
from .resolve import usable_secret

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import (
        TagResourceRequestTypeDef,
        TagTypeDef,
        UntagResourceRequestTypeDef,
    )

MAX_TAGS = 50


def tag_resource(call: Call, request: TagResourceRequestTypeDef) -> Response:
    """Add or overwrite."""
    secret = usable_secret(call, request["SecretId"])
    added = {t.key: t.value for t in parse_tags(request["Tags"])}
    return _keep(call, secret, {t.key: t.value for t in secret.tags} | added)


def untag_resource(call: Call, request: UntagResourceRequestTypeDef) -> Response:
    """Keys that are not there are no error."""
    secret = usable_secret(call, request["SecretId"])
    gone = set(request["TagKeys"])
    return _keep(call, secret, {t.key: t.value for t in secret.tags if t.key not in gone})


def parse_tags(tags: Iterable[TagTypeDef]) -> tuple[Tag, ...]:
    """A request's tags."""
    parsed: dict[str, str] = {}
    for tag in tags:
        key = tag.get("Key") or ""
        if not key:
            raise InvalidParameterException("A tag must have a key: Tags.Key.")
        if key.lower().startswith("aws:"):
            raise InvalidParameterException(
                f"Tag keys that start with aws: are reserved for AWS: Tags.Key {key[:128]}."
            )
        parsed[key] = tag.get("Value", "")
    if len(parsed) > MAX_TAGS:
        raise LimitExceededException(f"A secret can have at most {MAX_TAGS} tags.")
    return tuple(Tag(key, value) for key, value in parsed.items())


def view(tags: Iterable[Tag]) -> list[dict[str, str]]:
    """As answers have them."""
    return [{"Key": t.key, "Value": t.value} for t in tags]


def _keep(call: Call, secret: Secret, tags: Mapping[str, str]) -> Response:
    if len(tags) > MAX_TAGS:
        raise LimitExceededException(f"A secret can have at most {MAX_TAGS} tags.")
    kept = tuple(Tag(key, value) for key, value in tags.items())
    call.tx.put(SECRETS, replace(secret, tags=kept))
    return {}


OPERATIONS: dict[str, Handler] = {"TagResource": tag_resource, "UntagResource": untag_resource}
