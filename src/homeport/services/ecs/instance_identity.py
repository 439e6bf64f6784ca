"""What a registering agent says about its host. Pure.

The instance identity document is EC2's (``latest/dynamic/instance-identity/document``); Homeport's
own agent writes one, the official agent outside EC2 sends an empty string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import AttributeTypeDef, ResourceUnionTypeDef

Attributes = tuple[tuple[str, str | None], ...]

RESERVED_ATTRIBUTES = ("ecs.", "com.amazonaws.")
_PORT = re.compile(r"[0-9]{1,5}")
# The identity document's word for a machine → the attribute's.
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a host is and what it is; empty strings where the document says nothing."""

    instance_id: str = ""
    private_ip: str = ""
    availability_zone: str = ""
    instance_type: str = ""
    image_id: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """Cpu units, MiB and the host ports that no task may take."""

    cpu: int = 0
    memory: int = 0
    tcp_ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()


def parse_identity(document: str) -> Identity:
    """The identity in a document; raises ValueError when it is neither empty nor JSON."""
    if not document.strip():
        return Identity()
    try:
        facts: Any = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the instance identity document is not JSON: {error}") from error
    if not isinstance(facts, Mapping):
        raise ValueError("the instance identity document is not a JSON object")
    return Identity(
        instance_id=str(facts.get("instanceId") or ""),
        private_ip=str(facts.get("privateIp") or ""),
        availability_zone=str(facts.get("availabilityZone") or ""),
        instance_type=str(facts.get("instanceType") or ""),
        image_id=str(facts.get("imageId") or ""),
        architecture=str(facts.get("architecture") or ""),
    )


def parse_resources(resources: Sequence[ResourceUnionTypeDef]) -> Resources:
    """``totalResources`` of RegisterContainerInstance."""
    by_name = {resource.get("name", ""): resource for resource in resources}

    def integer(name: str) -> int:
        return by_name[name].get("integerValue", 0) if name in by_name else 0

    def ports(name: str) -> tuple[int, ...]:
        values = by_name[name].get("stringSetValue", ()) if name in by_name else ()
        if not all(_PORT.fullmatch(value) for value in values):
            raise ValueError(f"the {name} of totalResources are not port numbers")
        return tuple(sorted(int(value) for value in values))

    return Resources(integer("CPU"), integer("MEMORY"), ports("PORTS"), ports("PORTS_UDP"))


def registered_attributes(
    sent: Sequence[AttributeTypeDef], identity: Identity, availability_zone: str
) -> Attributes:
    """What the agent sent, unchanged (it checks the echo), and what ECS adds to it."""
    known = {
        "ecs.availability-zone": availability_zone,
        "ecs.instance-type": identity.instance_type,
        "ecs.ami-id": identity.image_id,
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.cpu-architecture": _ARCHITECTURES.get(identity.architecture, ""),
    }
    added: dict[str, str | None] = {name: value for name, value in known.items() if value}
    told = {attribute["name"]: attribute.get("value") for attribute in sent}
    return tuple((added | told).items())
