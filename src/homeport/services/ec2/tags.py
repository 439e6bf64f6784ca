"""Tags of EC2 resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.cluster import Tag
from homeport.services.call import Call, Handler, Response
from homeport.store import Table
from homeport.store.schema import SECURITY_GROUPS, SUBNETS, VPCS

from .errors import InvalidParameterValue, ResourceIdNotFound
from .filters import Fields, page, select

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        ClientCreateTagsRequestTypeDef,
        ClientDeleteTagsRequestTypeDef,
        DescribeTagsRequestTypeDef,
    )

MAX_TAGS = 50

# The prefix of a resource's id → its kind and table.
_TABLES: dict[str, tuple[str, Table[Any]]] = {
    "vpc": ("vpc", VPCS),
    "subnet": ("subnet", SUBNETS),
    "sg": ("security-group", SECURITY_GROUPS),
}


class TagOf(msgspec.Struct, frozen=True):
    """A tag with its resource."""

    resource_id: str
    resource_type: str
    tag: Tag


FIELDS: Fields[TagOf] = {
    "key": lambda t: [t.tag.key],
    "value": lambda t: [t.tag.value],
    "resource-id": lambda t: [t.resource_id],
    "resource-type": lambda t: [t.resource_type],
}


def tags_for(kind: str, specifications: Iterable[Mapping[str, Any]]) -> tuple[Tag, ...]:
    """The tags that ``TagSpecifications`` give to the resource being created."""
    tags: list[Mapping[str, Any]] = []
    for specification in specifications:
        if specification.get("ResourceType") != kind:
            raise InvalidParameterValue(
                f"'{specification.get('ResourceType')}' is not a valid taggable resource type for "
                "this operation."
            )
        tags.extend(specification.get("Tags") or ())
    return parse_tags(tags)


def parse_tags(tags: Iterable[Mapping[str, Any]]) -> tuple[Tag, ...]:
    """The tags of a request, checked."""
    parsed = {}
    for tag in tags:
        key = str(tag.get("Key") or "")
        if not 1 <= len(key) <= 127 or key.startswith("aws:"):
            raise InvalidParameterValue(f"Tag key '{key[:128]}' is not valid: Tags.Key")
        parsed[key] = Tag(key, str(tag.get("Value") or ""))
    return tuple(parsed.values())


def create_tags(call: Call, request: ClientCreateTagsRequestTypeDef) -> Response:
    """Adds or replaces tags."""
    added = parse_tags(request["Tags"])
    for resource_id in request["Resources"]:
        table, resource = _find(call, str(resource_id))
        merged = {tag.key: tag for tag in (*resource.tags, *added)}
        if len(merged) > MAX_TAGS:
            raise InvalidParameterValue(f"A resource has at most {MAX_TAGS} tags: Tags")
        call.tx.put(table, msgspec.structs.replace(resource, tags=tuple(merged.values())))
    return {}


def delete_tags(call: Call, request: ClientDeleteTagsRequestTypeDef) -> Response:
    """Removes tags: all, or by key, or by key and value."""
    asked = request.get("Tags")
    for resource_id in request["Resources"]:
        table, resource = _find(call, str(resource_id))
        kept = [t for t in resource.tags if asked and not any(_names(a, t) for a in asked)]
        call.tx.put(table, msgspec.structs.replace(resource, tags=tuple(kept)))
    return {}


def _names(asked: Mapping[str, Any], tag: Tag) -> bool:
    return asked.get("Key") == tag.key and asked.get("Value") in (None, tag.value)


def describe_tags(call: Call, request: DescribeTagsRequestTypeDef) -> Response:
    """Tags of all resources, by filters."""
    tags = [
        TagOf(table.key(resource), kind, tag)
        for kind, table in _TABLES.values()
        for resource in call.tx.all(table)
        for tag in resource.tags
    ]
    chosen = select(tags, request.get("Filters") or (), FIELDS)
    chosen, token = page(chosen, lambda t: f"{t.resource_id}|{t.tag.key}", request)
    views = [
        {
            "ResourceId": t.resource_id,
            "ResourceType": t.resource_type,
            "Key": t.tag.key,
            "Value": t.tag.value,
        }
        for t in chosen
    ]
    return {"Tags": views, "NextToken": token}


def _find(call: Call, resource_id: str) -> tuple[Table[Any], Any]:
    found = _TABLES.get(resource_id.partition("-")[0])
    resource = call.tx.get(found[1], resource_id) if found else None
    if found is None or resource is None:
        raise ResourceIdNotFound(resource_id)
    return found[1], resource


OPERATIONS: dict[str, Handler] = {
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DescribeTags": describe_tags,
}
