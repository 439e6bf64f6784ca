"""Tags of log groups, by ARN and by name (the older operations)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from homeport.domain.cluster import Tag
from homeport.domain.logs import LogGroup
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import LOG_GROUPS

from .errors import InvalidParameterException, ResourceNotFoundException
from .groups import find_group
from .requests import (
    GroupRequest,
    ResourceRequest,
    TagLogGroupRequest,
    TagResourceRequest,
    UntagLogGroupRequest,
    UntagResourceRequest,
)

MAX_TAGS = 50


def tag_resource(call: Call, request: TagResourceRequest) -> Response:
    """Add or overwrite."""
    return _add(call, _by_arn(call, request["resourceArn"]), request["tags"])


def untag_resource(call: Call, request: UntagResourceRequest) -> Response:
    """Keys that are not there are no error."""
    return _remove(call, _by_arn(call, request["resourceArn"]), request["tagKeys"])


def list_tags_for_resource(call: Call, request: ResourceRequest) -> Response:
    """As a map."""
    return _listed(_by_arn(call, request["resourceArn"]))


def tag_log_group(call: Call, request: TagLogGroupRequest) -> Response:
    """Add or overwrite."""
    return _add(call, find_group(call, request["logGroupName"]), request["tags"])


def untag_log_group(call: Call, request: UntagLogGroupRequest) -> Response:
    """Keys that are not there are no error."""
    return _remove(call, find_group(call, request["logGroupName"]), request["tags"])


def list_tags_log_group(call: Call, request: GroupRequest) -> Response:
    """As a map."""
    return _listed(find_group(call, request["logGroupName"]))


def _by_arn(call: Call, arn: str) -> LogGroup:
    group = call.tx.get(LOG_GROUPS, arn.removesuffix(":*"))
    if group is None:
        raise ResourceNotFoundException("The specified resource does not exist.")
    return group


def _add(call: Call, group: LogGroup, added: Mapping[str, str]) -> Response:
    tags = {tag.key: tag.value for tag in group.tags} | dict(added)
    if len(tags) > MAX_TAGS:
        raise InvalidParameterException(f"A resource can have at most {MAX_TAGS} tags.")
    return _put(call, group, tags)


def _remove(call: Call, group: LogGroup, keys: Iterable[str]) -> Response:
    gone = set(keys)
    return _put(call, group, {t.key: t.value for t in group.tags if t.key not in gone})


def _put(call: Call, group: LogGroup, tags: Mapping[str, str]) -> Response:
    call.tx.put(LOG_GROUPS, replace(group, tags=tuple(Tag(k, v) for k, v in tags.items())))
    return {}


def _listed(group: LogGroup) -> Response:
    return {"tags": {tag.key: tag.value for tag in group.tags}}


OPERATIONS: dict[str, Handler] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    "TagLogGroup": tag_log_group,
    "UntagLogGroup": untag_log_group,
    "ListTagsLogGroup": list_tags_log_group,
}
