"""Before a FARGATE task starts its log streams are made; why one can't be is why it stops."""

from __future__ import annotations

import json

import pytest

from homeport.agent.awslogs import LogStream, log_streams
from homeport.agent.credentials import CredentialStore
from homeport.agent.secret_sources import Refused
from homeport.agent.task_secrets import ContainerSecrets, NotRetrieved, TaskSecrets
from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadDockerConfig,
    PayloadTask,
    RoleCredentials,
)

ROLE = RoleCredentials("id", "arn:aws:iam::1:role/execution", "ASIA1", "secret", "token", "2030")
MISSING = Refused("ResourceNotFoundException", "The specified log group does not exist.")


class Logs:
    """What CloudWatch Logs would answer."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.failures: dict[str, Refused] = {}

    async def log_group(self, name: str, role: RoleCredentials) -> None:
        self._asked("group", name)

    async def log_stream(self, group: str, name: str, role: RoleCredentials) -> None:
        self._asked("stream", group, name)

    def _asked(self, *call: str) -> None:
        self.calls.append(call)
        if call[0] in self.failures:
            raise self.failures[call[0]]


def logging(driver: str = "awslogs", **options: str) -> PayloadContainer:
    config = {"awslogs-group": "g", "awslogs-stream": "web/a/1", "mode": "non-blocking"}
    host = {"LogConfig": {"Type": driver, "Config": {**config, **options}}}
    return PayloadContainer("web", docker_config=PayloadDockerConfig(host_config=json.dumps(host)))


def task(container: PayloadContainer, launch_type: str = "FARGATE") -> PayloadTask:
    return PayloadTask("task", "RUNNING", containers=[container], launch_type=launch_type)


async def prepared(logs: Logs, wanted: PayloadTask) -> ContainerSecrets:
    credentials = CredentialStore()
    credentials.renew("task", "TaskExecution", ROLE)
    return await TaskSecrets(logs, credentials).of(wanted, "web")  # type: ignore[arg-type]


async def test_the_stream_is_made_whatever_the_mode() -> None:
    logs = Logs()
    assert await prepared(logs, task(logging())) == ContainerSecrets()
    assert logs.calls == [("stream", "g", "web/a/1")]


async def test_the_group_is_made_where_the_definition_says_so() -> None:
    logs = Logs()
    await prepared(logs, task(logging(**{"awslogs-create-group": "true"})))
    assert logs.calls == [("group", "g"), ("stream", "g", "web/a/1")]


@pytest.mark.parametrize("making", ["group", "stream"])
async def test_why_it_can_not_be_is_told_in_awss_words(making: str) -> None:
    logs = Logs()
    logs.failures[making] = MISSING
    with pytest.raises(NotRetrieved) as failed:
        await prepared(logs, task(logging(**{"awslogs-create-group": "true"})))
    assert str(failed.value) == (
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        f"retried 1 times: failed to create Cloudwatch log {making}: ResourceNotFoundException: "
        "The specified log group does not exist. : exit status 1"
    )


async def test_nothing_is_asked_for_other_tasks_and_drivers() -> None:
    logs = Logs()
    await prepared(logs, task(logging(), "EC2"))
    await prepared(logs, task(logging("json-file")))
    await prepared(logs, task(PayloadContainer("web")))
    assert logs.calls == []


def test_a_broken_document_is_left_to_who_makes_the_container() -> None:
    broken = PayloadContainer("web", docker_config=PayloadDockerConfig(host_config="{"))
    assert log_streams(task(broken)) == []
    assert log_streams(task(logging())) == [LogStream("g", "web/a/1", create_group=False)]
