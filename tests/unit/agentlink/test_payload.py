"""What an agent is sent for a task: the official agent's document, overrides applied."""

from __future__ import annotations

import json

import msgspec

from homeport.agentlink.frames import decode, encode
from homeport.agentlink.payload import run_payload, stop_payload
from homeport.agentlink.tcs import with_health
from homeport.domain.task import Container, Task
from homeport.domain.task_definition import ContainerDefinition, TaskDefinition

DEFINITION = TaskDefinition(
    arn="arn:aws:ecs:us-east-1:123456789012:task-definition/hello:3",
    family="hello",
    revision=3,
    network_mode="bridge",
    registered_at=0.0,
    registered_by="root",
    containers=(ContainerDefinition(name="web", image="busybox", has_health_check=True),),
    document={
        "containerDefinitions": [
            {
                "name": "web",
                "image": "busybox",
                "cpu": 128,
                "memory": 64,
                "memoryReservation": 32,
                "essential": True,
                "command": ["httpd"],
                "environment": [{"name": "A", "value": "b"}, {"name": "C", "value": "d"}],
                "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
                "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}],
                "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5},
                "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}},
            }
        ]
    },
)
TASK = Task(
    arn="arn:aws:ecs:us-east-1:123456789012:task/default/1",
    cluster_arn="arn:aws:ecs:us-east-1:123456789012:cluster/default",
    task_definition_arn=DEFINITION.arn,
    group="family:hello",
    created_at=0.0,
    containers=(Container(arn="c", name="web", image="busybox"),),
    overrides={
        "containerOverrides": [
            {"name": "web", "command": ["true"], "environment": [{"name": "A", "value": "z"}]}
        ]
    },
)


def test_overrides_replace_the_command_and_merge_the_environment() -> None:
    container = run_payload(TASK, DEFINITION, None)["containers"][0]
    assert container["command"] == ["true"]
    assert container["environment"] == {"A": "z", "C": "d"}


def test_limits_logging_and_health_travel_as_docker_json() -> None:
    container = run_payload(TASK, DEFINITION, None)["containers"][0]
    host_config = json.loads(container["dockerConfig"]["hostConfig"])
    assert host_config["NetworkMode"] == "bridge"
    assert host_config["MemoryReservation"] == 32 * 1024 * 1024
    assert host_config["Ulimits"] == [{"Name": "nofile", "Soft": 10, "Hard": 20}]
    assert host_config["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
    config = json.loads(container["dockerConfig"]["config"])
    assert config["Healthcheck"]["Interval"] == 5_000_000_000
    assert container["healthCheckType"] == "docker"


def test_a_stop_names_the_task_and_nothing_else_matters() -> None:
    assert stop_payload(TASK)["desiredStatus"] == "STOPPED"


def test_frames_survive_the_signed_header_block_of_telemetry() -> None:
    text = "Authorization: x\nHost: y\n\n" + encode("PublishMetricsRequest", {"a": 1})
    frame = decode(text)
    assert frame is not None
    assert (frame.type, frame.message) == ("PublishMetricsRequest", {"a": 1})
    assert decode("no frame") is None
    assert decode('{"type": 3}') is None


def test_a_task_is_healthy_when_its_essential_checked_containers_are() -> None:
    assert with_health(TASK, {"web": "HEALTHY"}, {"web"}).health_status == "HEALTHY"
    assert with_health(TASK, {"web": "UNHEALTHY"}, {"web"}).health_status == "UNHEALTHY"
    assert with_health(TASK, {"web": "HEALTHY"}, set()).health_status == "UNKNOWN"


def test_task_level_overrides_stand_before_the_definition() -> None:
    definition = msgspec.structs.replace(DEFINITION, cpu=256, memory=512)
    payload = run_payload(TASK, definition, None)
    assert (payload["cpu"], payload["memory"]) == (0.25, 512)
    task = msgspec.structs.replace(TASK, overrides={"cpu": "512", "memory": "1024"})
    payload = run_payload(task, definition, None)
    assert (payload["cpu"], payload["memory"]) == (0.5, 1024)
