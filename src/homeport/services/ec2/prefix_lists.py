"""The prefix lists that stand for services with gateway endpoints.

On AWS they list the services' public addresses; of those there are none here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.services.call import Call, Handler, Response

from .endpoint_catalog import GATEWAY_SERVICES, service_name
from .errors import PrefixListNotFound
from .filters import Fields, page, select

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeManagedPrefixListsRequestTypeDef,
        DescribePrefixListsRequestTypeDef,
    )


class PrefixList(msgspec.Struct, frozen=True):
    """One service's list."""

    id: str
    name: str


FIELDS: Fields[PrefixList] = {
    "prefix-list-id": lambda p: [p.id],
    "prefix-list-name": lambda p: [p.name],
}


def prefix_list_id(name: str) -> str:
    """``pl-`` and eight digits, by the name of the list: the service's."""
    return f"pl-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def describe_prefix_lists(call: Call, request: DescribePrefixListsRequestTypeDef) -> Response:
    """By id and filters."""
    lists, token = _chosen(call, request, FIELDS)
    views = [{"PrefixListId": p.id, "PrefixListName": p.name, "Cidrs": []} for p in lists]
    return {"PrefixLists": views, "NextToken": token}


def describe_managed_prefix_lists(
    call: Call, request: DescribeManagedPrefixListsRequestTypeDef
) -> Response:
    """By id and filters: AWS's own, there are no others."""
    lists, token = _chosen(call, request, {**FIELDS, "owner-id": lambda p: ["AWS"]})
    views = [
        {
            "PrefixListId": p.id,
            "PrefixListName": p.name,
            "PrefixListArn": f"arn:aws:ec2:{call.platform.region}:aws:prefix-list/{p.id}",
            "AddressFamily": "IPv4",
            "State": "create-complete",
            "OwnerId": "AWS",
            "Tags": [],
        }
        for p in lists
    ]
    return {"PrefixLists": views, "NextToken": token}


def _chosen(
    call: Call, request: Any, fields: Fields[PrefixList]
) -> tuple[list[PrefixList], str | None]:
    names = [service_name(call.platform.region, suffix) for suffix in GATEWAY_SERVICES]
    known = {prefix_list_id(name): PrefixList(prefix_list_id(name), name) for name in names}
    ids = request.get("PrefixListIds") or ()
    for wanted in ids:
        if wanted not in known:
            raise PrefixListNotFound(wanted)
    asked = [known[wanted] for wanted in dict.fromkeys(ids)] or list(known.values())
    return page(select(asked, request.get("Filters") or (), fields), lambda p: p.id, request)


OPERATIONS: dict[str, Handler] = {
    "DescribePrefixLists": describe_prefix_lists,
    "DescribeManagedPrefixLists": describe_managed_prefix_lists,
}
