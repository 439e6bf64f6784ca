"""Application load balancers. Their state is written by the traffic part alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from homeport.domain.load_balancing import LoadBalancer
from homeport.services.call import Call, Handler, Platform, Response
from homeport.store.schema import LISTENERS, LOAD_BALANCERS, RULES
from homeport.wire.paging import paginate

from . import resolve
from .errors import (
    DuplicateLoadBalancerName,
    InvalidConfigurationRequest,
    LoadBalancerNotFound,
    OperationNotPermitted,
    ValidationError,
)
from .network import check_gateway, placement, security_groups
from .tags import parse_tags

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        CreateLoadBalancerInputTypeDef,
        DeleteLoadBalancerInputTypeDef,
        DescribeLoadBalancersInputTypeDef,
        SetIpAddressTypeInputTypeDef,
        SetSecurityGroupsInputTypeDef,
        SetSubnetsInputTypeDef,
    )

MAX_PAGE = 400
_EDGES = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def check_name(name: str, what: str) -> None:
    """Names of load balancers and target groups: ≤ 32 letters, digits, inner hyphens."""
    if len(name) > 32:
        raise ValidationError(f"{what} name '{name[:64]}' cannot be longer than '32' characters")
    if not _EDGES.fullmatch(name):
        raise ValidationError(
            f"{what} name '{name}' can only contain characters that are alphanumeric characters "
            "and hyphens(-), and cannot begin or end with a hyphen"
        )


def create_load_balancer(call: Call, request: CreateLoadBalancerInputTypeDef) -> Response:
    """Creates an application load balancer; the same request again is the same answer."""
    _check_kind(request)
    name = request["Name"]
    check_name(name, "Load balancer")
    if name.startswith("internal-"):
        raise ValidationError(f"Load balancer name '{name}' cannot begin with 'internal-'")
    where = placement(call, request.get("Subnets") or (), request.get("SubnetMappings") or ())
    scheme = request.get("Scheme") or "internet-facing"
    if scheme == "internet-facing":
        check_gateway(call, where.vpc_id)
    wanted = LoadBalancer(
        arn=call.arns.elbv2(f"loadbalancer/app/{name}/{call.ids.hex16()}"),
        name=name,
        dns_name=dns_name(call.platform, name, scheme, call.ids.digits(10)),
        created_at=call.now,
        scheme=scheme,
        vpc_id=where.vpc_id,
        subnets=where.subnets,
        security_groups=security_groups(call, where.vpc_id, request.get("SecurityGroups") or ()),
        tags=parse_tags(request.get("Tags") or ()),
    )
    existing = next(iter(call.tx.find(LOAD_BALANCERS, "name", name)), None)
    if existing is None:
        existing = call.tx.put(LOAD_BALANCERS, wanted)
    elif _asked(existing) != _asked(wanted):
        raise DuplicateLoadBalancerName
    return {"LoadBalancers": [view(existing)]}


def _check_kind(request: CreateLoadBalancerInputTypeDef) -> None:
    kind = request.get("Type") or "application"
    if kind != "application":
        raise InvalidConfigurationRequest(
            f"Homeport has application load balancers only: Type '{kind}' is not supported yet"
        )
    address_type = request.get("IpAddressType") or "ipv4"
    if address_type != "ipv4":
        raise InvalidConfigurationRequest(
            f"Homeport's VPC has IPv4 only: IpAddressType '{address_type}' is not supported"
        )


def _asked(of: LoadBalancer) -> tuple[object, ...]:
    return of.scheme, of.subnets, of.security_groups, of.tags


def dns_name(platform: Platform, name: str, scheme: str, digits: str) -> str:
    """Under ``.localhost``, so that curl and browsers on this machine resolve it."""
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{digits}.{platform.region}.{platform.lb_domain}".lower()


def describe_load_balancers(call: Call, request: DescribeLoadBalancersInputTypeDef) -> Response:
    """By ARN or by name, or all."""
    arns, names = request.get("LoadBalancerArns") or (), request.get("Names") or ()
    if arns and names:
        raise ValidationError("Load balancer names and load balancer ARNs can't both be specified")
    found = [resolve.load_balancer(call, arn) for arn in arns]
    for name in names:
        named = call.tx.find(LOAD_BALANCERS, "name", name)
        if not named:
            raise LoadBalancerNotFound(f"Load balancers '[{name}]' not found")
        found.extend(named)
    if not arns and not names:
        found = call.tx.all(LOAD_BALANCERS)
    size = request.get("PageSize") or MAX_PAGE
    page, marker = paginate(
        found, lambda lb: lb.arn, size, request.get("Marker"), "ValidationError"
    )
    return {"LoadBalancers": [view(each) for each in page], "NextMarker": marker}


def delete_load_balancer(call: Call, request: DeleteLoadBalancerInputTypeDef) -> Response:
    """Deletes it with its listeners and rules; one that is gone is fine."""
    arn = request["LoadBalancerArn"]
    found = call.tx.get(LOAD_BALANCERS, arn)
    if found is None:
        return {}
    if found.attributes.get("deletion_protection.enabled") == "true":
        raise OperationNotPermitted(
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    for listener in resolve.listeners_of(call.tx, found):
        for rule in resolve.rules_in_order(call.tx, listener):
            call.tx.delete(RULES, rule.arn)
        call.tx.delete(LISTENERS, listener.arn)
    call.tx.delete(LOAD_BALANCERS, arn)
    return {}


def set_subnets(call: Call, request: SetSubnetsInputTypeDef) -> Response:
    """Replaces the subnets."""
    found = resolve.load_balancer(call, request["LoadBalancerArn"])
    where = placement(call, request.get("Subnets") or (), request.get("SubnetMappings") or ())
    if where.vpc_id != found.vpc_id:
        raise InvalidConfigurationRequest("The subnets belong to another VPC: Subnets")
    found = call.tx.put(LOAD_BALANCERS, msgspec.structs.replace(found, subnets=where.subnets))
    return {"AvailabilityZones": _zones(found), "IpAddressType": found.ip_address_type}


def set_security_groups(call: Call, request: SetSecurityGroupsInputTypeDef) -> Response:
    """Replaces the security groups."""
    found = resolve.load_balancer(call, request["LoadBalancerArn"])
    groups = security_groups(call, found.vpc_id, request["SecurityGroups"])
    call.tx.put(LOAD_BALANCERS, msgspec.structs.replace(found, security_groups=groups))
    return {"SecurityGroupIds": list(groups)}


def set_ip_address_type(call: Call, request: SetIpAddressTypeInputTypeDef) -> Response:
    """``ipv4`` is what there is."""
    found = resolve.load_balancer(call, request["LoadBalancerArn"])
    if request["IpAddressType"] != found.ip_address_type:
        raise InvalidConfigurationRequest(
            f"Homeport's VPC has IPv4 only: IpAddressType '{request['IpAddressType']}'"
        )
    return {"IpAddressType": found.ip_address_type}


def view(of: LoadBalancer) -> dict[str, object]:
    """A load balancer as ELBv2 returns it."""
    state: dict[str, str] = {"Code": of.state}
    if of.state_reason:
        state["Reason"] = of.state_reason
    return {
        "LoadBalancerArn": of.arn,
        "LoadBalancerName": of.name,
        "DNSName": of.dns_name,
        "CanonicalHostedZoneId": of.canonical_hosted_zone_id,
        "CreatedTime": of.created_at,
        "Scheme": of.scheme,
        "VpcId": of.vpc_id,
        "State": state,
        "Type": of.type,
        "AvailabilityZones": _zones(of),
        "SecurityGroups": list(of.security_groups),
        "IpAddressType": of.ip_address_type,
    }


def _zones(of: LoadBalancer) -> list[dict[str, object]]:
    return [
        {"ZoneName": zone, "SubnetId": subnet_id, "LoadBalancerAddresses": []}
        for subnet_id, zone in of.subnets
    ]


OPERATIONS: dict[str, Handler] = {
    "CreateLoadBalancer": create_load_balancer,
    "DescribeLoadBalancers": describe_load_balancers,
    "DeleteLoadBalancer": delete_load_balancer,
    "SetSubnets": set_subnets,
    "SetSecurityGroups": set_security_groups,
    "SetIpAddressType": set_ip_address_type,
}
