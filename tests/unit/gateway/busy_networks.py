"""A network with one of everything in it, for the world that fuzzing begins from."""

from __future__ import annotations

from typing import Any

from acting_world import World


def networks(world: World) -> None:
    """A VPC that is left through an internet and a NAT gateway, with endpoints and interfaces."""
    ec2 = world.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone)
        for n, zone in enumerate(("us-east-1a", "us-east-1b", "us-east-1c"))
    ]
    first, second, spare = (subnet["Subnet"]["SubnetId"] for subnet in subnets)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=first, MapPublicIpOnLaunch={"Value": True})
    table = _routes(world, ec2, vpc, [first, second])
    _addresses(world, ec2, first, table)
    _endpoints(world, ec2, vpc, [first, second], table)
    _rules(ec2, vpc)
    for name in (
        "addresses",
        "addresses_attribute",
        "dhcp_options",
        "internet_gateways",
        "managed_prefix_lists",
        "nat_gateways",
        "network_acls",
        "prefix_lists",
        "route_tables",
        "vpc_endpoint_services",
        "vpc_endpoints",
    ):
        getattr(ec2, f"describe_{name}")()
    empty = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    held_back(world, ec2.create_subnet, VpcId=vpc, CidrBlock="10.9.9.0/24")
    held_back(world, ec2.delete_subnet, SubnetId=spare)
    held_back(world, ec2.delete_vpc, VpcId=empty)


def held_back(world: World, call: Any, **arguments: Any) -> None:
    """Keep a request that would end something."""
    with world.held_back():
        call(**arguments)


def _routes(world: World, ec2: Any, vpc: str, subnets: list[str]) -> str:
    """Returns the first subnet's route table."""
    gateway, spare = (
        ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2)
    )
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    held_back(world, ec2.delete_internet_gateway, InternetGatewayId=spare)
    closed, other = (ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (11, 12))
    held_back(world, ec2.attach_internet_gateway, InternetGatewayId=spare, VpcId=closed)
    third = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=third, VpcId=other)
    held_back(world, ec2.detach_internet_gateway, InternetGatewayId=third, VpcId=other)
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(3)]
    route = {"RouteTableId": tables[0], "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(GatewayId=gateway, **route)
    ec2.replace_route(GatewayId=gateway, **route)
    held_back(world, ec2.delete_route, **route)
    first, second = (
        ec2.associate_route_table(RouteTableId=tables[0], SubnetId=s)["AssociationId"]
        for s in subnets
    )
    moved = {"AssociationId": second, "RouteTableId": tables[1]}
    held_back(world, ec2.replace_route_table_association, **moved)
    held_back(world, ec2.disassociate_route_table, AssociationId=first)
    held_back(world, ec2.delete_route_table, RouteTableId=tables[2])
    return str(tables[0])


def _addresses(world: World, ec2: Any, subnet: str, table: str) -> None:
    allocations = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(3)]
    interface = ec2.create_network_interface(SubnetId=subnet, Description="mine")
    interface_id = interface["NetworkInterface"]["NetworkInterfaceId"]
    shown = {"NetworkInterfaceId": interface_id, "Attribute": "description"}
    ec2.describe_network_interface_attribute(**shown)
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface_id, SourceDestCheck={"Value": False}
    )
    association = ec2.associate_address(
        AllocationId=allocations[0], NetworkInterfaceId=interface_id
    )["AssociationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocations[1])["NatGateway"]
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="192.168.0.0/16",
        NatGatewayId=nat["NatGatewayId"],
    )
    spare = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    held_back(world, ec2.disassociate_address, AssociationId=association)
    another = ec2.allocate_address(Domain="vpc")["AllocationId"]
    held_back(world, ec2.create_nat_gateway, SubnetId=subnet, AllocationId=another)
    held_back(world, ec2.release_address, AllocationId=allocations[2])
    held_back(world, ec2.delete_nat_gateway, NatGatewayId=nat["NatGatewayId"])
    spare_id = spare["NetworkInterfaceId"]
    held_back(world, ec2.delete_network_interface, NetworkInterfaceId=spare_id)


def _endpoints(world: World, ec2: Any, vpc: str, subnets: list[str], table: str) -> None:
    name = "com.amazonaws.us-east-1"
    interface = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"{name}.ecr.api", VpcEndpointType="Interface", SubnetIds=subnets
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=interface, RemoveSubnetIds=subnets[1:])
    gateway = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"{name}.s3", RouteTableIds=[table])
    logs = {"ServiceName": f"{name}.logs", "VpcEndpointType": "Interface"}
    held_back(world, ec2.create_vpc_endpoint, VpcId=vpc, SubnetIds=subnets[:1], **logs)
    gateway_id = gateway["VpcEndpoint"]["VpcEndpointId"]
    held_back(world, ec2.delete_vpc_endpoints, VpcEndpointIds=[gateway_id])


def _rules(ec2: Any, vpc: str) -> None:
    group = ec2.create_security_group(GroupName="changed", Description="d", VpcId=vpc)["GroupId"]
    said = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": "10.0.0.0/8"}
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    rule = rules["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": said}],
    )
    described = [{"SecurityGroupRuleId": rule, "Description": "inside"}]
    ec2.update_security_group_rule_descriptions_egress(
        GroupId=group, SecurityGroupRuleDescriptions=described
    )
    source = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "all"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[source])
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[source])
