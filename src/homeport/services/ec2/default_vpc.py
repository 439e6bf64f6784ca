"""The parts that a VPC is born with, and the default VPC that every account has.

Sources: "Default VPC components", "Main route table" and "Default security groups", VPC user guide.
"""

from __future__ import annotations

from ipaddress import IPv4Network

import msgspec

from homeport.domain.arn import Ids
from homeport.domain.routing import (
    EVERYWHERE,
    LOCAL,
    InternetGateway,
    Route,
    RouteTable,
    RouteTableAssociation,
)
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.services.call import Platform
from homeport.store import Transaction
from homeport.store.schema import INTERNET_GATEWAYS, ROUTE_TABLES, SECURITY_GROUPS, SUBNETS, VPCS

from .errors import InvalidSubnetConflict

CIDR_BLOCK = "172.31.0.0/16"
ANYTHING_OUT: dict[str, object] = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}


def seed_default_vpc(tx: Transaction, platform: Platform, ids: Ids) -> None:
    """Create the default VPC with all its parts, unless there is one."""
    if any(vpc.is_default for vpc in tx.all(VPCS)):
        return
    vpc = Vpc(f"vpc-0{ids.hex16()}", CIDR_BLOCK, is_default=True, dns_hostnames=True)
    tx.put(VPCS, vpc)
    for zone in platform.availability_zones:
        tx.put(SUBNETS, default_subnet(tx, vpc, zone, ids))
    put_default_group(tx, vpc, platform.account_id, ids)
    _open_to_internet(tx, vpc, ids)


def default_subnet(tx: Transaction, vpc: Vpc, zone: str, ids: Ids) -> Subnet:
    """A zone's default subnet, on the first /20 that is free. Raises InvalidSubnetConflict."""
    taken = [IPv4Network(subnet.cidr_block) for subnet in tx.find(SUBNETS, "vpc", vpc.vpc_id)]
    blocks = IPv4Network(vpc.cidr_block).subnets(new_prefix=20)
    free = next((b for b in blocks if not any(b.overlaps(other) for other in taken)), None)
    if free is None:
        raise InvalidSubnetConflict(vpc.cidr_block)
    return Subnet(
        subnet_id=f"subnet-0{ids.hex16()}",
        vpc_id=vpc.vpc_id,
        cidr_block=str(free),
        availability_zone=zone,
        availability_zone_id=zone_id(zone),
        default_for_az=True,
        map_public_ip_on_launch=True,
    )


def put_default_group(tx: Transaction, vpc: Vpc, account_id: str, ids: Ids) -> SecurityGroup:
    """A VPC's default group: in from its own members, out to everywhere."""
    group_id = f"sg-0{ids.hex16()}"
    from_itself: dict[str, object] = {
        "IpProtocol": "-1",
        "UserIdGroupPairs": [{"GroupId": group_id, "UserId": account_id}],
    }
    group = SecurityGroup(
        group_id=group_id,
        vpc_id=vpc.vpc_id,
        name="default",
        description="default VPC security group",
        ingress=(from_itself,),
        egress=(ANYTHING_OUT,),
    )
    return tx.put(SECURITY_GROUPS, group)


def put_main_table(tx: Transaction, vpc: Vpc, ids: Ids, *more: Route) -> RouteTable:
    """A VPC's main route table: its own range is local."""
    table = RouteTable(
        route_table_id=f"rtb-0{ids.hex16()}",
        vpc_id=vpc.vpc_id,
        routes=(Route(vpc.cidr_block, LOCAL), *more),
        associations=(RouteTableAssociation(f"rtbassoc-0{ids.hex16()}"),),
    )
    return tx.put(ROUTE_TABLES, table)


def _open_to_internet(tx: Transaction, vpc: Vpc, ids: Ids) -> None:
    gateway = InternetGateway(f"igw-0{ids.hex16()}", vpc.vpc_id)
    tx.put(INTERNET_GATEWAYS, gateway)
    put_main_table(tx, vpc, ids, Route(EVERYWHERE, gateway.internet_gateway_id))


def complete_vpcs(tx: Transaction, ids: Ids) -> None:
    """Give a VPC from before there were route tables what it lacks. Since a main table can't be
    deleted, its absence says so; a gateway that somebody deleted stays deleted."""
    for vpc in tx.all(VPCS):
        if not tx.find(ROUTE_TABLES, "vpc", vpc.vpc_id):
            tx.put(VPCS, msgspec.structs.replace(vpc, dns_hostnames=vpc.is_default))
            _open_to_internet(tx, vpc, ids)


def zone_id(zone: str) -> str:
    """``us-east-1a`` → ``use1-az1``: on AWS the numbers differ by account."""
    region, letter = zone[:-1], zone[-1]
    parts = region.split("-")
    short = parts[0] + "".join(part[0] for part in parts[1:-1]) + parts[-1]
    return f"{short}-az{ord(letter) - ord('a') + 1}"
