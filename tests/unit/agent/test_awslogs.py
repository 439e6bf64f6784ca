"""What the agent tells the Engine's awslogs driver, and what its failures are called."""

from __future__ import annotations

import json
from pathlib import Path

from homeport.agent.awslogs import lacks_credentials, log_options, start_failure
from homeport.agent.container_spec import create_body
from homeport.agent.credentials import CredentialStore, instance_credentials
from homeport.agent.settings import AgentSettings, Credentials
from homeport.agent.surroundings import Surroundings
from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadDockerConfig,
    PayloadTask,
    RoleCredentials,
)

KEY = Credentials("AKIA", "secret")
SETTINGS = AgentSettings("http://10.0.0.1:4566", Path("/tmp"), KEY)
ROLE = RoleCredentials(credentials_id="id-of-the-role", role_arn="arn")


def task(*, role: RoleCredentials | None, strategy: str) -> PayloadTask:
    logging = {"Type": "awslogs", "Config": {"awslogs-group": "g", "awslogs-endpoint": "http://x"}}
    config = PayloadDockerConfig(host_config=json.dumps({"LogConfig": logging}))
    box = PayloadContainer("box", "i", docker_config=config, logs_auth_strategy=strategy)
    return PayloadTask("arn", "RUNNING", containers=[box], execution_role_credentials=role)


def test_the_execution_roles_credentials_sign_if_there_is_one() -> None:
    options = log_options(task(role=ROLE, strategy="EXECUTION_ROLE"), "box", SETTINGS)
    assert options["awslogs-credentials-endpoint"] == "/v2/credentials/id-of-the-role"
    assert options["awslogs-endpoint"] == "http://10.0.0.1:4566"


def test_else_the_instances_own() -> None:
    own = instance_credentials(KEY)
    assert own == instance_credentials(KEY), "also after a restart of the agent"
    assert own.credentials_id != instance_credentials(Credentials("AKIA", "x")).credentials_id
    options = log_options(task(role=None, strategy=""), "box", SETTINGS)
    assert options["awslogs-credentials-endpoint"] == f"/v2/credentials/{own.credentials_id}"
    assert CredentialStore(own).by_id(own.credentials_id) == own


def test_what_the_definition_says_of_the_driver_comes_first() -> None:
    box = task(role=None, strategy="")
    around = Surroundings(log_options=log_options(box, "box", SETTINGS))
    assert box.containers is not None
    body = create_body(box, box.containers[0], (), "default", around)
    config = body["HostConfig"]["LogConfig"]["Config"]
    assert (config["awslogs-endpoint"], config["awslogs-group"]) == ("http://x", "g")
    assert config["awslogs-force-flush-interval-seconds"] == "1"


def test_other_drivers_are_told_nothing() -> None:
    logging = {"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}}
    config = PayloadDockerConfig(host_config=json.dumps(logging))
    box = PayloadContainer("box", "i", docker_config=config)
    body = create_body(
        PayloadTask("arn", "RUNNING"), box, (), "default", Surroundings(log_options={"a": "b"})
    )
    assert body["HostConfig"]["LogConfig"] == logging["LogConfig"]


def test_failures_of_the_driver_are_called_as_on_ec2_and_on_fargate() -> None:
    said = (
        "Error response from daemon: failed to initialize logging driver: failed to create "
        "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
    )
    assert start_failure("EC2", said) == f"CannotStartContainerError: {said}"
    assert start_failure("FARGATE", said) == (
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The "
        "specified log group does not exist. : exit status 1"
    )
    assert not lacks_credentials(said)
    assert lacks_credentials(
        "failed to initialize logging driver: failed to create Cloudwatch log stream: "
        "CredentialsEndpointError: failed to load credentials"
    )
    assert start_failure("FARGATE", "no such file") == "CannotStartContainerError: no such file"
