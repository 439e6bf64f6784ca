"""CloudWatch Logs: groups and streams. A group's ARN in a refusal ends in ``:log-stream:``."""

from __future__ import annotations

from collections.abc import Mapping

from .rule import Asked, Resources, Rule, members


def _name_of(identifier: str) -> str:
    """The group's name in a name or an ARN."""
    if identifier.startswith("arn:"):
        return identifier.split(":log-group:", 1)[-1].removesuffix(":*")
    return identifier


def _group(asked: Asked) -> list[str]:
    given = members(asked, "logGroupName", "logGroupIdentifier", "logGroupIdentifiers")
    names = list(map(_name_of, given)) or [""]
    return [asked.call.arns.logs(f"log-group:{name}:log-stream:") for name in names]


def _stream(asked: Asked) -> list[str]:
    stream = asked.document.get("logStreamName", "")
    return [f"{group}{stream}" for group in _group(asked)]


def _tagged(*names: str) -> Resources:
    return lambda asked: [
        asked.call.arns.logs(f"log-group:{_name_of(arn)}") for arn in members(asked, *names)
    ]


_GROUP, _STREAM = Rule(_group), Rule(_stream)
_LISTED = Rule(_group)
_RESOURCE = Rule(_tagged("resourceArn"))

RULES: Mapping[str, Rule] = {
    "CreateLogGroup": Rule(_group, tagging="TagResource"),
    "DeleteLogGroup": _GROUP,
    "DescribeLogGroups": _LISTED,
    "ListLogGroups": _LISTED,
    "PutRetentionPolicy": _GROUP,
    "DeleteRetentionPolicy": _GROUP,
    "PutLogGroupDeletionProtection": _GROUP,
    "AssociateKmsKey": _GROUP,
    "DisassociateKmsKey": _GROUP,
    "CreateLogStream": _STREAM,
    "DeleteLogStream": _STREAM,
    "DescribeLogStreams": _GROUP,
    "PutLogEvents": _STREAM,
    "GetLogEvents": _STREAM,
    "FilterLogEvents": _GROUP,
    "GetLogGroupFields": _GROUP,
    "StartLiveTail": _GROUP,
    "StartQuery": _GROUP,
    "PutSubscriptionFilter": _GROUP,
    "DeleteSubscriptionFilter": _GROUP,
    "DescribeSubscriptionFilters": _GROUP,
    "PutMetricFilter": _GROUP,
    "DeleteMetricFilter": _GROUP,
    "DescribeMetricFilters": _GROUP,
    "TagLogGroup": _GROUP,
    "UntagLogGroup": _GROUP,
    "ListTagsLogGroup": _GROUP,
    "TagResource": _RESOURCE,
    "UntagResource": _RESOURCE,
    "ListTagsForResource": _RESOURCE,
}
