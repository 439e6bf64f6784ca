"""Log groups and their retention. Source: CloudWatch Logs API reference."""

from __future__ import annotations

import re

from msgspec.structs import replace

from homeport.domain.cluster import Tag
from homeport.domain.logs import LogGroup
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOG_GROUPS, LOG_STREAMS
from homeport.wire.paging import paginate

from .errors import (
    GroupNotFound,
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ValidationException,
)
from .requests import (
    CreateLogGroupRequest,
    DescribeLogGroupsRequest,
    GroupRequest,
    IdentifiedGroupRequest,
    PutRetentionPolicyRequest,
)

MAX_PAGE = 50
CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


def create_log_group(call: Call, request: CreateLogGroupRequest) -> Response:
    """A group without retention policy. What Homeport can't do with a group is refused."""
    name = request["logGroupName"]
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            f"1 validation error detected: Value '{name[:128]}' at 'logGroupName' failed to "
            r"satisfy constraint: Member must satisfy regular expression pattern: "
            r"[\.\-_/#A-Za-z0-9]+"
        )
    if "kmsKeyId" in request:
        raise InvalidParameterException("Homeport does not encrypt log groups with KMS keys.")
    group_class = request.get("logGroupClass", "STANDARD")
    if group_class not in CLASSES:
        raise InvalidParameterException(f"Homeport has log groups of class {', '.join(CLASSES)}.")
    arn = group_arn(call, name)
    if call.tx.get(LOG_GROUPS, arn) is not None:
        raise ResourceAlreadyExistsException("The specified log group already exists")
    call.tx.put(
        LOG_GROUPS,
        LogGroup(
            arn=arn,
            name=name,
            created_at=call.now,
            group_class=group_class,
            deletion_protection=request.get("deletionProtectionEnabled", False),
            tags=tuple(Tag(k, v) for k, v in request.get("tags", {}).items()),
        ),
    )
    return {}


def delete_log_group(call: Call, request: GroupRequest) -> Response:
    """The group and its streams."""
    group = find_group(call, request["logGroupName"])
    if group.deletion_protection:
        raise ValidationException("The specified log group is protected from deletion.")
    for stream in call.tx.find(LOG_STREAMS, "group", group.arn):
        call.tx.delete(LOG_STREAMS, stream.arn)
    call.tx.delete(LOG_GROUPS, group.arn)
    return {}


def describe_log_groups(call: Call, request: DescribeLogGroupsRequest) -> Response:
    """By prefix, by a part of the name or by identifiers; in the order of their names."""
    prefix, part = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix and part:
        raise InvalidParameterException(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    wanted = request.get("logGroupClass")
    names = {name_of(identifier) for identifier in request.get("logGroupIdentifiers", ())}
    groups = [
        group
        for group in call.tx.all(LOG_GROUPS)
        if group.name.startswith(prefix or "")
        and (part or "") in group.name
        and (not names or group.name in names)
        and wanted in (None, group.group_class)
    ]
    page, token = paginate(
        groups, lambda g: g.name, request.get("limit", MAX_PAGE), request.get("nextToken")
    )
    return {"logGroups": [_view(call, group) for group in page], "nextToken": token}


def put_retention_policy(call: Call, request: PutRetentionPolicyRequest) -> Response:
    """One of the numbers of days that AWS has."""
    days = request["retentionInDays"]
    group = find_group(call, request["logGroupName"])
    if days not in RETENTION_DAYS:
        raise InvalidParameterException(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
            f"constraint: Member must satisfy enum value set: {sorted(RETENTION_DAYS)}"
        )
    call.tx.put(LOG_GROUPS, replace(group, retention_days=days))
    return {}


def delete_retention_policy(call: Call, request: GroupRequest) -> Response:
    """Events never expire again."""
    group = find_group(call, request["logGroupName"])
    call.tx.put(LOG_GROUPS, replace(group, retention_days=None))
    return {}


def group_arn(call: Call, name: str) -> str:
    """The ARN that tags and policies name, without ``:*``."""
    return call.arns.logs(f"log-group:{name}")


def name_of(identifier: str) -> str:
    """Of a name or an ARN, with or without ``:*``."""
    return identifier.removesuffix(":*").rsplit(":", 1)[-1]


def find_group(call: Call, name: str) -> LogGroup:
    """By name. Raises GroupNotFound."""
    group = call.tx.get(LOG_GROUPS, group_arn(call, name))
    if group is None:
        raise GroupNotFound
    return group


def identified_group(call: Call, request: IdentifiedGroupRequest) -> LogGroup:
    """By name or ARN: one of the two members, not both."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        raise InvalidParameterException(
            "LogGroup name and LogGroup identifier are mutually exclusive parameters: "
            "logGroupName, logGroupIdentifier."
        )
    if not name and not identifier:
        raise InvalidParameterException(
            "Specify either LogGroup name or LogGroup identifier: logGroupName, logGroupIdentifier."
        )
    return find_group(call, name or name_of(identifier or ""))


def _view(call: Call, group: LogGroup) -> dict[str, object]:
    streams = call.tx.find(LOG_STREAMS, "group", group.arn)
    return {
        "logGroupName": group.name,
        "creationTime": int(group.created_at * 1000),
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": sum(call.logs.stored_bytes(s.events) for s in streams),
        "logGroupClass": group.group_class,
        "deletionProtectionEnabled": group.deletion_protection,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateLogGroup": create_log_group,
    "DeleteLogGroup": delete_log_group,
    "DescribeLogGroups": describe_log_groups,
    "PutRetentionPolicy": put_retention_policy,
    "DeleteRetentionPolicy": delete_retention_policy,
}
