"""Sessions of ECS Exec as Systems Manager shows them: listed, ended, and never resumed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from homeport.domain.execute import SESSION_PREFIX, ExecuteSession
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import EXECUTE_SESSIONS
from homeport.wire.paging import paginate

from .errors import DoesNotExistException, InvalidFilterKey, ValidationException

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        DescribeSessionsRequestTypeDef,
        ResumeSessionRequestTypeDef,
        SessionFilterTypeDef,
        TerminateSessionRequestTypeDef,
    )

PAGE = 200
_SESSION_ID = re.compile(re.escape(SESSION_PREFIX) + "[0-9a-f]{17}")

Test = Callable[[ExecuteSession], bool]


def describe_sessions(call: Call, request: DescribeSessionsRequestTypeDef) -> Response:
    """Those that are open; of those that are over nothing is kept."""
    state = request["State"]
    if state not in ("Active", "History"):
        raise ValidationException("State must be one of [Active, History]")
    tests = [_test(given) for given in request.get("Filters") or ()]
    sessions = call.tx.all(EXECUTE_SESSIONS) if state == "Active" else []
    page, token = paginate(
        [s for s in sessions if all(test(s) for test in tests)],
        lambda s: s.id,
        request.get("MaxResults", PAGE),
        request.get("NextToken"),
        "InvalidNextToken",
    )
    return {"Sessions": [_view(session) for session in page], "NextToken": token}


def terminate_session(call: Call, request: TerminateSessionRequestTypeDef) -> Response:
    """Its relay sees that the record is gone, and ends it; one that is over is fine."""
    call.tx.delete(EXECUTE_SESSIONS, _session_id(request["SessionId"]))
    return {"SessionId": request["SessionId"]}


def resume_session(call: Call, request: ResumeSessionRequestTypeDef) -> Response:
    """A session ends with its client's connection: no token, which the official client
    understands ("timed out")."""
    return {"SessionId": _session_id(request["SessionId"])}


def _session_id(given: str) -> str:
    if not _SESSION_ID.fullmatch(given):
        raise DoesNotExistException(f"Session {given[:128]} does not exist.")
    return given


def _test(given: SessionFilterTypeDef) -> Test:
    value = given["value"]
    match given["key"]:
        case "Target":
            return lambda s: s.channel_id == value
        case "Owner":
            return lambda s: s.principal_arn == value
        case "SessionId":
            return lambda s: s.id == value
        case "Status":
            return lambda s: value == "Connected"
        case key:
            raise InvalidFilterKey(f"Sessions can't be filtered by {key}.")


def _view(session: ExecuteSession) -> Response:
    return {
        "SessionId": session.id,
        "Target": session.channel_id,
        "Status": "Connected",
        "StartDate": session.created_at,
        "DocumentName": "AmazonECS-ExecuteInteractiveCommand",
        "Owner": session.principal_arn,
    }


OPERATIONS: dict[str, Handler] = {
    "DescribeSessions": describe_sessions,
    "TerminateSession": terminate_session,
    "ResumeSession": resume_session,
}
