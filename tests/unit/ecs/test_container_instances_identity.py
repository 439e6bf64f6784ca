"""What a registering agent says about its host."""

from __future__ import annotations

import json

import pytest

from homeport.services.ecs.instance_identity import (
    Identity,
    Resources,
    parse_identity,
    parse_resources,
    registered_attributes,
)

DOCUMENT = {
    "instanceId": "i-0123456789abcdef0",
    "privateIp": "10.0.0.7",
    "availabilityZone": "us-east-1b",
    "instanceType": "m5.large",
    "imageId": "ami-1",
    "architecture": "x86_64",
    "region": "us-east-1",
}


def test_the_identity_document_says_where_the_host_is() -> None:
    identity = parse_identity(json.dumps(DOCUMENT))
    assert identity == Identity(
        "i-0123456789abcdef0", "10.0.0.7", "us-east-1b", "m5.large", "ami-1", "x86_64"
    )


@pytest.mark.parametrize("document", ["", "  \n"])
def test_the_official_agent_outside_ec2_sends_an_empty_document(document: str) -> None:
    assert parse_identity(document) == Identity()


@pytest.mark.parametrize("document", ["{", "[1]", '"text"', "nonsense"])
def test_a_broken_document_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="identity document"):
        parse_identity(document)


def test_resources_are_cpu_memory_and_reserved_ports() -> None:
    resources = parse_resources(
        [
            {"name": "CPU", "type": "INTEGER", "integerValue": 4096},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 7821},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["2376", "22"]},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
            {"name": "GPU", "type": "STRINGSET", "stringSetValue": []},
        ]
    )
    assert resources == Resources(4096, 7821, (22, 2376), ())


def test_every_sent_attribute_is_kept_as_it_was_sent() -> None:
    sent = [
        {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
        {"name": "ecs.os-family", "value": "UBUNTU"},
    ]
    attributes = dict(registered_attributes(sent, parse_identity(json.dumps(DOCUMENT)), "zone-b"))
    assert attributes["com.amazonaws.ecs.capability.docker-remote-api.1.18"] is None
    assert attributes["ecs.os-family"] == "UBUNTU"
    assert attributes["ecs.availability-zone"] == "zone-b"
    assert attributes["ecs.instance-type"] == "m5.large"
    assert attributes["ecs.ami-id"] == "ami-1"
    assert attributes["ecs.cpu-architecture"] == "x86_64"
