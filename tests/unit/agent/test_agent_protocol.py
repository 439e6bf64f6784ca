"""Frames of the agent protocol: what is sent is what the official agent sends."""

from __future__ import annotations

import json

import pytest

from homeport.domain import agent_protocol as protocol
from homeport.domain.agent_payload import PayloadPort

SEEN_PAYLOAD = {
    "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/default",
    "containerInstanceArn": "arn:aws:ecs:us-east-1:123456789012:container-instance/default/1",
    "messageId": "m1",
    "seqNum": 1,
    "generatedAt": 1795220223282,
    "tasks": [
        {
            "arn": "arn:aws:ecs:us-east-1:123456789012:task/default/1",
            "family": "hello",
            "version": "1",
            "desiredStatus": "RUNNING",
            "networkMode": "bridge",
            "volumes": [],
            "overrides": "{}",
            "notKnownYet": {"a": 1},
            "containers": [
                {
                    "name": "web",
                    "image": "busybox",
                    "cpu": 128,
                    "memory": 64,
                    "essential": True,
                    "command": ["httpd", "-f"],
                    "environment": {"A": "b"},
                    "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
                    "mountPoints": [],
                    "links": [],
                    "volumesFrom": [],
                    "overrides": "{}",
                    "dockerConfig": {
                        "version": "1.21",
                        "config": "{}",
                        "hostConfig": '{"NetworkMode":"bridge","CapAdd":[],"CapDrop":[]}',
                    },
                }
            ],
        }
    ],
}


def test_a_payload_as_seen_on_the_wire_is_understood() -> None:
    frame = json.dumps({"type": "PayloadMessage", "message": SEEN_PAYLOAD})
    payload = protocol.decode(frame)
    assert isinstance(payload, protocol.PayloadMessage)
    task = (payload.tasks or [])[0]
    container = (task.containers or [])[0]
    assert (task.family, task.desired_status) == ("hello", "RUNNING")
    assert container.port_mappings == [PayloadPort(container_port=80)]
    assert json.loads(container.docker_config.host_config)["NetworkMode"] == "bridge"


def test_an_acknowledgement_is_framed_in_camel_case() -> None:
    frame = protocol.encode(protocol.AckRequest("default", "arn", "m1"))
    assert json.loads(frame) == {
        "type": "AckRequest",
        "message": {"cluster": "default", "containerInstance": "arn", "messageId": "m1"},
    }


def test_a_signed_frame_is_read_past_its_header_lines() -> None:
    message = protocol.HeartbeatMessage(healthy=True, message_id="h")
    text = protocol.encode_signed({"Authorization": "AWS4 {x}", "Host": "h"}, message)
    assert text.startswith("Authorization: AWS4 {x}\r\nHost: h\r\n\r\n{")
    assert protocol.decode(text) == message


def test_an_unknown_type_is_kept_as_it_came() -> None:
    unknown = protocol.decode('{"type":"PerformUpdateMessage","message":{"a":1}}')
    assert unknown == protocol.UnknownMessage("PerformUpdateMessage", b'{"a":1}')


@pytest.mark.parametrize(
    "text", ["", "no frame", "[]", '{"message":{}}', '{"type":"PayloadMessage","message":{}}']
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(protocol.MalformedFrame):
        protocol.decode(text)
