"""Tags of parameters; nothing else of Systems Manager can have any here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from homeport.domain.cluster import Tag
from homeport.domain.parameter import Parameter
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import PARAMETERS

from .errors import InvalidResourceId, InvalidResourceType, TooManyTagsError, ValidationException
from .names import wanted

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        AddTagsToResourceRequestTypeDef,
        ListTagsForResourceRequestTypeDef,
        RemoveTagsFromResourceRequestTypeDef,
        TagTypeDef,
    )

MAX_TAGS = 50


def add_tags_to_resource(call: Call, request: AddTagsToResourceRequestTypeDef) -> Response:
    """Add or overwrite."""
    parameter = _parameter(call, request["ResourceType"], request["ResourceId"])
    added = {t.key: t.value for t in parse_tags(request["Tags"])}
    return _keep(call, parameter, {t.key: t.value for t in parameter.tags} | added)


def remove_tags_from_resource(
    call: Call, request: RemoveTagsFromResourceRequestTypeDef
) -> Response:
    """Keys that are not there are no error."""
    parameter = _parameter(call, request["ResourceType"], request["ResourceId"])
    gone = set(request["TagKeys"])
    return _keep(call, parameter, {t.key: t.value for t in parameter.tags if t.key not in gone})


def list_tags_for_resource(call: Call, request: ListTagsForResourceRequestTypeDef) -> Response:
    """All of them."""
    parameter = _parameter(call, request["ResourceType"], request["ResourceId"])
    return {"TagList": [{"Key": t.key, "Value": t.value} for t in parameter.tags]}


def parse_tags(tags: Iterable[TagTypeDef]) -> tuple[Tag, ...]:
    """A request's tags. Raises ValidationException and TooManyTagsError."""
    parsed: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise ValidationException(
                f"Tag keys that start with aws: are reserved for AWS: {key[:128]}."
            )
        parsed[key] = tag["Value"]
    if len(parsed) > MAX_TAGS:
        raise TooManyTagsError(f"A resource can have at most {MAX_TAGS} tags.")
    return tuple(Tag(key, value) for key, value in parsed.items())


def _parameter(call: Call, resource_type: str, resource_id: str) -> Parameter:
    if resource_type != "Parameter":
        raise InvalidResourceType(
            f"Homeport has tags of ResourceType Parameter only, not {resource_type[:64]}."
        )
    parameter = call.tx.get(PARAMETERS, wanted(call, resource_id).name)
    if parameter is None:
        raise InvalidResourceId(
            f"The resource ID is not valid. Verify that you entered the correct ID: "
            f"{resource_id[:256]}."
        )
    return parameter


def _keep(call: Call, parameter: Parameter, tags: Mapping[str, str]) -> Response:
    if len(tags) > MAX_TAGS:
        raise TooManyTagsError(f"A resource can have at most {MAX_TAGS} tags.")
    kept = tuple(Tag(key, value) for key, value in tags.items())
    call.tx.put(PARAMETERS, replace(parameter, tags=kept))
    return {}


OPERATIONS: dict[str, Handler] = {
    "AddTagsToResource": add_tags_to_resource,
    "RemoveTagsFromResource": remove_tags_from_resource,
    "ListTagsForResource": list_tags_for_resource,
}
