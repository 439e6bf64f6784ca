"""Which roles a request hands to a service: the caller needs iam:PassRole on each.

Source: "Granting a user permissions to pass a role to an AWS service", IAM user guide. Running a
definition passes the roles that it names, unless the request overrides them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeport.domain.iam import name_key
from homeport.services.ecs.resolve import find_task_definition
from homeport.store.schema import ROLES

from .rule import Asked, Need

TASKS = "ecs-tasks.amazonaws.com"
_TASK_ROLES = ("taskRoleArn", "executionRoleArn")


def of_definition(asked: Asked) -> Iterable[Need]:
    """RegisterTaskDefinition: the roles that it names."""
    return _passed(asked, (asked.document.get(member) for member in _TASK_ROLES), TASKS)


def of_tasks(asked: Asked) -> Iterator[Need]:
    """RunTask, StartTask, CreateService, UpdateService: overrides, else the definition's roles."""
    given = asked.document.get("taskDefinition")
    found = find_task_definition(asked.call, given) if given else None
    document: Mapping[str, Any] = found.document if found else {}
    overrides = asked.document.get("overrides") or {}
    named = (overrides.get(member) or document.get(member) for member in _TASK_ROLES)
    yield from _passed(asked, named, TASKS)
    yield from _passed(asked, _of_the_infrastructure(asked.document), "ecs.amazonaws.com")


def of_instance_profile(asked: Asked) -> Iterable[Need]:
    """AddRoleToInstanceProfile."""
    return _passed(asked, [asked.document.get("RoleName")], "ec2.amazonaws.com")


def _of_the_infrastructure(document: Mapping[str, Any]) -> Iterator[str | None]:
    yield document.get("role")
    for volume in document.get("volumeConfigurations") or ():
        yield (volume.get("managedEBSVolume") or {}).get("roleArn")
    for balancer in document.get("loadBalancers") or ():
        yield (balancer.get("advancedConfiguration") or {}).get("roleArn")


def _passed(asked: Asked, roles: Iterable[str | None], service: str) -> Iterator[Need]:
    for role in dict.fromkeys(role for role in roles if role):
        yield Need("iam:PassRole", _arn(asked, role), {"iam:passedtoservice": service})


def _arn(asked: Asked, role: str) -> str:
    if role.startswith("arn:"):
        return role
    known = asked.call.tx.get(ROLES, name_key(role))
    return known.arn if known else asked.call.arns.iam(f"role/{role}")
