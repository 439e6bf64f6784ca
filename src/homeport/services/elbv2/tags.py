"""Tags of ELBv2 resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.cluster import Tag
from homeport.domain.load_balancing import Listener, LoadBalancer, Rule, TargetGroup
from homeport.services.call import Call, Handler, Response
from homeport.store import Table
from homeport.store.schema import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS

from . import resolve
from .errors import DuplicateTagKeys, TooManyTags, ValidationError

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        AddTagsInputTypeDef,
        DescribeTagsInputTypeDef,
        RemoveTagsInputTypeDef,
        TagTypeDef,
    )

MAX_TAGS = 50
MAX_RESOURCES = 20

Tagged = LoadBalancer | Listener | Rule | TargetGroup


def parse_tags(tags: Sequence[TagTypeDef]) -> tuple[Tag, ...]:
    """The tags of a request, checked."""
    parsed: dict[str, Tag] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise ValidationError(f"Tag keys may not start with 'aws:': Tags.Key '{key}'")
        if key in parsed:
            raise DuplicateTagKeys(f"A tag key was specified more than once: '{key}'")
        parsed[key] = Tag(key, tag.get("Value") or "")
    if len(parsed) > MAX_TAGS:
        raise TooManyTags(f"A resource has at most {MAX_TAGS} tags: Tags")
    return tuple(parsed.values())


def add_tags(call: Call, request: AddTagsInputTypeDef) -> Response:
    """Adds or replaces tags of up to 20 resources."""
    added = parse_tags(request["Tags"])
    for table, resource in _find_all(call, request["ResourceArns"]):
        merged = {tag.key: tag for tag in (*resource.tags, *added)}
        if len(merged) > MAX_TAGS:
            raise TooManyTags(f"A resource has at most {MAX_TAGS} tags: '{resource.arn}'")
        call.tx.put(table, msgspec.structs.replace(resource, tags=tuple(merged.values())))
    return {}


def remove_tags(call: Call, request: RemoveTagsInputTypeDef) -> Response:
    """Removes tags by key; absent keys are fine."""
    keys = set(request["TagKeys"])
    for table, resource in _find_all(call, request["ResourceArns"]):
        kept = tuple(tag for tag in resource.tags if tag.key not in keys)
        call.tx.put(table, msgspec.structs.replace(resource, tags=kept))
    return {}


def describe_tags(call: Call, request: DescribeTagsInputTypeDef) -> Response:
    """The tags of up to 20 resources."""
    return {
        "TagDescriptions": [
            {"ResourceArn": r.arn, "Tags": [{"Key": t.key, "Value": t.value} for t in r.tags]}
            for _, r in _find_all(call, request["ResourceArns"])
        ]
    }


def _find_all(call: Call, arns: Sequence[str]) -> list[tuple[Table[Any], Tagged]]:
    if len(arns) > MAX_RESOURCES:
        raise ValidationError(f"At most {MAX_RESOURCES} resources can be named: ResourceArns")
    return [_find(call, arn) for arn in arns]


def _find(call: Call, arn: str) -> tuple[Table[Any], Tagged]:
    kind = arn.split(":", 5)[-1].split("/", 1)[0]
    match kind:
        case "loadbalancer":
            return LOAD_BALANCERS, resolve.load_balancer(call, arn)
        case "listener":
            return LISTENERS, resolve.listener(call, arn)
        case "listener-rule":
            return RULES, resolve.rule(call, arn)
        case "targetgroup":
            return TARGET_GROUPS, resolve.target_group(call, arn)
    raise ValidationError(f"'{arn[:256]}' is not a valid ARN: ResourceArns")


OPERATIONS: dict[str, Handler] = {
    "AddTags": add_tags,
    "RemoveTags": remove_tags,
    "DescribeTags": describe_tags,
}
