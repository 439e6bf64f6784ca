"""Whose policies name a part of a network by its tags may change that part and no other."""

from __future__ import annotations

from typing import Any

import pytest
from api_client import refusal
from iam_world import allow, make_user
from network_world import NetworkWorld, network_world

MINE = [{"Key": "team", "Value": "a"}]


def interface(world: NetworkWorld) -> str:
    return str(world.interface()["NetworkInterfaceId"])


def address(world: NetworkWorld) -> str:
    return str(world.address()["AllocationId"])


def nat_gateway(world: NetworkWorld) -> str:
    made = world.ec2.create_nat_gateway(SubnetId=world.subnets[0], ConnectivityType="private")
    return str(made["NatGateway"]["NatGatewayId"])


@pytest.mark.parametrize(
    ("make", "delete", "member"),
    [
        (interface, "delete_network_interface", "NetworkInterfaceId"),
        (address, "release_address", "AllocationId"),
        (nat_gateway, "delete_nat_gateway", "NatGatewayId"),
    ],
)
def test_tags_decide_who_may_delete(make: Any, delete: str, member: str) -> None:
    world = network_world()
    owned = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    bob = world.api.client("ec2", make_user(world.api, "bob", allow("ec2:*", Condition=owned)))
    mine, other = make(world), make(world)
    world.ec2.create_tags(Resources=[mine], Tags=MINE)
    assert refusal(getattr(bob, delete), **{member: other})[0] == "UnauthorizedOperation"
    getattr(bob, delete)(**{member: mine})
    world.api.close()
