"""Network ACLs: each VPC has its default one, which lets everything pass. There are no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.cluster import Tag
from homeport.domain.routing import EVERYWHERE
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import SUBNETS, VPCS

from .errors import NetworkAclNotFound
from .filters import TAG_FIELDS, Fields, Values, never, page, select, yes_no

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeNetworkAclsRequestTypeDef

LAST_RULE = 32767


class NetworkAcl(msgspec.Struct, frozen=True):
    """The default ACL of a VPC and the subnets that it is for: all."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    tags: tuple[Tag, ...] = ()

    @property
    def id(self) -> str:
        """It follows from the VPC's."""
        return f"acl-{self.vpc_id.removeprefix('vpc-')}"


def _association_id(subnet_id: str) -> str:
    return f"aclassoc-{subnet_id.removeprefix('subnet-')}"


ENTRIES: list[dict[str, Any]] = [
    {
        "RuleNumber": number,
        "Protocol": "-1",
        "RuleAction": action,
        "Egress": egress,
        "CidrBlock": EVERYWHERE,
    }
    for egress in (True, False)
    for number, action in ((100, "allow"), (LAST_RULE, "deny"))
]


def _of_subnets(acl: NetworkAcl) -> Values:
    return [_association_id(subnet_id) for subnet_id in acl.subnet_ids]


FIELDS: Fields[NetworkAcl] = {
    "association.association-id": _of_subnets,
    "association.network-acl-id": lambda a: [a.id],
    "association.subnet-id": lambda a: a.subnet_ids,
    "default": lambda a: [yes_no(True)],
    "entry.cidr": lambda a: [EVERYWHERE],
    "entry.egress": lambda a: ["true", "false"],
    "entry.protocol": lambda a: ["-1"],
    "entry.rule-action": lambda a: ["allow", "deny"],
    "entry.rule-number": lambda a: ["100", str(LAST_RULE)],
    "network-acl-id": lambda a: [a.id],
    "vpc-id": lambda a: [a.vpc_id],
    **never(
        "entry.icmp.code",
        "entry.icmp.type",
        "entry.ipv6-cidr",
        "entry.port-range.from",
        "entry.port-range.to",
    ),
    **TAG_FIELDS,
}


def describe_network_acls(call: Call, request: DescribeNetworkAclsRequestTypeDef) -> Response:
    """By id and filters."""
    known = {acl.id: acl for acl in (_acl(call, vpc.vpc_id) for vpc in call.tx.all(VPCS))}
    ids = request.get("NetworkAclIds") or ()
    for wanted in ids:
        if wanted not in known:
            raise NetworkAclNotFound(wanted)
    asked = [known[wanted] for wanted in dict.fromkeys(ids)] or list(known.values())
    owner: Fields[NetworkAcl] = {"owner-id": lambda a: [call.platform.account_id]}
    chosen = select(asked, request.get("Filters") or (), {**FIELDS, **owner})
    chosen, token = page(chosen, lambda a: a.id, request)
    return {"NetworkAcls": [_view(call, acl) for acl in chosen], "NextToken": token}


def _acl(call: Call, vpc_id: str) -> NetworkAcl:
    subnets = call.tx.find(SUBNETS, "vpc", vpc_id)
    return NetworkAcl(vpc_id, tuple(sorted(subnet.subnet_id for subnet in subnets)))


def _view(call: Call, acl: NetworkAcl) -> dict[str, Any]:
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc_id,
        "IsDefault": True,
        "OwnerId": call.platform.account_id,
        "Entries": ENTRIES,
        "Associations": [
            {
                "NetworkAclAssociationId": _association_id(subnet_id),
                "NetworkAclId": acl.id,
                "SubnetId": subnet_id,
            }
            for subnet_id in acl.subnet_ids
        ],
        "Tags": [],
    }


OPERATIONS: dict[str, Handler] = {"DescribeNetworkAcls": describe_network_acls}
