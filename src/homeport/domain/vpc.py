"""VPCs, their subnets and their security groups."""

from __future__ import annotations

import msgspec

from .cluster import Tag


class Vpc(msgspec.Struct, frozen=True):
    """A VPC. Names inside it resolve, and get private endpoint names, as its DNS flags say."""

    vpc_id: str
    cidr_block: str
    is_default: bool = False
    tags: tuple[Tag, ...] = ()
    dns_support: bool = True
    dns_hostnames: bool = False


class Subnet(msgspec.Struct, frozen=True):
    """A subnet in one availability zone."""

    subnet_id: str
    vpc_id: str
    cidr_block: str
    availability_zone: str
    availability_zone_id: str
    default_for_az: bool = False
    map_public_ip_on_launch: bool = False
    tags: tuple[Tag, ...] = ()


class SecurityGroup(msgspec.Struct, frozen=True):
    """A security group; rules are kept as EC2's IpPermissions documents, one source each.

    ``rule_ids``: the ids of its rules (``sgr-…``), by what each says; ``rule_tags``: their tags, by
    those ids. A rule from before ids were kept has the one that follows from what it says.
    """

    group_id: str
    vpc_id: str
    name: str
    description: str
    ingress: tuple[dict[str, object], ...] = ()
    egress: tuple[dict[str, object], ...] = ()
    tags: tuple[Tag, ...] = ()
    rule_tags: dict[str, tuple[Tag, ...]] = {}
    rule_ids: dict[str, str] = {}
