"""What one operation needs: an action, on which resources, with which condition keys.

Source: "Actions, resources, and condition keys for AWS services", service authorization
reference. Where AWS has no resource for an action, its policies say ``*``, and so does the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeport.services.call import Call


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the authorization step sees it. ``prefix``: ``ecs`` of ``ecs:RunTask``."""

    call: Call
    prefix: str
    operation: str
    document: Mapping[str, Any]
    headers: Mapping[str, str]
    source_ip: str = ""


Resources = Callable[[Asked], Iterable[str]]
Keys = Callable[[Asked], Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource, with condition keys of its own."""

    action: str
    resource: str
    keys: Mapping[str, str | None]


Needs = Callable[[Asked], Iterable[Need]]


def everything(asked: Asked) -> tuple[str, ...]:
    """The action has no resource."""
    return ("*",)


def no_keys(asked: Asked) -> Mapping[str, str | None]:
    """The service adds no condition keys."""
    return {}


def nothing_else(asked: Asked) -> tuple[Need, ...]:
    """The action is all that is needed."""
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """``action``: where it is not the operation's name. ``keys``: the service's own condition
    keys, in lower case; None leaves one out. ``tagging``: the action that tags in the same
    request need as well (condition key ``…:CreateAction``). ``also``: what else is needed."""

    resources: Resources = everything
    action: str | None = None
    keys: Keys = no_keys
    tagging: str | None = None
    also: Needs = nothing_else


def needs(rule: Rule, asked: Asked) -> Iterable[Need]:
    """All that a request needs. There is at least one: no request is free by naming nothing."""
    action = f"{asked.prefix}:{rule.action or asked.operation}"
    keys = rule.keys(asked)
    resources = dict.fromkeys(rule.resources(asked)) or ("*",)
    for resource in resources:
        yield Need(action, resource, keys)
    if rule.tagging and (asked.document.get("tags") or asked.document.get("Tags")):
        created = {**keys, f"{asked.prefix}:createaction": asked.operation}
        for resource in resources:
            yield Need(f"{asked.prefix}:{rule.tagging}", resource, created)
    yield from rule.also(asked)


def members(asked: Asked, *names: str) -> list[str]:
    """What the request says in these members, which may hold a value or a list of them."""
    found: list[str] = []
    for name in names:
        value = asked.document.get(name)
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            found.extend(each for each in value if isinstance(each, str))
    return found


def arns_in(*names: str) -> Resources:
    """The resources are those whose ARNs these members hold."""
    return lambda asked: members(asked, *names)
