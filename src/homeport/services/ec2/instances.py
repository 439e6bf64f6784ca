"""Instances: the hosts that agents registered, with what is known of them and nothing more.

Homeport runs on machines that it did not launch. Of each it knows the identity document that its
agent showed; ``State`` is ``running`` while an agent there is connected, and absent when nobody
hears from the host. There is no subnet, key or launch time that could be answered truly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from homeport.domain.container_instance import ContainerInstance
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES

from .default_vpc import zone_id
from .errors import InstanceIdMalformed, InstanceNotFound, InvalidParameterCombination
from .filters import Fields, Values, never, page, select
from .instance_filters import UNKNOWN

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import DescribeInstancesRequestTypeDef

RUNNING_CODE = 16


class Host(msgspec.Struct, frozen=True):
    """One machine, by the newest of its container instances."""

    instance: ContainerInstance
    connected: bool

    @property
    def id(self) -> str:
        """``i-…``."""
        return self.instance.ec2_instance_id

    @property
    def tags(self) -> tuple[()]:
        """None: instances are not tagged here."""
        return ()

    def attribute(self, name: str) -> str | None:
        """One of the instance's ``ecs.`` attributes."""
        return self.instance.attributes.get(name)


def _known(value: str | None) -> Values:
    return [value] if value else []


FIELDS: Fields[Host] = {
    "instance-id": lambda h: [h.id],
    "instance-state-code": lambda h: [str(RUNNING_CODE)] if h.connected else [],
    "instance-state-name": lambda h: ["running"] if h.connected else [],
    "private-ip-address": lambda h: _known(h.instance.private_ip),
    "network-interface.addresses.private-ip-address": lambda h: _known(h.instance.private_ip),
    "availability-zone": lambda h: _known(h.instance.availability_zone),
    "availability-zone-id": lambda h: _known(_zone_id(h)),
    "instance-type": lambda h: _known(h.attribute("ecs.instance-type")),
    "image-id": lambda h: _known(h.attribute("ecs.ami-id")),
    "architecture": lambda h: _known(h.attribute("ecs.cpu-architecture")),
}


def describe_instances(call: Call, request: DescribeInstancesRequestTypeDef) -> Response:
    """By id and filters; each host is a reservation of its own."""
    hosts = _hosts(call)
    ids = request.get("InstanceIds") or ()
    if ids and request.get("MaxResults") is not None:
        raise InvalidParameterCombination(
            "The parameter instancesSet cannot be used with the parameter maxResults"
        )
    for instance_id in ids:
        if not instance_id.startswith("i-"):
            raise InstanceIdMalformed(instance_id)
    if missing := [instance_id for instance_id in ids if instance_id not in hosts]:
        raise InstanceNotFound(*missing)
    asked = [hosts[instance_id] for instance_id in dict.fromkeys(ids)] or list(hosts.values())
    owner: Fields[Host] = {"owner-id": lambda h: [call.platform.account_id]}
    chosen = select(asked, request.get("Filters") or (), {**never(*UNKNOWN), **FIELDS, **owner})
    chosen, token = page(chosen, lambda h: h.id, request)
    reservations = [
        {"OwnerId": call.platform.account_id, "Groups": [], "Instances": [_view(host)]}
        for host in chosen
    ]
    return {"Reservations": reservations, "NextToken": token}


def _hosts(call: Call) -> dict[str, Host]:
    """By id. A host may have several container instances: one for each of its agents."""
    hosts: dict[str, Host] = {}
    registered = (i for i in call.tx.all(CONTAINER_INSTANCES) if i.status != "INACTIVE")
    for instance in sorted(registered, key=lambda i: i.registered_at):
        if instance.ec2_instance_id.startswith("i-"):
            earlier = hosts.get(instance.ec2_instance_id)
            connected = instance.agent_connected or (earlier is not None and earlier.connected)
            hosts[instance.ec2_instance_id] = Host(instance, connected)
    return hosts


def _view(host: Host) -> dict[str, Any]:
    zone = host.instance.availability_zone
    return {
        "InstanceId": host.id,
        "State": {"Code": RUNNING_CODE, "Name": "running"} if host.connected else None,
        "PrivateIpAddress": host.instance.private_ip or None,
        "Placement": {"AvailabilityZone": zone} if zone else None,
        "InstanceType": host.attribute("ecs.instance-type"),
        "ImageId": host.attribute("ecs.ami-id"),
        "Architecture": host.attribute("ecs.cpu-architecture"),
    }


def _zone_id(host: Host) -> str:
    zone = host.instance.availability_zone
    return zone_id(zone) if zone else ""


OPERATIONS: dict[str, Handler] = {"DescribeInstances": describe_instances}
