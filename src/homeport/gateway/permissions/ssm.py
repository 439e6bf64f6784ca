"""Parameter Store: parameters by name, with or without a selector, or by ARN."""

from __future__ import annotations

from collections.abc import Mapping

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
    "AddTagsToResource": _TAGGED,
    "RemoveTagsFromResource": _TAGGED,
    "ListTagsForResource": _TAGGED,
}
