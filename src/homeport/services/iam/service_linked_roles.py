"""Service-linked roles: made for a service, with the policy AWS gives it, not to be changed.

Source: "Using service-linked roles", ECS developer guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homeport.domain.iam import Role, name_key
from homeport.identities.aws_managed import PREFIX
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import ROLES

from .entities import SERVICE_LINKED_PATH, find_role
from .errors import InvalidInput, NoSuchEntity
from .views import role_view

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        CreateServiceLinkedRoleRequestTypeDef,
        DeleteServiceLinkedRoleRequestTypeDef,
        GetServiceLinkedRoleDeletionStatusRequestTypeDef,
    )

# Service → name of its role, name of its policy.
SERVICE_LINKED = {
    "ecs.amazonaws.com": ("AWSServiceRoleForECS", "AmazonECSServiceRolePolicy"),
    "ecs.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "AWSApplicationAutoscalingECSServicePolicy",
    ),
    "elasticloadbalancing.amazonaws.com": (
        "AWSServiceRoleForElasticLoadBalancing",
        "AWSElasticLoadBalancingServiceRolePolicy",
    ),
}


def create_service_linked_role(
    call: Call, request: CreateServiceLinkedRoleRequestTypeDef
) -> Response:
    """The role of a service; there is one at most."""
    service = request["AWSServiceName"]
    if service not in SERVICE_LINKED:
        known = ", ".join(sorted(SERVICE_LINKED))
        raise InvalidInput(f"Homeport has service-linked roles for {known}; not for {service}.")
    if request.get("CustomSuffix"):
        raise InvalidInput(f"Custom suffix is not allowed for {service}")
    name, policy = SERVICE_LINKED[service]
    if call.tx.get(ROLES, name_key(name)) is not None:
        raise InvalidInput(
            f"Service role name {name} has been taken in this account, please try a different "
            "suffix."
        )
    path = f"{SERVICE_LINKED_PATH}{service}/"
    role = Role(
        name=name,
        path=path,
        role_id=call.ids.iam("AROA"),
        arn=call.arns.iam(f"role{path}{name}"),
        created_at=call.now,
        trust_policy=_trust(service),
        description=request.get("Description", ""),
        attached_policies=(f"{PREFIX}/aws-service-role/{policy}",),
    )
    call.tx.put(ROLES, role)
    return {"Role": role_view(role)}


def delete_service_linked_role(
    call: Call, request: DeleteServiceLinkedRoleRequestTypeDef
) -> Response:
    """Gone at once: nothing here acts with it. The task id says how to ask about it."""
    role = find_role(call, request["RoleName"])
    if not role.path.startswith(SERVICE_LINKED_PATH):
        raise NoSuchEntity(f"The role with name {role.name} is not service-linked.")
    call.tx.delete(ROLES, name_key(role.name))
    return {"DeletionTaskId": f"task{role.path}{role.name}/{call.ids.uuid()}"}


def get_service_linked_role_deletion_status(
    call: Call, request: GetServiceLinkedRoleDeletionStatusRequestTypeDef
) -> Response:
    """SUCCEEDED, as the role named by the task is not there."""
    parts = request["DeletionTaskId"].split("/")
    if len(parts) != 5 or call.tx.get(ROLES, name_key(parts[3])) is not None:
        raise NoSuchEntity(f"Deletion task {request['DeletionTaskId']} was not found.")
    return {"Status": "SUCCEEDED"}


def _trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


OPERATIONS: dict[str, Handler] = {
    "CreateServiceLinkedRole": create_service_linked_role,
    "DeleteServiceLinkedRole": delete_service_linked_role,
    "GetServiceLinkedRoleDeletionStatus": get_service_linked_role_deletion_status,
}
