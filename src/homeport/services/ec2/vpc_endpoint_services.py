"""The services that a VPC endpoint can lead to, described."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.vpc_endpoint import GATEWAY
from homeport.services.call import Call, Handler, Response

from .default_vpc import zone_id
from .endpoint_catalog import PRIVATE_NAMES, kinds, private_dns_name, service_name
from .errors import InvalidServiceName
from .filters import Fields, never, page, select

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeVpcEndpointServicesRequestTypeDef


class EndpointService(msgspec.Struct, frozen=True):
    """A service by one type of endpoint."""

    name: str
    kind: str

    @property
    def tags(self) -> tuple[()]:
        """None: they are AWS's."""
        return ()


FIELDS: Fields[EndpointService] = {
    "owner": lambda s: ["amazon"],
    "service-name": lambda s: [s.name],
    "service-type": lambda s: [s.kind],
    "supported-ip-address-types": lambda s: ["ipv4"],
    "tag:": lambda s: (),
    **never("tag-key"),
}


def describe_vpc_endpoint_services(
    call: Call, request: DescribeVpcEndpointServicesRequestTypeDef
) -> Response:
    """By name and filters."""
    region = call.platform.region
    names = request.get("ServiceNames") or [service_name(region, s) for s in PRIVATE_NAMES]
    for name in names:
        if not kinds(region, name):
            raise InvalidServiceName(name)
    services = [EndpointService(name, kind) for name in names for kind in kinds(region, name)]
    if regions := request.get("ServiceRegions"):
        services = services if region in regions else []
    ours: Fields[EndpointService] = {"service-region": lambda s: [region]}
    chosen = select(services, request.get("Filters") or (), {**FIELDS, **ours})
    chosen, token = page(chosen, lambda s: f"{s.name}|{s.kind}", request)
    return {
        "ServiceNames": list(dict.fromkeys(service.name for service in chosen)),
        "ServiceDetails": [_view(call, service) for service in chosen],
        "NextToken": token,
    }


def _view(call: Call, service: EndpointService) -> dict[str, Any]:
    region, zones = call.platform.region, call.platform.availability_zones
    digest = hashlib.sha256(f"{service.name}|{service.kind}".encode()).hexdigest()
    view: dict[str, Any] = {
        "ServiceName": service.name,
        "ServiceId": f"vpce-svc-0{digest[:16]}",
        "ServiceType": [{"ServiceType": service.kind}],
        "ServiceRegion": region,
        "AvailabilityZones": list(zones),
        "AvailabilityZoneIds": [zone_id(zone) for zone in zones],
        "Owner": "amazon",
        "VpcEndpointPolicySupported": True,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": [],
    }
    if service.kind != GATEWAY:
        name = private_dns_name(region, service.name)
        view |= {"PrivateDnsName": name, "PrivateDnsNames": [{"PrivateDnsName": name}]}
    return view


OPERATIONS: dict[str, Handler] = {
    "DescribeVpcEndpointServices": describe_vpc_endpoint_services,
}
