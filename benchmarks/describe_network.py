"""What an agent's look at the network costs the control plane: it looks twice a second.

CPU time of one answer without its HTTP and its client: SigV4, decoding, the handler and XML, in one
process with the tests' in-memory journal. Five hundred interfaces of tasks on four hosts, fifty
security groups of ten rules.
"""

from __future__ import annotations

import ipaddress
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import header

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit" / "api"))
from api_client import Api

from homeport.domain.network_interface import NetworkInterface
from homeport.store.schema import NETWORK_INTERFACES, SUBNETS

INTERFACES, HOSTS, GROUPS, RULES = 500, 4, 50, 10
ROUNDS = 30


def fill(api: Api) -> None:
    """The interfaces and the groups."""
    ec2 = api.client("ec2")
    groups = []
    for number in range(GROUPS):
        group = ec2.create_security_group(GroupName=f"g{number}", Description="d")["GroupId"]
        ports = [
            {
                "IpProtocol": "tcp",
                "FromPort": p,
                "ToPort": p,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
            }
            for p in range(RULES)
        ]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ports)
        groups.append(group)
    with api.store.transaction() as tx:
        subnet = min(tx.all(SUBNETS), key=lambda s: s.cidr_block)
        first = ipaddress.IPv4Network(subnet.cidr_block).network_address + 4
        for number in range(INTERFACES):
            address = str(first + number)
            interface = NetworkInterface(
                network_interface_id=f"eni-0{number:016x}",
                subnet_id=subnet.subnet_id,
                vpc_id=subnet.vpc_id,
                availability_zone=subnet.availability_zone,
                private_ip_address=address,
                mac_address="02:00:00:00:00:00",
                created_at=0.0,
                security_groups=(groups[number % GROUPS],),
                description=f"arn:aws:ecs:us-east-1:123456789012:attachment/{number}",
                private_dns_name=f"ip-{address.replace('.', '-')}.ec2.internal",
                requester_managed=True,
                task_arn=f"task{number}",
                instance_id=f"i-{number % HOSTS}",
                attachment_id=f"eni-attach-{number}",
                attached_at=1.0,
            )
            tx.put(NETWORK_INTERFACES, interface)


def clocked(api: Api) -> list[float]:
    """The CPU seconds that each answer took, as they come."""
    seconds: list[float] = []
    answer = api.gateway.answer

    async def timed(request: Any, request_id: str) -> Any:
        started = time.process_time()
        response = await answer(request, request_id)
        seconds.append(time.process_time() - started)
        return response

    api.gateway.answer = timed  # type: ignore[method-assign]
    return seconds


def measure(name: str, seconds: list[float], call: Callable[..., Any], **arguments: Any) -> None:
    """Print the median of one request."""
    seconds.clear()
    for _ in range(ROUNDS):
        call(**arguments)
    print(f"{name:45} {1000 * statistics.median(seconds):6.1f} ms")


def main() -> None:
    """All of it."""
    header("an agent's look at the network")
    api = Api()
    fill(api)
    seconds = clocked(api)
    ec2 = api.client("ec2")
    in_use = [{"Name": "status", "Values": ["in-use"]}]
    of_host = [{"Name": "attachment.instance-id", "Values": ["i-1"]}]
    look = ec2.describe_network_interfaces
    measure(f"DescribeNetworkInterfaces, {INTERFACES}", seconds, look, Filters=in_use)
    measure(f"  of one host, {INTERFACES // HOSTS}", seconds, look, Filters=of_host)
    groups = ec2.describe_security_groups
    measure(f"DescribeSecurityGroups, {GROUPS} of {RULES} rules", seconds, groups)
    api.close()


if __name__ == "__main__":
    main()
