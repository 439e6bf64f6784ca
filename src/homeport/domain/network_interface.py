"""Network interfaces: an address of a subnet, with the security groups that guard it.

::

    a task's            made with its task, in one transaction ──▶ deleted when the task has stopped
    a user's own        CreateNetworkInterface ──▶ DeleteNetworkInterface

An address belongs to at most one interface. ``InterfaceAttachment`` is what a task says of its
interface: it outlives the interface, as long as the stopped task can be described.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import Tag

AttachmentStatus = Literal[
    "PRECREATED", "ATTACHING", "ATTACHED", "DETACHING", "DETACHED", "DELETED", "FAILED"
]
ATTACHMENT_ORDER: dict[str, int] = {
    "PRECREATED": 0,
    "ATTACHING": 1,
    "ATTACHED": 2,
    "DETACHING": 3,
    "DETACHED": 4,
    "DELETED": 5,
    "FAILED": 6,
}


class NetworkConfiguration(msgspec.Struct, frozen=True):
    """``networkConfiguration.awsvpcConfiguration`` of a task or a service, as it was given.

    No security groups: the default group of the VPC.
    """

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False


class InterfaceAttachment(msgspec.Struct, frozen=True):
    """A task's network interface as DescribeTasks tells of it. ``status`` from ATTACHED on is
    what the agent reported, DELETED what the control plane did."""

    id: str
    arn: str
    network_interface_id: str
    subnet_id: str
    mac_address: str
    private_dns_name: str
    private_ip_address: str
    status: AttachmentStatus = "ATTACHING"


class NetworkInterface(msgspec.Struct, frozen=True):
    """One interface. ``task_arn`` is set for a task's (``description`` is then the ARN of its
    attachment); ``instance_id`` is the host where its address lives, while it is in use.

    ``public_ip_address`` says that the interface may be reached through an internet gateway; see
    ``docs/differences.md`` for what it is worth.
    """

    network_interface_id: str
    subnet_id: str
    vpc_id: str
    availability_zone: str
    private_ip_address: str
    mac_address: str
    created_at: float
    security_groups: tuple[str, ...] = ()
    description: str = ""
    private_dns_name: str = ""
    interface_type: str = "interface"
    requester_id: str = ""
    requester_managed: bool = False
    source_dest_check: bool = True
    task_arn: str | None = None
    container_instance_arn: str | None = None
    instance_id: str | None = None
    attachment_id: str | None = None
    attached_at: float | None = None
    public_ip_address: str | None = None
    secondary_addresses: tuple[str, ...] = ()  # of a load balancer's
    tags: tuple[Tag, ...] = ()


class AddressCursor(msgspec.Struct, frozen=True):
    """The address of a subnet (or ``public``) that was given out last: a free one is given again
    as late as possible."""

    pool: str
    last_address: str
