"""The network interfaces of tasks: made with the task, deleted when it has stopped.

::

    give_interface     PROVISIONING, an address taken     (in the transaction that makes the task)
    release_interface  the address is free, ATTACHED ──▶ DELETED

An interface exists from the commit that makes its task until the one that ends it. A task whose
interface can't be made ends at once, with the reason in EC2's code, as on ECS.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from homeport.decide.subnets import SubnetOption, choose_subnet
from homeport.domain.arn import Arns, Ids
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.network_interface import (
    InterfaceAttachment,
    NetworkConfiguration,
    NetworkInterface,
)
from homeport.domain.task import Task
from homeport.domain.vpc import Subnet
from homeport.store import Transaction
from homeport.store.schema import NETWORK_INTERFACES, SECURITY_GROUPS, SUBNETS, TASKS, VPCS

from .addresses import allocate_private_address, allocate_public_address, has_room

NO_ADDRESS = "InsufficientFreeAddressesInSubnet"
NO_SUBNET = "InvalidSubnetID.NotFound"
NO_GROUP = "InvalidSecurityGroupID.NotFound"
NO_PUBLIC_ADDRESS = "AddressLimitExceeded"


@dataclass(frozen=True, slots=True)
class CannotAttach:
    """EC2's code for why there is no interface, and the subnet it was wanted in."""

    subnet_id: str
    code: str


def give_interface(
    tx: Transaction,
    task: Task,
    wanted: NetworkConfiguration,
    instance: ContainerInstance,
    *,
    now: float,
    ids: Ids,
    arns: Arns,
) -> Task:
    """The task in PROVISIONING with an interface of its own, or STOPPED with the reason.

    The interface is stored; the task is the caller's to store.
    """
    made = _make(tx, task, wanted, instance, now=now, ids=ids, arns=arns)
    if isinstance(made, CannotAttach):
        return _failed(task, wanted, made, now)
    interface = tx.put(NETWORK_INTERFACES, made)
    return msgspec.structs.replace(
        task,
        last_status="PROVISIONING",
        availability_zone=interface.availability_zone,
        interface=InterfaceAttachment(
            id=interface.description.rpartition("/")[2],
            arn=interface.description,
            network_interface_id=interface.network_interface_id,
            subnet_id=interface.subnet_id,
            mac_address=interface.mac_address,
            private_dns_name=interface.private_dns_name,
            private_ip_address=interface.private_ip_address,
        ),
    )


def release_interface(tx: Transaction, task: Task) -> Task:
    """Delete the interface of a task that has ended; the task remembers what it had.

    Returns the task as the caller is to store it. A task without an interface stays as it is.
    """
    if task.interface is None:
        return task
    tx.delete(NETWORK_INTERFACES, task.interface.network_interface_id)
    gone = msgspec.structs.replace(task.interface, status="DELETED")
    return msgspec.structs.replace(task, interface=gone)


def private_dns_name(address: str, region: str) -> str:
    """``ip-172-31-4-7.ec2.internal`` ("DNS attributes for your VPC", VPC user guide)."""
    return f"ip-{address.replace('.', '-')}.{dns_domain(region)}"


def dns_domain(region: str) -> str:
    """The domain of the names in a VPC."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def mac_address(address: str, salt: int = 0) -> str:
    """Locally administered, and as unique as the address it is made of."""
    octets = ipaddress.IPv4Address(address).packed
    return ":".join(f"{octet:02x}" for octet in (0x02, salt & 0xFF, *octets))


def _make(
    tx: Transaction,
    task: Task,
    wanted: NetworkConfiguration,
    instance: ContainerInstance,
    *,
    now: float,
    ids: Ids,
    arns: Arns,
) -> NetworkInterface | CannotAttach:
    subnets = [subnet for i in wanted.subnets if (subnet := tx.get(SUBNETS, i)) is not None]
    if not subnets:
        return CannotAttach(wanted.subnets[0], NO_SUBNET)
    # A FARGATE task has no host that its owner knows of: it spreads over all the zones given.
    zone = instance.availability_zone if task.launch_type == "EC2" else None
    chosen = choose_subnet([_option(tx, subnet, task.group) for subnet in subnets], zone)
    subnet = next((s for s in subnets if chosen and s.subnet_id == chosen.subnet_id), subnets[0])
    address = allocate_private_address(tx, subnet)
    if address is None:
        return CannotAttach(subnet.subnet_id, NO_ADDRESS)
    groups = wanted.security_groups or default_group(tx, subnet.vpc_id)
    if any(tx.get(SECURITY_GROUPS, group) is None for group in groups):
        return CannotAttach(subnet.subnet_id, NO_GROUP)
    public = allocate_public_address(tx) if wanted.assign_public_ip else None
    if wanted.assign_public_ip and public is None:
        return CannotAttach(subnet.subnet_id, NO_PUBLIC_ADDRESS)
    return NetworkInterface(
        network_interface_id=f"eni-0{ids.hex16()}",
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        availability_zone=subnet.availability_zone,
        private_ip_address=address,
        mac_address=mac_address(address),
        created_at=now,
        security_groups=tuple(groups),
        description=arns.ecs(f"attachment/{ids.uuid()}"),
        private_dns_name=_dns_name(tx, subnet.vpc_id, address, arns.region),
        requester_managed=True,
        requester_id=arns.account_id,
        task_arn=task.arn,
        container_instance_arn=instance.arn,
        instance_id=instance.ec2_instance_id,
        attachment_id=f"eni-attach-0{ids.hex16()}",
        attached_at=now,
        public_ip_address=public,
    )


def default_group(tx: Transaction, vpc_id: str) -> Sequence[str]:
    """The default security group of a VPC."""
    groups = tx.find(SECURITY_GROUPS, "vpc", vpc_id)
    return [group.group_id for group in groups if group.name == "default"]


def _dns_name(tx: Transaction, vpc_id: str, address: str, region: str) -> str:
    """Only a VPC with both DNS options on gives names."""
    vpc = tx.get(VPCS, vpc_id)
    named = vpc is not None and vpc.dns_support and vpc.dns_hostnames
    return private_dns_name(address, region) if named else ""


def _option(tx: Transaction, subnet: Subnet, group: str) -> SubnetOption:
    interfaces = tx.find(NETWORK_INTERFACES, "subnet", subnet.subnet_id)
    tasks = (tx.get(TASKS, i.task_arn) for i in interfaces if i.task_arn)
    wanted = (t for t in tasks if t and t.group == group and t.desired_status == "RUNNING")
    return SubnetOption(
        subnet.subnet_id, subnet.availability_zone, has_room(tx, subnet), sum(1 for _ in wanted)
    )


def _failed(task: Task, wanted: NetworkConfiguration, why: CannotAttach, now: float) -> Task:
    public = "with public IP assignment enabled " if wanted.assign_public_ip else ""
    return msgspec.structs.replace(
        task,
        desired_status="STOPPED",
        last_status="STOPPED",
        containers=tuple(
            msgspec.structs.replace(c, last_status="STOPPED") for c in task.containers
        ),
        stopping_at=now,
        stopped_at=now,
        stop_code="TaskFailedToStart",
        stopped_reason=(
            f"Unexpected EC2 error while attempting to Create Network Interface {public}in subnet "
            f"'{why.subnet_id}': {why.code}"
        ),
    )
