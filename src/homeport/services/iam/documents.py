"""Policy documents: what IAM refuses to store, and how it hands them out.

Limits do not count white space. Source: "IAM and AWS STS quotas", IAM user guide.
"""

from __future__ import annotations

from urllib.parse import quote

from homeport.decide.policy import MalformedPolicy, parse, parse_trust
from homeport.identities.trust_principals import unknown_principal
from homeport.services.call import Call

from .errors import LimitExceeded, MalformedPolicyDocument

MAX_TRUST_POLICY = 2048
MAX_MANAGED_POLICY = 6144
MAX_INLINE = {"user": 2048, "group": 5120, "role": 10240}


def checked_policy(document: str) -> str:
    """An identity policy's document; MalformedPolicyDocument."""
    try:
        parse(document)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(str(error)) from None
    return document


def checked_managed_policy(document: str) -> str:
    """The document of a managed policy's version."""
    if size(document) > MAX_MANAGED_POLICY:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {MAX_MANAGED_POLICY}")
    return checked_policy(document)


def checked_trust_policy(call: Call, document: str) -> str:
    """A role's trust policy; the users and roles of this account that it names exist."""
    if size(document) > MAX_TRUST_POLICY:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST_POLICY}")
    try:
        policy = parse_trust(document)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(str(error)) from None
    unknown = unknown_principal(call.tx, policy, call.platform.account_id)
    if unknown is not None:
        kind, name = unknown
        raise MalformedPolicyDocument(f'Invalid principal in policy: "{kind}":"{name}"')
    return document


def size(document: str) -> int:
    """The characters that count."""
    return sum(not character.isspace() for character in document)


def encoded(document: str) -> str:
    """The document as answers carry it: percent-encoded as RFC 3986 has it."""
    return quote(document, safe="-_.~")
