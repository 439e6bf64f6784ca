"""Systems Manager: parameters by name, with or without a selector, or by ARN; sessions by id."""

from __future__ import annotations

from collections.abc import Mapping

from homeport.domain.arn import last_segment
from homeport.services.ssm.names import wanted

from .rule import Asked, Rule, members


def _parameter(asked: Asked) -> list[str]:
    given = members(asked, "Name", "Names")
    return [asked.call.arns.parameter(wanted(asked.call, each).name) for each in given]


def _path(asked: Asked) -> list[str]:
    return [asked.call.arns.parameter(asked.document.get("Path", "/").rstrip("/"))]


def _tagged(asked: Asked) -> list[str]:
    if asked.document.get("ResourceType") != "Parameter":
        return []
    return [asked.call.arns.parameter(each) for each in members(asked, "ResourceId")]


def _session(asked: Asked) -> list[str]:
    arns = asked.call.arns
    prefix = f"arn:aws:ssm:{arns.region}:{arns.account_id}:session"
    return [f"{prefix}/{last_segment(each)}" for each in members(asked, "SessionId")]


_ON_PARAMETER, _TAGGED = Rule(_parameter), Rule(_tagged)

RULES: Mapping[str, Rule] = {
    "PutParameter": Rule(_parameter, tagging="AddTagsToResource"),
    "GetParameter": _ON_PARAMETER,
    "GetParameters": _ON_PARAMETER,
    "GetParameterHistory": _ON_PARAMETER,
    "LabelParameterVersion": _ON_PARAMETER,
    "UnlabelParameterVersion": _ON_PARAMETER,
    "DeleteParameter": _ON_PARAMETER,
    "DeleteParameters": _ON_PARAMETER,
    "GetParametersByPath": Rule(_path),
    "DescribeParameters": Rule(),
    "ResumeSession": Rule(_session),
    "TerminateSession": Rule(_session),
    "AddTagsToResource": _TAGGED,
    "RemoveTagsFromResource": _TAGGED,
    "ListTagsForResource": _TAGGED,
}
