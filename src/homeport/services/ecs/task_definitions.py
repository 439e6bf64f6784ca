"""Task definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from homeport.decide.placement.cluster_query import QueryError, parse
from homeport.domain.arn import last_segment
from homeport.domain.task_definition import FamilyCounter, TaskDefinition
from homeport.scheduling.definitions import in_use
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import FAMILY_COUNTERS, TASK_DEFINITIONS
from homeport.wire.paging import paginate

from . import task_definition_rules as rules
from .errors import ClientException, InvalidParameterException
from .resolve import find_task_definition
from .tags import parse_tags
from .tags import view as tags_view
from .task_definition_document import (
    compatibilities,
    complete_document,
    container_definitions,
    required_attributes,
)
from .task_size import parse_size

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        DeleteTaskDefinitionsRequestTypeDef,
        DeregisterTaskDefinitionRequestTypeDef,
        DescribeTaskDefinitionRequestTypeDef,
        ListTaskDefinitionFamiliesRequestTypeDef,
        ListTaskDefinitionsRequestTypeDef,
        RegisterTaskDefinitionRequestTypeDef,
    )

MAX_PAGE = 100
MAX_DELETED = 10
STATUSES = ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS")
_REFERENCE = re.compile(r"(arn:.*/)?[A-Za-z0-9_-]{1,255}(:[0-9]+)?")


def register_task_definition(call: Call, request: RegisterTaskDefinitionRequestTypeDef) -> Response:
    """Registers the next revision of a family."""
    given = cast(Mapping[str, Any], request)
    rules.check(given)
    for constraint in given.get("placementConstraints") or ():
        try:
            parse(constraint.get("expression") or "")
        except QueryError as error:
            raise InvalidParameterException(
                f"Invalid expression in placementConstraints: {error}"
            ) from None
    tags = parse_tags(given.get("tags") or ())
    family = given["family"]
    revision = _next_revision(call, family)
    document = complete_document(given)
    definition = TaskDefinition(
        arn=call.arns.ecs(f"task-definition/{family}:{revision}"),
        family=family,
        revision=revision,
        document=document,
        containers=container_definitions(document),
        network_mode=given.get("networkMode") or "bridge",
        registered_at=call.now,
        registered_by=call.principal.arn,
        cpu=parse_size(given.get("cpu"), "cpu"),
        memory=parse_size(given.get("memory"), "memory"),
        placement_constraints=tuple(
            (c["type"], c.get("expression") or "") for c in given.get("placementConstraints") or ()
        ),
        requires_attributes=required_attributes(document),
        tags=tags,
    )
    call.tx.put(TASK_DEFINITIONS, definition)
    return {"taskDefinition": view(definition), "tags": tags_view(tags)}


def describe_task_definition(call: Call, request: DescribeTaskDefinitionRequestTypeDef) -> Response:
    """One revision, INACTIVE ones included."""
    definition = find_task_definition(call, request["taskDefinition"])
    if definition is None:
        raise ClientException("Unable to describe task definition.")
    tags = tags_view(definition.tags) if "TAGS" in (request.get("include") or ()) else []
    return {"taskDefinition": view(definition), "tags": tags}


def deregister_task_definition(
    call: Call, request: DeregisterTaskDefinitionRequestTypeDef
) -> Response:
    """Makes a revision INACTIVE: what runs goes on, nothing new may name it."""
    identifier = request["taskDefinition"]
    if ":" not in last_segment(identifier):
        raise ClientException("Revision is missing.")
    definition = find_task_definition(call, identifier)
    if definition is None:
        raise ClientException("The specified task definition does not exist.")
    if definition.status == "ACTIVE":
        definition = call.tx.put(
            TASK_DEFINITIONS,
            msgspec.structs.replace(definition, status="INACTIVE", deregistered_at=call.now),
        )
    return {"taskDefinition": view(definition)}


def delete_task_definitions(call: Call, request: DeleteTaskDefinitionsRequestTypeDef) -> Response:
    """Deletes INACTIVE revisions; one that is still used stays DELETE_IN_PROGRESS."""
    identifiers = request["taskDefinitions"]
    if len(identifiers) > MAX_DELETED:
        raise InvalidParameterException("Size of TaskDefinition references list cannot exceed 10")
    deleted, failures = [], []
    for identifier in identifiers:
        definition = find_task_definition(call, identifier)
        if definition is None or ":" not in last_segment(identifier):
            failures.append({"arn": identifier, "reason": "MISSING"})
        elif definition.status == "ACTIVE":
            detail = "The specified task definition is still in ACTIVE status."
            failures.append({"arn": definition.arn, "reason": detail})
        else:
            deleted.append(view(_delete(call, definition)))
    return {"taskDefinitions": deleted, "failures": failures}


def list_task_definitions(call: Call, request: ListTaskDefinitionsRequestTypeDef) -> Response:
    """ARNs by family and revision; ACTIVE ones unless another status is asked for."""
    status = request.get("status") or "ACTIVE"
    if status not in STATUSES:
        raise InvalidParameterException(f"status should be one of [{','.join(STATUSES)}].")
    family = request.get("familyPrefix")
    rows = [
        d
        for d in call.tx.all(TASK_DEFINITIONS)
        if d.status == status and (family is None or d.family == family)
    ]
    descending = request.get("sort") == "DESC"
    keys = {_sort_key(d, descending): d.arn for d in rows}
    page, token = paginate(
        sorted(keys, reverse=False),
        str,
        _page_size(request.get("maxResults")),
        request.get("nextToken"),
    )
    return {"taskDefinitionArns": [keys[key] for key in page], "nextToken": token}


def list_task_definition_families(
    call: Call, request: ListTaskDefinitionFamiliesRequestTypeDef
) -> Response:
    """Family names by prefix; ACTIVE: with an ACTIVE revision, INACTIVE: without, ALL: both."""
    status = request.get("status") or "ALL"
    if status not in ("ACTIVE", "INACTIVE", "ALL"):
        raise InvalidParameterException("status should be one of [ACTIVE,INACTIVE,ALL].")
    prefix = request.get("familyPrefix") or ""
    active: dict[str, bool] = {}
    for definition in call.tx.all(TASK_DEFINITIONS):
        active[definition.family] = active.get(definition.family, False) or (
            definition.status == "ACTIVE"
        )
    wanted = {"ACTIVE": (True,), "INACTIVE": (False,), "ALL": (True, False)}[status]
    families = [
        f for f, is_active in active.items() if f.startswith(prefix) and is_active in wanted
    ]
    page, token = paginate(
        families, str, _page_size(request.get("maxResults")), request.get("nextToken")
    )
    return {"families": page, "nextToken": token}


def view(definition: TaskDefinition) -> dict[str, object]:
    """A task definition as ECS describes it."""
    return {
        **definition.document,
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": definition.status,
        "compatibilities": list(compatibilities(definition.document)),
        "requiresAttributes": [{"name": name} for name in definition.requires_attributes],
        "registeredAt": definition.registered_at,
        "registeredBy": definition.registered_by,
        "deregisteredAt": definition.deregistered_at,
    }


def _next_revision(call: Call, family: str) -> int:
    counter = call.tx.get(FAMILY_COUNTERS, family)
    revision = counter.last_revision + 1 if counter else 1
    call.tx.put(FAMILY_COUNTERS, FamilyCounter(family, revision))
    return revision


def _delete(call: Call, definition: TaskDefinition) -> TaskDefinition:
    deleting = msgspec.structs.replace(
        definition, status="DELETE_IN_PROGRESS", delete_requested_at=call.now
    )
    if in_use(call.tx, definition.arn):
        call.tx.put(TASK_DEFINITIONS, deleting)
    else:
        call.tx.delete(TASK_DEFINITIONS, definition.arn)
    return deleting


def _sort_key(definition: TaskDefinition, descending: bool) -> str:
    """Orders by family, then revision as a number; inverted for DESC."""
    key = f"{definition.family}:{definition.revision:07d}"
    return "".join(chr(0x10FFFF - ord(c)) for c in key) if descending else key


def _page_size(max_results: int | None) -> int:
    if max_results is None:
        return MAX_PAGE
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException("maxResults must be between 1 and 100.")
    return max_results


OPERATIONS: dict[str, Handler] = {
    "RegisterTaskDefinition": register_task_definition,
    "DescribeTaskDefinition": describe_task_definition,
    "DeregisterTaskDefinition": deregister_task_definition,
    "DeleteTaskDefinitions": delete_task_definitions,
    "ListTaskDefinitions": list_task_definitions,
    "ListTaskDefinitionFamilies": list_task_definition_families,
}
