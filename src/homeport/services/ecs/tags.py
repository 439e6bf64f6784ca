"""Tags of ECS resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.capacity_provider import CapacityProvider
from homeport.domain.cluster import Cluster, Tag
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.service import Service
from homeport.domain.task import Task
from homeport.domain.task_definition import TaskDefinition
from homeport.services.call import Call, Handler, Response
from homeport.store import Table
from homeport.store.schema import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)

from .errors import InvalidParameterException, ResourceNotFoundException

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        ListTagsForResourceRequestTypeDef,
        TagResourceRequestTypeDef,
        UntagResourceRequestTypeDef,
    )

MAX_TAGS = 50
MAX_KEY = 128
MAX_VALUE = 256
RESERVED_PREFIX = "aws:"

Tagged = CapacityProvider | Cluster | ContainerInstance | Service | Task | TaskDefinition

# The ARN's resource type → the table that holds it.
_TABLES: dict[str, Table[Any]] = {
    "capacity-provider": CAPACITY_PROVIDERS,
    "cluster": CLUSTERS,
    "service": SERVICES,
    "task": TASKS,
    "task-definition": TASK_DEFINITIONS,
    "container-instance": CONTAINER_INSTANCES,
}


def parse_tags(tags: Sequence[Mapping[str, Any]]) -> tuple[Tag, ...]:
    """The tags of a request, checked: ≤ 50, keys unique, not AWS's own."""
    if len(tags) > MAX_TAGS:
        raise InvalidParameterException(f"Tags can not be more than {MAX_TAGS}.")
    parsed = {}
    for tag in tags:
        key, value = tag.get("key") or "", tag.get("value") or ""
        _check_key(key)
        if len(value) > MAX_VALUE:
            raise InvalidParameterException(
                f"Tag value must be at most {MAX_VALUE} characters: tags.value of '{key}'."
            )
        if key in parsed:
            raise InvalidParameterException(f"Duplicate tag keys found in tags: '{key}'.")
        parsed[key] = Tag(key, value)
    return tuple(parsed.values())


def _check_key(key: str) -> None:
    if not key or len(key) > MAX_KEY:
        raise InvalidParameterException(
            f"Tag keys must have between 1 and {MAX_KEY} characters: tags.key."
        )
    if key.lower().startswith(RESERVED_PREFIX):
        raise InvalidParameterException(
            f"Tag keys may not start with '{RESERVED_PREFIX}': tags.key '{key}'."
        )


def view(tags: Sequence[Tag]) -> list[dict[str, str]]:
    """Tags as ECS returns them."""
    return [{"key": tag.key, "value": tag.value} for tag in tags]


def tag_resource(call: Call, request: TagResourceRequestTypeDef) -> Response:
    """Adds or replaces tags."""
    table, resource = _find(call, request["resourceArn"])
    added = parse_tags(request["tags"])
    merged = {tag.key: tag for tag in (*resource.tags, *added)}
    if len(merged) > MAX_TAGS:
        raise InvalidParameterException(f"Tags can not be more than {MAX_TAGS}.")
    call.tx.put(table, msgspec.structs.replace(resource, tags=tuple(merged.values())))
    return {}


def untag_resource(call: Call, request: UntagResourceRequestTypeDef) -> Response:
    """Removes tags by key; absent keys are fine."""
    table, resource = _find(call, request["resourceArn"])
    keys = set(request["tagKeys"])
    for key in keys:
        _check_key(key)
    kept = tuple(tag for tag in resource.tags if tag.key not in keys)
    call.tx.put(table, msgspec.structs.replace(resource, tags=kept))
    return {}


def list_tags_for_resource(call: Call, request: ListTagsForResourceRequestTypeDef) -> Response:
    """The tags of a resource."""
    _, resource = _find(call, request["resourceArn"])
    return {"tags": view(resource.tags)}


def _find(call: Call, arn: str) -> tuple[Table[Any], Tagged]:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "ecs"]:
        raise InvalidParameterException(f"Invalid resource ARN: resourceArn '{arn[:256]}'.")
    kind, _, name = parts[5].partition("/")
    table = _TABLES.get(kind)
    if table is None:
        raise InvalidParameterException(f"Invalid resource type: resourceArn '{arn[:256]}'.")
    if kind in ("service", "task", "container-instance") and "/" not in name:
        raise InvalidParameterException(
            "Long arn format must be used for tagging operations: resourceArn."
        )
    resource: Tagged | None = call.tx.get(table, arn)
    if resource is None:
        raise ResourceNotFoundException
    return table, resource


OPERATIONS: dict[str, Handler] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
