"""A payload becomes what the Engine is asked for; ports and registration are chosen well."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from homeport.agent import awslogs
from homeport.agent.container_spec import (
    SpecError,
    create_body,
    docker_name,
    shared_sysctls,
)
from homeport.agent.data_dir import DataDirError, locked
from homeport.agent.engine import EngineFacts
from homeport.agent.host import Host
from homeport.agent.identity import load_identity, new_identity
from homeport.agent.ports import FIRST, LAST, NoFreePort, PortAllocator
from homeport.agent.registration import registration
from homeport.agent.settings import (
    AgentSettings,
    Credentials,
    SettingsError,
    settings_from_environment,
)
from homeport.agent.surroundings import Surroundings
from homeport.agent.task_state import Binding
from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadDockerConfig,
    PayloadPort,
    PayloadTask,
)

TASK = PayloadTask(
    arn="arn:aws:ecs:us-east-1:1:task/default/1",
    desired_status="RUNNING",
    family="web",
    version="7",
    network_mode="bridge",
)
BOX = PayloadContainer(
    name="my app",
    image="busybox",
    cpu=128,
    memory=64,
    command=["httpd"],
    environment={"A": "b"},
    port_mappings=[PayloadPort(80, 0)],
)
SETTINGS = AgentSettings("http://127.0.0.1:4566", Path("/tmp"), Credentials("AKIA", "secret"))

AROUND = Surroundings({"ECS_AGENT_URI": "u"}, {"AWS_EXECUTION_ENV": "AWS_ECS_EC2", "A": "default"})


def test_names_and_labels_are_the_official_agents() -> None:
    name = docker_name(TASK, "my app")
    assert re.fullmatch(r"ecs-web-7-myapp-[0-9a-f]{20}", name)
    assert name == docker_name(TASK, "my app"), "the Engine itself refuses a second one"
    body = create_body(TASK, BOX, (Binding(80, 40000),), "default", AROUND)
    assert body["Labels"]["com.amazonaws.ecs.task-definition-version"] == "7"
    assert body["Image"] == "busybox"
    assert body["Env"] == ["AWS_EXECUTION_ENV=AWS_ECS_EC2", "A=b", "ECS_AGENT_URI=u"]
    assert body["HostConfig"]["Memory"] == 64 * 1024 * 1024
    assert body["HostConfig"]["CpuShares"] == 128
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "40000"}]
    }


def test_dockers_own_json_in_the_payload_wins() -> None:
    config = PayloadDockerConfig(config='{"User": "nobody"}', host_config='{"Privileged": true}')
    body = create_body(
        TASK, PayloadContainer(name="a", docker_config=config), (), "default", AROUND
    )
    assert body["User"] == "nobody"
    assert body["HostConfig"]["Privileged"] is True


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_docker_json_that_is_none_is_refused(text: str) -> None:
    config = PayloadDockerConfig(host_config=text)
    with pytest.raises(SpecError):
        create_body(TASK, PayloadContainer(name="a", docker_config=config), (), "default", AROUND)


def test_dynamic_ports_go_round_and_skip_what_is_taken() -> None:
    allocator = PortAllocator(probe=lambda port, protocol: port % 2 == 0, start=LAST)
    first = allocator.take([PayloadPort(80, 0), PayloadPort(81, 8081)])
    assert first == (Binding(80, FIRST), Binding(81, 8081))
    assert allocator.take([PayloadPort(80, 0)]) == (Binding(80, FIRST + 2),)
    allocator.release(first)
    assert allocator.take([PayloadPort(80, 0)]) == (Binding(80, FIRST + 4),), "not again so soon"


def test_a_host_without_free_ports_says_so() -> None:
    allocator = PortAllocator(probe=lambda port, protocol: False)
    with pytest.raises(NoFreePort, match="32768"):
        allocator.take([PayloadPort(80, 0)])


def test_registration_says_what_the_host_has_and_who_it_is() -> None:
    host = Host(cpu=2048, memory=4096, address="10.0.0.5", architecture="x86_64", kernel="6")
    facts = EngineFacts("28.0", "1.48", ("json-file",), "172.17.0.1")
    identity = new_identity("default")
    request = registration(SETTINGS, identity, host, facts)
    assert request["clientToken"] == identity.registration_token
    document = json.loads(request["instanceIdentityDocument"])
    assert document["privateIp"] == "10.0.0.5"
    assert document["instanceId"] == identity.instance_id
    resources = {r["name"]: r for r in request["totalResources"]}
    assert resources["CPU"]["integerValue"] == 2048
    assert "22" in resources["PORTS"]["stringSetValue"]
    names = {a["name"] for a in request["attributes"]}
    assert "com.amazonaws.ecs.capability.logging-driver.json-file" in names
    assert "containerInstanceArn" not in request


def test_awslogs_is_offered_where_the_host_serves_its_credentials() -> None:
    def offered(*capabilities: str) -> set[str]:
        host = Host(
            cpu=2048,
            memory=4096,
            address="10.0.0.5",
            architecture="x86_64",
            kernel="6",
            capabilities=capabilities,
        )
        facts = EngineFacts("28.0", "1.48", ("json-file", "awslogs"), "172.17.0.1")
        request = registration(SETTINGS, new_identity("default"), host, facts)
        return {a["name"] for a in request["attributes"] if "awslogs" in a["name"]}

    assert offered() == set()
    assert offered(*awslogs.CAPABILITIES) == {
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "ecs.capability.execution-role-awslogs",
    }


def test_an_identity_is_made_once_and_belongs_to_one_cluster(tmp_path: Path) -> None:
    first = load_identity(tmp_path, "default")
    assert load_identity(tmp_path, "default") == first
    assert (tmp_path / "identity.json").stat().st_mode & 0o077 == 0
    with pytest.raises(DataDirError, match="cluster default"):
        load_identity(tmp_path, "other")


def test_one_agent_per_data_directory(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(DataDirError, match="Another agent"):  # noqa: SIM117
        with locked(tmp_path, wait=0.0):
            pass


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "ENDPOINT"),
        ({"AWS_ENDPOINT_URL": "http://x"}, "DATA_DIR"),
        ({"AWS_ENDPOINT_URL": "http://x", "HOMEPORT_AGENT_DATA_DIR": "/x"}, "credentials"),
    ],
)
def test_missing_settings_are_named(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from_environment(environment)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(SETTINGS)


def test_kernel_parameters_of_shared_namespaces_are_the_pause_containers() -> None:
    def box(name: str, **sysctls: str) -> PayloadContainer:
        config = PayloadDockerConfig(host_config=json.dumps({"Sysctls": sysctls}))
        return PayloadContainer(name=name, image="i", docker_config=config)

    first = box("a", **{"net.core.somaxconn": "1", "kernel.msgmax": "2"})
    second = box("b", **{"net.core.somaxconn": "3"})
    task = msgspec.structs.replace(
        TASK, network_mode="awsvpc", ipc_mode="task", containers=[first, second]
    )
    assert shared_sysctls(task) == {"net.core.somaxconn": "3", "kernel.msgmax": "2"}
    around = Surroundings(pause="pause")
    body = create_body(task, first, (), "default", around)["HostConfig"]
    assert "Sysctls" not in body
    assert (body["NetworkMode"], body["IpcMode"]) == ("container:pause", "container:pause")
    task = msgspec.structs.replace(task, ipc_mode="")
    body = create_body(task, first, (), "default", around)["HostConfig"]
    assert body["Sysctls"] == {"kernel.msgmax": "2"}
