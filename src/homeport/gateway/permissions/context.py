"""The condition keys of a request, found out when a policy asks.

Source: "AWS global condition context keys", IAM user guide. Keys are in lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from homeport.identities import role_by_name
from homeport.services.sts.caller import user_id
from homeport.store.schema import USERS

from .resource_tags import tags_of
from .rule import Asked, Need

Values = tuple[str, ...]


class RequestContext(Mapping[str, Values]):
    """Condition key → values, for one need of one request."""

    def __init__(self, asked: Asked, need: Need) -> None:
        self._asked = asked
        self._need = need

    def __getitem__(self, key: str) -> Values:
        values = self._find(key)
        if values is None:
            raise KeyError(key)
        return values

    def __iter__(self) -> Iterator[str]:
        return iter((*_GLOBAL, *self._need.keys))

    def __len__(self) -> int:
        return len(_GLOBAL) + len(self._need.keys)

    def _find(self, key: str) -> Values | None:
        if key in self._need.keys:
            return _value(self._need.keys[key])
        if key in _GLOBAL:
            return _GLOBAL[key](self._asked)
        prefix, slash, name = key.partition("/")
        if not slash:
            return None
        if prefix == "aws:requesttag":
            return _tag(_request_tags(self._asked), name)
        if prefix == "aws:principaltag":
            return _tag(_principal_tags(self._asked), name)
        if prefix.endswith(":resourcetag"):
            return _tag(tags_of(self._asked.call.tx, self._need.resource), name)
        return None


def _value(value: str | None) -> Values | None:
    return None if value is None else (value,)


def _tag(tags: Mapping[str, str], name: str) -> Values | None:
    """Tag keys are compared without regard to case here, as IAM does."""
    return next(((value,) for key, value in tags.items() if key.lower() == name), None)


def _request_tags(asked: Asked) -> dict[str, str]:
    given = asked.document.get("tags") or asked.document.get("Tags") or ()
    if isinstance(given, Mapping):
        return dict(given)
    specified = [
        tag
        for specification in asked.document.get("TagSpecifications") or ()
        for tag in specification.get("Tags") or ()
    ]
    return {
        str(tag.get("key") or tag.get("Key") or ""): str(tag.get("value") or tag.get("Value") or "")
        for tag in (*given, *specified)
        if isinstance(tag, Mapping)
    }


def _tag_keys(asked: Asked) -> Values | None:
    named = asked.document.get("tagKeys") or asked.document.get("TagKeys") or ()
    keys = (*_request_tags(asked), *(key for key in named if isinstance(key, str)))
    return keys or None


def _principal_tags(asked: Asked) -> dict[str, str]:
    principal, tx = asked.call.principal, asked.call.tx
    if principal.kind == "user":
        holders = tx.find(USERS, "id", principal.user_id)
        return {t.key: t.value for holder in holders for t in holder.tags}
    role = role_by_name(tx, principal.name)
    return {t.key: t.value for t in role.tags} if role else {}


def _principal_arn(asked: Asked) -> Values | None:
    """Of a role's session, the role's."""
    principal = asked.call.principal
    if principal.kind == "role":
        role = role_by_name(asked.call.tx, principal.name)
        return _value(role.arn if role else None)
    return (principal.arn,)


def _principal_type(asked: Asked) -> Values:
    kind = asked.call.principal.kind
    return ({"root": "Account", "role": "AssumedRole"}.get(kind, "User"),)


def _user_name(asked: Asked) -> Values | None:
    principal = asked.call.principal
    return (principal.name,) if principal.kind == "user" else None


def _now(asked: Asked) -> Values:
    return (datetime.fromtimestamp(asked.call.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),)


def _issued(asked: Asked) -> Values | None:
    session = asked.call.principal.session
    if session is None:
        return None
    return (datetime.fromtimestamp(session.issued_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),)


def _mfa(asked: Asked) -> Values | None:
    """Only temporary credentials have it, and there are no MFA devices."""
    return ("false",) if asked.call.principal.session else None


_GLOBAL: Mapping[str, Callable[[Asked], Values | None]] = {
    "aws:currenttime": _now,
    "aws:epochtime": lambda asked: (str(int(asked.call.now)),),
    "aws:multifactorauthpresent": _mfa,
    "aws:principalaccount": lambda asked: (asked.call.principal.account_id,),
    "aws:principalarn": _principal_arn,
    "aws:principaltype": _principal_type,
    "aws:requestedregion": lambda asked: (asked.call.platform.region,),
    "aws:resourceaccount": lambda asked: (asked.call.platform.account_id,),
    "aws:securetransport": lambda asked: ("false",),
    "aws:sourceip": lambda asked: _value(asked.source_ip or None),
    "aws:tagkeys": _tag_keys,
    "aws:tokenissuetime": _issued,
    "aws:useragent": lambda asked: _value(asked.headers.get("user-agent")),
    "aws:userid": lambda asked: (user_id(asked.call.principal),),
    "aws:username": _user_name,
    "aws:viaawsservice": lambda asked: ("false",),
}
