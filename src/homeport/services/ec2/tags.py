"""Tags of EC2 resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from homeport.domain.cluster import Tag
from homeport.domain.vpc import SecurityGroup
from homeport.services.call import Call, Handler, Response
from homeport.store import Table
from homeport.store.schema import (
    CONTAINER_INSTANCES,
    ELASTIC_ADDRESSES,
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    NETWORK_INTERFACES,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SUBNETS,
    VPC_ENDPOINTS,
    VPCS,
)
from homeport.wire.errors import ApiError

from .errors import (
    AllocationNotFound,
    GroupNotFound,
    InstanceNotFound,
    InternetGatewayNotFound,
    InvalidParameterValue,
    NatGatewayNotFound,
    NetworkInterfaceNotFound,
    ResourceIdNotFound,
    RouteTableNotFound,
    RuleIdNotFound,
    SubnetNotFound,
    TagLimitExceeded,
    VpcEndpointNotFound,
    VpcNotFound,
)
from .filters import TAG_FIELDS, Fields, page, select
from .permissions import rule_id

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        ClientCreateTagsRequestTypeDef,
        ClientDeleteTagsRequestTypeDef,
        DescribeTagsRequestTypeDef,
    )

MAX_TAGS = 50
MAX_KEY, MAX_VALUE = 128, 256

# The prefix of a resource's id → its kind, table, and the error when there is none.
_TABLES: dict[str, tuple[str, Table[Any], Callable[[str], ApiError]]] = {
    "vpc": ("vpc", VPCS, VpcNotFound),
    "subnet": ("subnet", SUBNETS, SubnetNotFound),
    "sg": ("security-group", SECURITY_GROUPS, GroupNotFound),
    "igw": ("internet-gateway", INTERNET_GATEWAYS, InternetGatewayNotFound),
    "rtb": ("route-table", ROUTE_TABLES, RouteTableNotFound),
    "nat": ("natgateway", NAT_GATEWAYS, NatGatewayNotFound),
    "eipalloc": ("elastic-ip", ELASTIC_ADDRESSES, AllocationNotFound),
    "eni": ("network-interface", NETWORK_INTERFACES, NetworkInterfaceNotFound),
    "vpce": ("vpc-endpoint", VPC_ENDPOINTS, VpcEndpointNotFound),
}
RULE = "security-group-rule"


class TagOf(msgspec.Struct, frozen=True):
    """A tag with its resource."""

    resource_id: str
    resource_type: str
    tag: Tag

    @property
    def tags(self) -> Sequence[Tag]:
        """The one tag, for the filter ``tag:KEY``."""
        return (self.tag,)


FIELDS: Fields[TagOf] = {
    "key": lambda t: [t.tag.key],
    "value": lambda t: [t.tag.value],
    "resource-id": lambda t: [t.resource_id],
    "resource-type": lambda t: [t.resource_type],
    **TAG_FIELDS,
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


def tags_view(tags: Sequence[Tag]) -> list[Mapping[str, str]]:
    """Tags as EC2 returns them."""
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def parse_tags(tags: Iterable[Mapping[str, Any]]) -> tuple[Tag, ...]:
    """The tags of a request, checked."""
    parsed: dict[str, Tag] = {}
    for tag in tags:
        key, value = str(tag.get("Key") or ""), str(tag.get("Value") or "")
        if not key:
            raise InvalidParameterValue("Tag key cannot be empty")
        if len(key) > MAX_KEY:
            raise InvalidParameterValue(f"Tag key exceeds the maximum length of {MAX_KEY}")
        if len(value) > MAX_VALUE:
            raise InvalidParameterValue(f"Tag value exceeds the maximum length of {MAX_VALUE}")
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue(
                "Tag keys starting with 'aws:' are reserved for internal use"
            )
        if key in parsed:
            raise InvalidParameterValue(f"Duplicate tag key '{key}' specified.")
        parsed[key] = Tag(key, value)
    return _limited(parsed.values())


def _limited(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    limited = tuple(tags)
    if len(limited) > MAX_TAGS:
        raise TagLimitExceeded
    return limited


def create_tags(call: Call, request: ClientCreateTagsRequestTypeDef) -> Response:
    """Adds or replaces tags: on all of the resources or on none."""
    added = parse_tags(request["Tags"])

    def change(tags: Sequence[Tag]) -> tuple[Tag, ...]:
        return _limited({tag.key: tag for tag in (*tags, *added)}.values())

    for resource_id in request["Resources"]:
        _change(call, str(resource_id), change)
    return {}


def delete_tags(call: Call, request: ClientDeleteTagsRequestTypeDef) -> Response:
    """Removes tags: all, or by key, or by key and value."""
    asked = request.get("Tags")

    def change(tags: Sequence[Tag]) -> tuple[Tag, ...]:
        return tuple(t for t in tags if asked and not any(_names(a, t) for a in asked))

    for resource_id in request["Resources"]:
        _change(call, str(resource_id), change)
    return {}


def _names(asked: Mapping[str, Any], tag: Tag) -> bool:
    return asked.get("Key") == tag.key and asked.get("Value") in (None, tag.value)


def describe_tags(call: Call, request: DescribeTagsRequestTypeDef) -> Response:
    """Tags of all resources, by filters."""
    tags = list(_all_tags(call))
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


def _all_tags(call: Call) -> Iterator[TagOf]:
    for kind, table, _ in _TABLES.values():
        for resource in call.tx.all(table):
            for tag in resource.tags:
                yield TagOf(table.key(resource), kind, tag)
    for group in call.tx.all(SECURITY_GROUPS):
        for key, tags in group.rule_tags.items():
            for tag in tags:
                yield TagOf(key, RULE, tag)


def _change(
    call: Call, resource_id: str, change: Callable[[Sequence[Tag]], tuple[Tag, ...]]
) -> None:
    prefix = resource_id.partition("-")[0]
    if prefix == "sgr":
        group = _group_of_rule(call, resource_id)
        tags = change(group.rule_tags.get(resource_id, ()))
        rule_tags = group.rule_tags | {resource_id: tags}
        call.tx.put(SECURITY_GROUPS, msgspec.structs.replace(group, rule_tags=rule_tags))
        return
    if prefix == "i":
        _refuse_instance(call, resource_id)
    if prefix not in _TABLES:
        raise ResourceIdNotFound(resource_id)
    _, table, not_found = _TABLES[prefix]
    resource = call.tx.get(table, resource_id)
    if resource is None:
        raise not_found(resource_id)
    call.tx.put(table, msgspec.structs.replace(resource, tags=change(resource.tags)))


def _group_of_rule(call: Call, wanted: str) -> SecurityGroup:
    for group in call.tx.all(SECURITY_GROUPS):
        for egress, side in ((False, group.ingress), (True, group.egress)):
            if any(rule_id(group, egress, rule) == wanted for rule in side):
                return group
    raise RuleIdNotFound(wanted)


def _refuse_instance(call: Call, instance_id: str) -> NoReturn:
    if not call.tx.find(CONTAINER_INSTANCES, "ec2_instance_id", instance_id):
        raise InstanceNotFound(instance_id)
    raise InvalidParameterValue(
        f"Homeport does not tag instances; tag the container instance of {instance_id[:64]} in ECS."
    )


OPERATIONS: dict[str, Handler] = {
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DescribeTags": describe_tags,
}
