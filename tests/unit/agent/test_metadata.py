"""Metadata documents: what the Engine and the agent know, in the official agent's members."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homeport.agent.abilities import Abilities, has_network
from homeport.agent.metadata.documents import container_document, task_document
from homeport.agent.metadata.endpoint import unknown
from homeport.agent.settings import AgentSettings, Credentials
from homeport.agent.surroundings import surroundings
from homeport.agent.task_state import Binding, ContainerState, TaskState
from homeport.domain.agent_payload import (
    PayloadAddress,
    PayloadContainer,
    PayloadInterface,
    PayloadTask,
    RoleCredentials,
)

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/blue"
ARN = "arn:aws:ecs:us-east-1:123456789012:task/blue/1"
SETTINGS = AgentSettings(
    endpoint_url="http://127.0.0.1:4566",
    data_dir=Path("/nowhere"),
    credentials=Credentials("AKIA", "secret"),
    cluster="blue",
)


def a_task(**more: Any) -> TaskState:
    payload = PayloadTask(
        arn=ARN,
        desired_status="RUNNING",
        family="web",
        version="3",
        task_cluster_arn=CLUSTER,
        containers=[PayloadContainer("main", "busybox", cpu=128, memory=64)],
        **more,
    )
    state = ContainerState(
        name="main",
        status="RUNNING",
        docker_id="d1",
        bindings=(Binding(80, 40000),),
        metadata_id="an-id",
    )
    return TaskState(payload=payload, containers=(state,))


def test_a_task_says_its_cluster_by_name_and_on_fargate_by_arn() -> None:
    assert task_document(a_task(), [], SETTINGS)["Cluster"] == "blue"
    fargate = task_document(a_task(launch_type="FARGATE", cpu=0.25, memory=512), [], SETTINGS)
    assert fargate["Cluster"] == CLUSTER
    assert fargate["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert fargate["FaultInjectionEnabled"] is False


def test_what_is_not_known_is_left_out() -> None:
    document = task_document(a_task(), [], SETTINGS)
    assert not {"PullStartedAt", "ServiceName", "VPCID", "Limits"} & document.keys()
    task = a_task()
    container = container_document(task, task.containers[0], {})
    assert not {"ExitCode", "FinishedAt", "Health", "ImageID", "Networks"} & container.keys()
    assert container["Ports"] == [
        {"ContainerPort": 80, "Protocol": "tcp", "HostPort": 40000, "HostIp": "0.0.0.0"}
    ]


def test_an_awsvpc_task_shows_its_interface() -> None:
    interface = PayloadInterface(
        mac_address="02:00:00:00:00:01",
        ipv4_addresses=[PayloadAddress(True, "172.31.0.9")],
        subnet_gateway_ipv4_address="172.31.0.1/20",
        private_dns_name="ip-172-31-0-9.ec2.internal",
    )
    task = a_task(network_mode="awsvpc", elastic_network_interfaces=[interface])
    (network,) = container_document(task, task.containers[0], {})["Networks"]
    assert network["NetworkMode"] == "awsvpc"
    assert network["IPv4Addresses"] == ["172.31.0.9"]
    assert network["IPv4SubnetCIDRBlock"] == "172.31.0.0/20"
    assert network["AttachmentIndex"] == 0


def test_an_unknown_id_is_refused_as_the_official_agent_does() -> None:
    assert unknown("/v2/credentials/x").status == 400
    assert unknown("/v2/credentials/x").document["code"] == "InvalidIdInRequest"  # type: ignore[index]
    assert unknown("/v4/x/task").status == 404
    assert str(unknown("/v4/x/task").document).startswith("V4 container metadata handler: ")


def test_a_container_is_told_where_to_ask_and_a_role_where_the_api_is() -> None:
    plain = surroundings(a_task(), "main", SETTINGS, endpoint=True)
    assert plain.environment["ECS_CONTAINER_METADATA_URI_V4"] == "http://169.254.170.2/v4/an-id"
    assert "AWS_ENDPOINT_URL" not in plain.defaults
    role = RoleCredentials("an-other-id", "arn:aws:iam::123456789012:role/r")
    with_role = surroundings(a_task(role_credentials=role), "main", SETTINGS, endpoint=True)
    path = with_role.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    assert path == "/v2/credentials/an-other-id"
    assert with_role.defaults["AWS_ENDPOINT_URL"] == "http://169.254.170.2:4566"
    assert surroundings(a_task(), "main", SETTINGS, endpoint=False).environment == {}


@pytest.mark.parametrize("able", [True, False])
def test_only_what_a_host_can_do_is_registered(able: bool) -> None:
    names = Abilities(able, able, able, able).attributes
    for name in ("ecs.capability.task-eni", "com.amazonaws.ecs.capability.task-iam-role"):
        assert (name in names) is able


def test_an_engine_elsewhere_has_no_interfaces() -> None:
    assert not has_network(replace(SETTINGS, docker_url="tcp://10.0.0.1:2375"))
