"""What RunTask, StartTask and CreateService refuse before anything is placed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.domain.task_definition import TaskDefinition
from homeport.identities import unassumable
from homeport.services.call import Call

from .errors import ClientException, InvalidParameterException
from .fargate_launch import check_fargate_launch
from .not_run_yet import (
    refusal,
    unsupported_in_definition,
    unsupported_in_overrides,
    unsupported_in_request,
)

LAUNCH_TYPES = ("EC2", "FARGATE", "EXTERNAL")

Request = Mapping[str, Any]  # RunTask, StartTask, CreateService and UpdateService share members


RUN = ("EC2", "FARGATE")


def check_launch_type(request: Request) -> str:
    """The launch type (EC2 when none is given); raises for what is not valid."""
    launch_type = request.get("launchType")
    if launch_type and request.get("capacityProviderStrategy"):
        raise InvalidParameterException(
            "Specify either Launch Type or Capacity Provider Strategy, but not both."
        )
    if launch_type and launch_type not in (*LAUNCH_TYPES, "MANAGED_INSTANCES"):
        raise InvalidParameterException("launch type should be one of [EC2,FARGATE,EXTERNAL]")
    return launch_type or "EC2"


def check_launch(
    request: Request, definition: TaskDefinition, overrides: Request, launch_type: str
) -> None:
    """Raise unless an agent can run a task of ``definition`` as the request wants it.

    ``launch_type`` is what the request and the cluster come to (``resolve_capacity``).
    """
    _check_compatible(launch_type, definition)
    if launch_type not in RUN:
        raise ClientException(refusal(f"launchType {launch_type}"))
    if launch_type == "FARGATE":
        check_fargate_launch(request, definition, overrides)
    elif overrides.get("ephemeralStorage"):
        raise InvalidParameterException(
            "overrides.ephemeralStorage is only for tasks of the FARGATE launch type."
        )
    feature = (
        unsupported_in_request(request)
        or unsupported_in_definition(definition)
        or unsupported_in_overrides(overrides)
    )
    if feature:
        raise ClientException(refusal(feature))


def check_roles(
    call: Call, definition: TaskDefinition, overrides: Request, cluster_arn: str
) -> None:
    """Raise unless ECS may assume the roles that the task is to have."""
    why = unassumable(call.tx, definition.document, overrides, cluster_arn)
    if why is not None:
        raise ClientException(why)


def _check_compatible(launch_type: str, definition: TaskDefinition) -> None:
    compatibilities = definition.document.get("compatibilities")
    if isinstance(compatibilities, list | tuple) and launch_type not in compatibilities:
        raise InvalidParameterException(
            f"Task definition does not support launch_type {launch_type}."
        )
