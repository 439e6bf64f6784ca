"""Container instances: hosts that an agent registered."""

from __future__ import annotations

from typing import Literal

import msgspec

from .capacity_provider import MEMBERSHIP_ATTRIBUTE
from .cluster import Tag

InstanceStatus = Literal["ACTIVE", "DRAINING", "INACTIVE"]

PLATFORM_CAPACITY = "homeport.platform-capacity"
"""The attribute of a host that takes FARGATE tasks, whatever their cluster is."""

PLATFORM_CLUSTER = "homeport-platform"
"""The cluster of hosts that take nothing else: no user's cluster shows them."""


class ContainerInstance(msgspec.Struct, frozen=True):
    """One registered host. ``agent_connected`` is observed: a live ACS websocket.

    ``private_ip`` comes from the identity document; it is the address that instance-type
    targets use. ``memory`` is MiB, ``cpu`` units. Remaining resources are derived from tasks.
    """

    arn: str
    cluster_arn: str
    ec2_instance_id: str
    private_ip: str
    availability_zone: str
    registered_at: float
    cpu: int
    memory: int
    reserved_tcp_ports: tuple[int, ...] = ()
    reserved_udp_ports: tuple[int, ...] = ()
    status: InstanceStatus = "ACTIVE"
    status_reason: str = ""
    agent_connected: bool = False
    agent_version: str = ""
    agent_hash: str = ""
    docker_version: str = ""
    agent_attributes: tuple[tuple[str, str | None], ...] = ()
    custom_attributes: tuple[tuple[str, str | None], ...] = ()
    client_token: str = ""
    version: int = 1
    inactive_since: float | None = None
    tags: tuple[Tag, ...] = ()

    @property
    def attributes(self) -> dict[str, str | None]:
        """Agent attributes overlaid with those set by PutAttributes."""
        return dict(self.agent_attributes) | dict(self.custom_attributes)

    @property
    def capacity_provider_name(self) -> str | None:
        """The provider it belongs to, if any."""
        return self.attributes.get(MEMBERSHIP_ATTRIBUTE)

    @property
    def is_platform_capacity(self) -> bool:
        """Whether FARGATE tasks may be placed on it."""
        return PLATFORM_CAPACITY in self.attributes
