"""Custom attributes of container instances, for placement constraints.

Those that an agent's configuration brought are custom too: they count, and can be changed and
deleted. Names that begin with ``ecs.`` or ``com.amazonaws.`` belong to ECS and the agent.
Source: "Attributes", Amazon ECS developer guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.container_instance import ContainerInstance
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES
from homeport.wire.paging import paginate

from .errors import (
    AttributeLimitExceededException,
    InvalidParameterException,
    TargetNotFoundException,
)
from .instance_identity import RESERVED_ATTRIBUTES
from .resolve import active_cluster, find_cluster

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        AttributeTypeDef,
        DeleteAttributesRequestTypeDef,
        ListAttributesRequestTypeDef,
        PutAttributesRequestTypeDef,
    )

TARGET_TYPE = "container-instance"
MAX_PER_REQUEST = 10
MAX_PER_INSTANCE = 10
MAX_PAGE = 100
_NAME = re.compile(r"[A-Za-z0-9._/\\-]{1,128}")
_VALUE = re.compile(r"[A-Za-z0-9._/\\@:-]([A-Za-z0-9._/\\@: -]{0,126}[A-Za-z0-9._/\\@:-])?")


class Attribute(NamedTuple):
    """One attribute of one instance."""

    instance_arn: str
    name: str
    value: str | None

    def view(self) -> dict[str, str | None]:
        """As ECS returns it."""
        return {
            "name": self.name,
            "value": self.value,
            "targetType": TARGET_TYPE,
            "targetId": self.instance_arn,
        }


def put_attributes(call: Call, request: PutAttributesRequestTypeDef) -> Response:
    """Adds or replaces custom attributes, all or none."""
    cluster = active_cluster(call, request.get("cluster"))
    put = []
    for attribute in _given(request["attributes"]):
        name, value = attribute["name"], attribute.get("value")
        _check_name(name)
        if value is not None and not _VALUE.fullmatch(value):
            raise InvalidParameterException(
                f"Attribute value '{value[:140]}' of '{name}' is not valid: up to 128 letters, "
                "numbers, hyphens, underscores, periods, at signs, slashes, colons, inner spaces."
            )
        instance = _target(call, cluster, attribute)
        custom = _custom(instance) | {name: value}
        if len(custom) > MAX_PER_INSTANCE:
            raise AttributeLimitExceededException(
                f"A resource can have at most {MAX_PER_INSTANCE} custom attributes."
            )
        _store(call, instance, custom)
        put.append(Attribute(instance.arn, name, value).view())
    return {"attributes": put}


def delete_attributes(call: Call, request: DeleteAttributesRequestTypeDef) -> Response:
    """Removes custom attributes by name, all or none; absent ones are fine."""
    cluster = active_cluster(call, request.get("cluster"))
    deleted = []
    for attribute in _given(request["attributes"]):
        name = attribute["name"]
        _check_name(name)
        instance = _target(call, cluster, attribute)
        custom = _custom(instance)
        if name in custom:
            value = custom.pop(name)
            _store(call, instance, custom)
            deleted.append(Attribute(instance.arn, name, value).view())
    return {"attributes": deleted}


def list_attributes(call: Call, request: ListAttributesRequestTypeDef) -> Response:
    """Every attribute of a cluster's instances, or those of one name and value."""
    cluster = find_cluster(call, request.get("cluster"))
    if request["targetType"] != TARGET_TYPE:
        raise InvalidParameterException(f"targetType must be {TARGET_TYPE}.")
    max_results = request.get("maxResults", MAX_PAGE)
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameterException(f"maxResults must be between 1 and {MAX_PAGE}.")
    name, value = request.get("attributeName"), request.get("attributeValue")
    if value is not None and name is None:
        raise InvalidParameterException("attributeValue needs an attributeName.")
    found = [
        attribute
        for attribute in _all(call, cluster)
        if name in (None, attribute.name) and value in (None, attribute.value)
    ]
    page, token = paginate(
        found, lambda a: f"{a.name}|{a.instance_arn}", max_results, request.get("nextToken")
    )
    return {"attributes": [attribute.view() for attribute in page], "nextToken": token}


def _all(call: Call, cluster: Cluster) -> Iterator[Attribute]:
    for instance in call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn):
        if instance.status != "INACTIVE":
            for name, value in instance.attributes.items():
                yield Attribute(instance.arn, name, value)


def _given(attributes: list[AttributeTypeDef] | object) -> list[AttributeTypeDef]:
    given = list(attributes) if isinstance(attributes, list) else []
    if not given:
        raise InvalidParameterException("attributes can not be empty.")
    if len(given) > MAX_PER_REQUEST:
        raise InvalidParameterException(f"attributes can have at most {MAX_PER_REQUEST} items.")
    return given


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidParameterException(
            f"Attribute name '{name[:140]}' is not valid: 1 to 128 letters, numbers, hyphens, "
            "underscores, slashes and periods."
        )
    if name.startswith(RESERVED_ATTRIBUTES):
        raise InvalidParameterException(
            f"Attribute name '{name}' is reserved: names may not begin with ecs. or com.amazonaws."
        )


def _target(call: Call, cluster: Cluster, attribute: AttributeTypeDef) -> ContainerInstance:
    target_id = attribute.get("targetId") or ""
    target_type = attribute.get("targetType")
    if not target_id:
        raise InvalidParameterException("targetId can not be blank.")
    if target_type != TARGET_TYPE and (target_type or not target_id.startswith("arn:")):
        raise InvalidParameterException(f"targetType must be {TARGET_TYPE}.")
    arn = call.arns.ecs(f"container-instance/{cluster.name}/{last_segment(target_id)}")
    short_arn = call.arns.ecs(f"container-instance/{last_segment(target_id)}")
    ours = not target_id.startswith("arn:") or target_id in (arn, short_arn)
    instance = call.tx.get(CONTAINER_INSTANCES, arn) if ours else None
    if instance is None or instance.status == "INACTIVE":
        raise TargetNotFoundException(f"Could not find {target_id[:256]}")
    return instance


def _custom(instance: ContainerInstance) -> dict[str, str | None]:
    return {n: v for n, v in instance.attributes.items() if not n.startswith(RESERVED_ATTRIBUTES)}


def _store(call: Call, instance: ContainerInstance, custom: dict[str, str | None]) -> None:
    reserved = tuple(a for a in instance.agent_attributes if a[0].startswith(RESERVED_ATTRIBUTES))
    changed = msgspec.structs.replace(
        instance, agent_attributes=reserved, custom_attributes=tuple(custom.items())
    )
    call.tx.put(CONTAINER_INSTANCES, changed)


OPERATIONS: dict[str, Handler] = {
    "PutAttributes": put_attributes,
    "DeleteAttributes": delete_attributes,
    "ListAttributes": list_attributes,
}
