"""The DHCP options that every VPC has: AWS's default set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from homeport.domain.cluster import Tag
from homeport.services.call import Call, Handler, Response

from .errors import DhcpOptionsNotFound
from .filters import TAG_FIELDS, Fields, page, select
from .vpcs import DHCP_OPTIONS_ID

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeDhcpOptionsRequestTypeDef


class DhcpOptions(msgspec.Struct, frozen=True):
    """One set: option name → value."""

    id: str
    options: dict[str, str]
    tags: tuple[Tag, ...] = ()


FIELDS: Fields[DhcpOptions] = {
    "dhcp-options-id": lambda d: [d.id],
    "key": lambda d: list(d.options),
    "value": lambda d: list(d.options.values()),
    **TAG_FIELDS,
}


def describe_dhcp_options(call: Call, request: DescribeDhcpOptionsRequestTypeDef) -> Response:
    """By id and filters."""
    region = call.platform.region
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    default = DhcpOptions(
        DHCP_OPTIONS_ID, {"domain-name": domain, "domain-name-servers": "AmazonProvidedDNS"}
    )
    for wanted in request.get("DhcpOptionsIds") or ():
        if wanted != default.id:
            raise DhcpOptionsNotFound(wanted)
    owner: Fields[DhcpOptions] = {"owner-id": lambda d: [call.platform.account_id]}
    chosen = select([default], request.get("Filters") or (), {**FIELDS, **owner})
    chosen, token = page(chosen, lambda d: d.id, request)
    views = [
        {
            "DhcpOptionsId": each.id,
            "OwnerId": call.platform.account_id,
            "DhcpConfigurations": [
                {"Key": key, "Values": [{"Value": value}]} for key, value in each.options.items()
            ],
            "Tags": [],
        }
        for each in chosen
    ]
    return {"DhcpOptions": views, "NextToken": token}


OPERATIONS: dict[str, Handler] = {"DescribeDhcpOptions": describe_dhcp_options}
