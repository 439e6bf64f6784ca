"""Regions, availability zones and account attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.services.call import Call, Handler, Response

from .default_vpc import zone_id
from .errors import InvalidParameterValue
from .filters import Fields, never, select
from .interface_making import MAX_GROUPS
from .vpcs import default_vpc_id

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        DescribeAccountAttributesRequestTypeDef,
        DescribeAvailabilityZonesRequestTypeDef,
        DescribeRegionsRequestTypeDef,
    )


def describe_availability_zones(
    call: Call, request: DescribeAvailabilityZonesRequestTypeDef
) -> Response:
    """The zones of this installation."""
    region = call.platform.region
    fields: Fields[str] = {
        "zone-name": lambda z: [z],
        "zone-id": lambda z: [zone_id(z)],
        "zone-type": lambda z: ["availability-zone"],
        "region-name": lambda z: [region],
        "state": lambda z: ["available"],
        "opt-in-status": lambda z: ["opt-in-not-required"],
        "group-name": lambda z: [f"{region}-zg-1"],
        **never("group-long-name", "message", "parent-zone-id", "parent-zone-name"),
    }
    zones = list(call.platform.availability_zones)
    for name in request.get("ZoneNames") or ():
        if name not in zones:
            raise InvalidParameterValue(f"Invalid availability zone: [{name[:64]}]")
    known_ids = {zone_id(zone) for zone in zones}
    for wanted in request.get("ZoneIds") or ():
        if wanted not in known_ids:
            raise InvalidParameterValue(f"Invalid availability zone-id: [{wanted[:64]}]")
    names, ids = request.get("ZoneNames"), request.get("ZoneIds")
    zones = [z for z in zones if not names or z in names]
    zones = [z for z in zones if not ids or zone_id(z) in ids]
    chosen = select(zones, request.get("Filters") or (), fields)
    return {"AvailabilityZones": [_zone_view(region, zone) for zone in chosen]}


def _zone_view(region: str, zone: str) -> dict[str, Any]:
    return {
        "ZoneName": zone,
        "ZoneId": zone_id(zone),
        "ZoneType": "availability-zone",
        "State": "available",
        "RegionName": region,
        "GroupName": f"{region}-zg-1",
        "NetworkBorderGroup": region,
        "OptInStatus": "opt-in-not-required",
        "Messages": [],
    }


def describe_regions(call: Call, request: DescribeRegionsRequestTypeDef) -> Response:
    """The one region of this installation."""
    region = call.platform.region
    for name in request.get("RegionNames") or ():
        if name != region:
            raise InvalidParameterValue(f"Invalid region(s): [{name[:64]}]")
    fields: Fields[str] = {
        "region-name": lambda r: [r],
        "endpoint": lambda r: [call.platform.endpoint_url],
        "opt-in-status": lambda r: ["opt-in-not-required"],
    }
    chosen = select([region], request.get("Filters") or (), fields)
    return {
        "Regions": [
            {
                "RegionName": name,
                "Endpoint": call.platform.endpoint_url,
                "OptInStatus": "opt-in-not-required",
            }
            for name in chosen
        ]
    }


def describe_account_attributes(
    call: Call, request: DescribeAccountAttributesRequestTypeDef
) -> Response:
    """Those that are about networks; there is no limit of Elastic IP addresses to name."""
    default = default_vpc_id(call) or "none"
    known: dict[str, str] = {
        "supported-platforms": "VPC",
        "default-vpc": default,
        "vpc-max-security-groups-per-interface": str(MAX_GROUPS),
    }
    asked: list[str] = [*(request.get("AttributeNames") or known)]
    for name in asked:
        if name not in known:
            raise InvalidParameterValue(f"Unknown attribute: {name[:64]}")
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": known[name]}]}
            for name in asked
        ]
    }


OPERATIONS: dict[str, Handler] = {
    "DescribeAvailabilityZones": describe_availability_zones,
    "DescribeRegions": describe_regions,
    "DescribeAccountAttributes": describe_account_attributes,
}
