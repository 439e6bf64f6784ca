"""awsvpc on a host: what the EC2 API says, and the rules that follow from it."""

from __future__ import annotations

import hashlib

import pytest

from homeport.agent import pause
from homeport.agent.network import view
from homeport.agent.network.firewall import Judge, ruleset
from homeport.agent.network.interface import address_of, host_side
from homeport.agent.network.view import Group, Interface, Permission, RouteTable, Surroundings
from homeport.domain.agent_payload import PayloadAddress, PayloadInterface

AROUND = Surroundings(
    hosts={"i-1": "10.0.0.1"},
    vpcs={"vpc-1": ("172.31.0.0/16",)},
    subnets={"subnet-1": "172.31.0.0/20"},
    route_tables=(RouteTable("vpc-1", main=True, subnets=(), internet="igw"),),
)


def interface(address: str, *groups: str, **more: object) -> Interface:
    values: dict[str, object] = {
        "interface_id": f"eni-{address}",
        "vpc_id": "vpc-1",
        "subnet_id": "subnet-1",
        "addresses": (address,),
        "groups": groups,
        "instance_id": "i-1",
        "public": False,
        "of_load_balancer": False,
        **more,
    }
    return Interface(**values)  # type: ignore[arg-type]


def rules(own: list[Interface], everyone: list[Interface], *groups: Group) -> str:
    return ruleset("t", Judge(own, everyone, {g.group_id: g for g in groups}, AROUND, ("9.9.9.9",)))


ANYWHERE = Permission("-1", -1, -1, ("0.0.0.0/0",), ())


def test_an_interface_without_ingress_rules_is_closed_and_may_speak_to_all() -> None:
    own = [interface("172.31.0.4", "sg-a")]
    text = rules(own, own, Group("sg-a", (), (ANYWHERE,)))
    incoming = text.split("chain in_")[1].split("}")[0].splitlines()[1:]
    assert incoming == ["meta l4proto icmp ct direction reply return", "drop"]
    outgoing = text.split("chain out_")[1].split("}")[0].splitlines()[1:]
    assert outgoing == ["meta l4proto icmp ct direction reply return", "return", "drop"]


def test_a_rule_names_ports_and_sources_of_where_the_flow_began() -> None:
    own = [interface("172.31.0.4", "sg-a")]
    web = Permission("tcp", 80, 80, ("10.0.0.0/8",), ())
    many = Permission("udp", 100, 200, ("0.0.0.0/0",), ())
    text = rules(own, own, Group("sg-a", (web, many), ()))
    assert "meta l4proto tcp ct original proto-dst 80 ct original ip saddr { 10.0.0.0/8 }" in text
    assert "meta l4proto udp ct original proto-dst 100-200 return" in text


def test_a_group_stands_for_the_addresses_of_its_members() -> None:
    own = [interface("172.31.0.4", "sg-a")]
    friend = interface("172.31.0.9", "sg-b", instance_id="i-2")
    text = rules(own, [*own, friend], Group("sg-a", (Permission("-1", -1, -1, (), ("sg-b",)),), ()))
    assert "ct original ip saddr { 172.31.0.9/32 } return" in text
    alone = rules(own, own, Group("sg-a", (Permission("-1", -1, -1, (), ("sg-b",)),), ()))
    assert "saddr {" not in alone.split("chain in_")[1].split("}")[0]


def test_a_block_over_a_load_balancers_subnet_lets_its_machine_in() -> None:
    own = [interface("172.31.0.4", "sg-a")]
    balancer = interface("10.0.0.1", "sg-lb", instance_id="", of_load_balancer=True)
    inside = Permission("tcp", 80, 80, ("172.31.0.0/16",), ())
    text = rules(own, [*own, balancer], Group("sg-a", (inside,), ()))
    assert "{ 10.0.0.1/32, 172.31.0.0/16 }" in text


def test_overlapping_sources_are_merged() -> None:
    own = [interface("172.31.0.4", "sg-a")]
    wide = Permission("-1", -1, -1, ("10.0.0.0/8", "10.1.0.0/16"), ())
    assert "{ 10.0.0.0/8 } return" in rules(own, own, Group("sg-a", (wide,), ()))


def test_without_a_way_out_only_the_vpc_and_the_platform_are_reached() -> None:
    kept = [interface("172.31.0.4", "sg-a")]
    text = rules(kept, kept, Group("sg-a", (), (ANYWHERE,)))
    assert (
        'set kept_in {\ntype ifname . ipv4_addr\nelements = { "hpe172.31.0.4" . 172.31.0.4 }'
        in text
    )
    assert "9.9.9.9" in text
    public = [interface("172.31.0.4", "sg-a", public=True)]
    text = rules(public, public, Group("sg-a", (), (ANYWHERE,)))
    assert "set kept_in {\ntype ifname . ipv4_addr\n}" in text


def test_a_host_without_interfaces_keeps_no_table() -> None:
    assert rules([], []) == "table inet t\ndelete table inet t\n"


def test_what_ec2_says_is_read() -> None:
    root = view.parse(
        """<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
        <networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId>
        <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
        <privateIpAddress>172.31.0.4</privateIpAddress>
        <groupSet><item><groupId>sg-b</groupId></item><item><groupId>sg-a</groupId></item></groupSet>
        <attachment><instanceId>i-1</instanceId></attachment>
        <association><publicIp>203.0.113.5</publicIp></association>
        </item></networkInterfaceSet></DescribeNetworkInterfacesResponse>"""
    )
    assert view.interfaces(root) == [
        interface("172.31.0.4", "sg-a", "sg-b", interface_id="eni-1", public=True)
    ]


@pytest.mark.parametrize("text", ["", "<a>", "not xml"])
def test_an_answer_that_is_no_xml_is_named(text: str) -> None:
    with pytest.raises(view.NotUnderstood):
        view.parse(text)


def test_names_and_addresses_of_an_interface() -> None:
    one = PayloadInterface(
        ec2_id="eni-0123456789abcdef0",
        ipv4_addresses=[PayloadAddress(private_address="a"), PayloadAddress(True, "b")],
    )
    assert address_of(one) == "b"
    assert len(host_side(one.ec2_id)) == 15


def test_the_pause_image_is_under_a_kilobyte_of_program_and_named_by_it() -> None:
    for machine in pause.ARCHITECTURES:
        assert pause.reference(machine) == pause.reference(machine)
        assert pause.archive(machine) == pause.archive(machine)
        digest = hashlib.sha256(pause._program(machine)).hexdigest()[:12]
        assert pause.reference(machine).endswith(digest)
        assert len(pause._program(machine)) < 1024
    with pytest.raises(pause.NoPauseImage, match="riscv64"):
        pause.reference("riscv64")


@pytest.mark.parametrize(
    ("target", "state", "internet"),
    [
        ("<gatewayId>igw-1</gatewayId>", "active", "igw"),
        ("<natGatewayId>nat-1</natGatewayId>", "active", "nat"),
        ("<natGatewayId>nat-1</natGatewayId>", "blackhole", ""),
        ("<gatewayId>igw-1</gatewayId>", "blackhole", ""),
    ],
)
def test_a_route_to_what_is_gone_is_no_way_out(target: str, state: str, internet: str) -> None:
    route = f"<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>{target}"
    text = (
        '<DescribeRouteTablesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<routeTableSet><item><vpcId>vpc-1</vpcId><routeSet>{route}<state>{state}</state></item>"
        "</routeSet></item></routeTableSet></DescribeRouteTablesResponse>"
    )
    (table,) = view.route_tables(view.parse(text))
    assert table.internet == internet
