"""A task's network interface → ``elasticNetworkInterfaces`` of its payload.

No name servers are named: Homeport has no resolver in the VPC, and an agent that is told of none
gives its host's own to the containers.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from homeport.domain.network_interface import NetworkInterface
from homeport.domain.task import Task
from homeport.domain.vpc import Subnet
from homeport.store import Transaction
from homeport.store.schema import NETWORK_INTERFACES, SUBNETS

Payload = dict[str, Any]  # the protocol's own JSON document


def interfaces_of(tx: Transaction, task: Task) -> list[Payload]:
    """The one interface of an awsvpc task; nothing for the other network modes."""
    if task.interface is None:
        return []
    interface = tx.get(NETWORK_INTERFACES, task.interface.network_interface_id)
    subnet = tx.get(SUBNETS, task.interface.subnet_id)
    if interface is None or subnet is None:
        return []
    return [interface_payload(interface, subnet)]


def interface_payload(interface: NetworkInterface, subnet: Subnet) -> Payload:
    """``ElasticNetworkInterface`` of the agent protocol."""
    name = interface.private_dns_name
    return {
        "attachmentArn": interface.description,
        "ec2Id": interface.network_interface_id,
        "macAddress": interface.mac_address,
        "ipv4Addresses": [{"primary": True, "privateAddress": interface.private_ip_address}],
        "subnetGatewayIpv4Address": _gateway(subnet),
        "privateDnsName": name,
        "domainName": [name.partition(".")[2]] if "." in name else [],
        "domainNameServers": [],
    }


def _gateway(subnet: Subnet) -> str:
    """The subnet's router with the length of its prefix, e.g. ``172.31.0.1/20``."""
    network = ipaddress.IPv4Network(subnet.cidr_block)
    return f"{network.network_address + 1}/{network.prefixlen}"
