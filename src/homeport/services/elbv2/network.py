"""Where a load balancer is: subnets, zones and security groups of one VPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeport.domain.vpc import Subnet
from homeport.services.call import Call
from homeport.store.schema import INTERNET_GATEWAYS, SECURITY_GROUPS, SUBNETS

from .errors import InvalidConfigurationRequest, InvalidSubnet, SubnetNotFound, ValidationError

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import SubnetMappingTypeDef


@dataclass(frozen=True, slots=True)
class Placement:
    """A VPC and ``(subnet id, availability zone)`` pairs, by zone."""

    vpc_id: str
    subnets: tuple[tuple[str, str], ...]


def placement(
    call: Call, subnet_ids: Sequence[str], mappings: Sequence[SubnetMappingTypeDef]
) -> Placement:
    """The placement that ``Subnets`` or ``SubnetMappings`` ask for, checked."""
    if subnet_ids and mappings:
        raise ValidationError("You can specify either subnets or subnet mappings, not both")
    if any(m.get("AllocationId") for m in mappings):
        raise ValidationError("An application load balancer takes no Elastic IP: SubnetMappings")
    ids = list(subnet_ids) or [m.get("SubnetId") or "" for m in mappings]
    subnets = [_subnet(call, subnet_id) for subnet_id in dict.fromkeys(ids)]
    zones = [subnet.availability_zone for subnet in subnets]
    if len(set(zones)) < 2:
        raise ValidationError(
            "At least two subnets in two different Availability Zones must be specified"
        )
    if len(set(zones)) < len(zones):
        raise InvalidConfigurationRequest(
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        )
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise InvalidConfigurationRequest("All subnets must belong to the same VPC: Subnets")
    in_order = sorted(subnets, key=lambda subnet: subnet.availability_zone)
    return Placement(subnets[0].vpc_id, tuple((s.subnet_id, s.availability_zone) for s in in_order))


def _subnet(call: Call, subnet_id: str) -> Subnet:
    found = call.tx.get(SUBNETS, subnet_id)
    if found is None:
        raise SubnetNotFound(f"The subnet ID '{subnet_id[:128]}' does not exist")
    return found


def check_gateway(call: Call, vpc_id: str) -> None:
    """A load balancer that faces the internet needs a VPC that does. Raises InvalidSubnet."""
    if not call.tx.find(INTERNET_GATEWAYS, "vpc", vpc_id):
        raise InvalidSubnet(f"VPC {vpc_id} has no internet gateway")


def security_groups(call: Call, vpc_id: str, group_ids: Sequence[str]) -> tuple[str, ...]:
    """The groups asked for, or the VPC's default group."""
    in_vpc = call.tx.find(SECURITY_GROUPS, "vpc", vpc_id)
    if not group_ids:
        return tuple(group.group_id for group in in_vpc if group.name == "default")
    known = {group.group_id for group in in_vpc}
    unknown = [group_id for group_id in group_ids if group_id not in known]
    if unknown:
        raise InvalidConfigurationRequest(
            f"One or more security groups are invalid: SecurityGroups '{unknown[0][:128]}'"
        )
    return tuple(dict.fromkeys(group_ids))
