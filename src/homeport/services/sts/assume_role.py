"""AssumeRole. Source: STS API reference; "Methods to assume a role", IAM user guide.

Tags and the source identity of a session are taken and have no effect: no policy here can ask
for them (``docs/differences.md``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from homeport.decide.policy import MalformedPolicy, parse
from homeport.domain.iam import DEFAULT_SESSION_SECONDS, Role
from homeport.domain.session import Session, SessionCredentials
from homeport.identities import role_by_arn
from homeport.identities.permissions import managed_policy
from homeport.services.call import Call, Handler, Response

from .errors import AccessDenied, MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import AssumeRoleRequestTypeDef

LONGEST_CHAINED_SECONDS = 3600
MAX_SESSION_POLICY = 2048
MAX_SESSION_POLICY_ARNS = 10
_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")


def assume_role(call: Call, request: AssumeRoleRequestTypeDef) -> Response:
    """Credentials of a session of the role; the authorization step has asked the trust policy."""
    if call.principal.kind == "root":
        raise AccessDenied("Roles may not be assumed by root accounts.")
    refuse_mfa(request.get("SerialNumber"), request.get("TokenCode"))
    role = role_by_arn(call.tx, request["RoleArn"])
    assert role is not None  # the authorization step has refused a role that there is not
    name = request["RoleSessionName"]
    if not _SESSION_NAME.fullmatch(name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*"
        )
    session = Session(
        arn=call.arns.assumed_role(role.name, name),
        role_name=role.name,
        session_name=name,
        issued_at=call.now,
        expires_at=call.now + _duration(call, role, request.get("DurationSeconds")),
        nonce=call.ids.hex16(),
        session_policies=_session_policies(request),
        session_policy_arns=_session_policy_arns(call, request),
    )
    return {
        "Credentials": credentials_view(call.sessions.issue(session)),
        "AssumedRoleUser": {"AssumedRoleId": f"{role.role_id}:{name}", "Arn": session.arn},
    }


def credentials_view(credentials: SessionCredentials) -> Response:
    """The one time that the secrets of a session are shown."""
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": credentials.expires_at,
    }


def refuse_mfa(serial_number: str | None, token_code: str | None) -> None:
    """There are no MFA devices here, so no code can be right."""
    if serial_number or token_code:
        raise AccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")


def _duration(call: Call, role: Role, seconds: int | None) -> int:
    chained = call.principal.kind == "role"
    if seconds is None:
        return DEFAULT_SESSION_SECONDS
    if chained and seconds > LONGEST_CHAINED_SECONDS:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining"
        )
    if seconds > role.max_session_seconds:
        raise ValidationError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds


def _session_policies(request: AssumeRoleRequestTypeDef) -> tuple[str, ...]:
    policy = request.get("Policy")
    if not policy:
        return ()
    if len(policy) > MAX_SESSION_POLICY:
        raise PackedPolicyTooLarge(
            f"The session policy has more than {MAX_SESSION_POLICY} characters."
        )
    try:
        parse(policy)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(str(error)) from None
    return (policy,)


def _session_policy_arns(call: Call, request: AssumeRoleRequestTypeDef) -> tuple[str, ...]:
    arns = tuple(each.get("arn", "") for each in request.get("PolicyArns") or ())
    if len(arns) > MAX_SESSION_POLICY_ARNS:
        raise ValidationError(f"At most {MAX_SESSION_POLICY_ARNS} PolicyArns can be given.")
    for arn in arns:
        if managed_policy(call.tx, arn) is None:
            raise MalformedPolicyDocument(f"The policy {arn} in PolicyArns was not found.")
    return arns


OPERATIONS: dict[str, Handler] = {"AssumeRole": assume_role}
