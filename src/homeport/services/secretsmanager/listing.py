"""ListSecrets and its filters. Source: Filter, Secrets Manager API reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeport.domain.secret import Secret
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SECRETS
from homeport.wire.paging import paginate

from .errors import InvalidParameterException
from .reading import described, stages_of

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import FilterTypeDef, ListSecretsRequestTypeDef

PAGE = 100
KEYS = ("description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all")
SORTS = ("created-date", "last-accessed-date", "last-changed-date", "name")


def list_secrets(call: Call, request: ListSecretsRequestTypeDef) -> Response:
    """The newest first unless asked otherwise."""
    found = matching(call, request.get("Filters") or ())
    if not request.get("IncludePlannedDeletion"):
        found = [s for s in found if s.delete_at is None]
    sort = request.get("SortBy") or "created-date"
    if sort not in SORTS:
        raise InvalidParameterException(f"SortBy should be one of {', '.join(SORTS)}.")
    order = request.get("SortOrder") or ("asc" if sort == "name" else "desc")
    if order not in ("asc", "desc"):
        raise InvalidParameterException("SortOrder should be asc or desc.")
    found.sort(key=lambda s: (_sort_key(s, sort), s.name), reverse=order == "desc")
    place = {s.arn: f"{number:09d}" for number, s in enumerate(found)}
    page, token = paginate(
        found,
        lambda s: place[s.arn],
        request.get("MaxResults", PAGE),
        request.get("NextToken"),
        "InvalidNextTokenException",
    )
    return {
        "SecretList": [
            {**described(s), "SecretVersionsToStages": stages_of(call, s)} for s in page
        ],
        "NextToken": token,
    }


def _sort_key(secret: Secret, sort: str) -> tuple[float, str]:
    match sort:
        case "name":
            return 0.0, secret.name
        case "last-accessed-date":
            return secret.accessed_at or 0.0, ""
        case "last-changed-date":
            return secret.changed_at, ""
        case _:
            return secret.created_at, ""


def matching(call: Call, filters: Sequence[FilterTypeDef]) -> list[Secret]:
    """Secrets that every filter lets through, those to be deleted included."""
    for given in filters:
        key = given.get("Key")
        if key not in KEYS:
            raise InvalidParameterException(
                f"Filters.Key {str(key)[:64]!r} should be one of {', '.join(KEYS)}."
            )
        if not given.get("Values"):
            raise InvalidParameterException(f"Filters.Values of {key} must not be empty.")
    return [
        s
        for s in call.tx.all(SECRETS)
        if (s.delete_at is None or s.delete_at > call.now)
        and all(_passes(call, s, given) for given in filters)
    ]


def _passes(call: Call, secret: Secret, given: FilterTypeDef) -> bool:
    key = given.get("Key") or "all"
    facts = _facts(call, secret, key)
    exact = key in ("name", "tag-key", "tag-value")  # prefix of the whole, case counts
    return any(_matches(value, facts, exact) for value in given.get("Values") or ())


def _matches(value: str, facts: Sequence[str], exact: bool) -> bool:
    """``!value`` means any other; texts are searched by the beginnings of their words."""
    if value.startswith("!"):
        return not _matches(value[1:], facts, exact)
    if exact:
        return any(fact.startswith(value) for fact in facts)
    wanted = value.lower()
    return any(
        fact.lower().startswith(wanted) or f" {wanted}" in f" {fact.lower()}" for fact in facts
    )


def _facts(call: Call, secret: Secret, key: str) -> list[str]:
    keys, values = [t.key for t in secret.tags], [t.value for t in secret.tags]
    match key:
        case "name":
            return [secret.name]
        case "description":
            return [secret.description]
        case "tag-key":
            return keys
        case "tag-value":
            return values
        case "primary-region":
            return [call.platform.region]
        case "owning-service":
            return []
        case _:
            return [secret.name, secret.description, *keys, *values]


OPERATIONS: dict[str, Handler] = {"ListSecrets": list_secrets}
