"""The default VPC that every account has: load-balancer tutorials begin by naming its parts.

Source: "Default VPC components", VPC user guide.
"""

from __future__ import annotations

from homeport.domain.arn import Ids
from homeport.domain.vpc import SecurityGroup, Subnet, Vpc
from homeport.services.call import Platform
from homeport.store import Transaction
from homeport.store.schema import SECURITY_GROUPS, SUBNETS, VPCS

CIDR_BLOCK = "172.31.0.0/16"
EVERYWHERE: dict[str, object] = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def seed_default_vpc(tx: Transaction, platform: Platform, ids: Ids) -> None:
    """Create the default VPC, a /20 subnet in each zone and the default security group, once."""
    if any(vpc.is_default for vpc in tx.all(VPCS)):
        return
    vpc = tx.put(VPCS, Vpc(f"vpc-0{ids.hex16()}", CIDR_BLOCK, is_default=True))
    for number, zone in enumerate(platform.availability_zones):
        tx.put(
            SUBNETS,
            Subnet(
                subnet_id=f"subnet-0{ids.hex16()}",
                vpc_id=vpc.vpc_id,
                cidr_block=f"172.31.{16 * number}.0/20",
                availability_zone=zone,
                availability_zone_id=zone_id(zone),
                default_for_az=True,
                map_public_ip_on_launch=True,
            ),
        )
    group_id = f"sg-0{ids.hex16()}"
    from_itself: dict[str, object] = {
        "IpProtocol": "-1",
        "UserIdGroupPairs": [{"GroupId": group_id, "UserId": platform.account_id}],
    }
    tx.put(
        SECURITY_GROUPS,
        SecurityGroup(
            group_id=group_id,
            vpc_id=vpc.vpc_id,
            name="default",
            description="default VPC security group",
            ingress=(from_itself,),
            egress=(EVERYWHERE,),
        ),
    )


def zone_id(zone: str) -> str:
    """``us-east-1a`` → ``use1-az1``: on AWS the numbers differ by account."""
    region, letter = zone[:-1], zone[-1]
    parts = region.split("-")
    short = parts[0] + "".join(part[0] for part in parts[1:-1]) + parts[-1]
    return f"{short}-az{ord(letter) - ord('a') + 1}"
