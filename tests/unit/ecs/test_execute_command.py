"""ExecuteCommand: what is refused in whose words, and what a session is made of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ecs_world import ARNS, World

from homeport.domain.execute import ExecuteTarget, channel_id, token_digest
from homeport.services.ecs.execute_command import NOT_ENABLED
from homeport.store.schema import EXECUTE_SESSIONS, EXECUTE_TARGETS

CAPABLE = [{"name": "ecs.capability.execute-command"}]
RUNTIMES = {"web": "a" * 64, "log": "b" * 64}


@pytest.fixture
def world() -> World:
    world = World()
    world.register(attributes=CAPABLE)
    return world


def run(world: World, enable: bool = True) -> str:
    answer = world("RunTask", taskDefinition="web", enableExecuteCommand=enable)
    assert not answer["failures"]
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def running(world: World, enable: bool = True, connected: bool = True) -> str:
    """A task whose agent has reported everything; returns its ARN."""
    arn = run(world, enable)
    agent = {"managedAgentName": "ExecuteCommandAgent", "status": "RUNNING"}
    world(
        "SubmitTaskStateChange",
        task=arn,
        status="RUNNING",
        containers=[
            {"containerName": name, "status": "RUNNING", "runtimeId": runtime}
            for name, runtime in RUNTIMES.items()
        ],
        managedAgents=[{"containerName": name, **agent} for name in RUNTIMES],
    )
    if connected:
        connect(world, arn, "web")
    return arn


def connect(world: World, arn: str, container: str) -> str:
    channel = channel_id("default", arn.rsplit("/", 1)[-1], RUNTIMES[container])
    world.put(EXECUTE_TARGETS, ExecuteTarget(channel, arn, 1.0))
    return channel


def request(arn: str, **more: Any) -> dict[str, Any]:
    return {"task": arn, "command": "sh", "interactive": True, "container": "web", **more}


def managed_agents(world: World, arn: str) -> list[list[dict[str, Any]]]:
    task = world("DescribeTasks", tasks=[arn])["tasks"][0]
    return [c.get("managedAgents") for c in task["containers"]]


def test_a_session_is_a_stream_and_a_token_of_which_only_the_digest_is_kept(world: World) -> None:
    arn = running(world)
    answer = world("ExecuteCommand", **request(arn))
    session = answer["session"]
    assert session["sessionId"].startswith("ecs-execute-command-")
    assert session["streamUrl"] == (
        f"ws://127.0.0.1:4566/v1/data-channel/{session['sessionId']}?role=publish_subscribe"
    )
    assert (answer["containerName"], answer["taskArn"]) == ("web", arn)
    assert answer["clusterArn"] == ARNS.ecs("cluster/default")
    with world.store.transaction() as tx:
        (stored,) = tx.all(EXECUTE_SESSIONS)
    assert stored.command == "sh"
    assert stored.token_digest == token_digest(session["tokenValue"])
    assert session["tokenValue"] not in repr(stored)


def test_two_sessions_have_nothing_in_common(world: World) -> None:
    arn = running(world)
    one, two = (world("ExecuteCommand", **request(arn))["session"] for _ in range(2))
    assert one["sessionId"] != two["sessionId"]
    assert one["tokenValue"] != two["tokenValue"]


def test_a_task_says_whether_it_was_started_with_execute_command(world: World) -> None:
    for enable in (True, False):
        arn = run(world, enable)
        assert world("DescribeTasks", tasks=[arn])["tasks"][0]["enableExecuteCommand"] is enable


def test_managed_agents_are_what_the_agent_reports(world: World) -> None:
    arn = run(world)
    pending = {"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}
    for (agent,) in managed_agents(world, arn):
        assert {k: v for k, v in agent.items() if v is not None} == pending
    world.now = 1234.0
    told = {"managedAgentName": "ExecuteCommandAgent", "status": "RUNNING"}
    world(
        "SubmitTaskStateChange",
        task=arn,
        managedAgents=[{"containerName": "web", "reason": "AccessDenied", **told}],
    )
    (web,), (log,) = managed_agents(world, arn)
    assert (web["lastStatus"], web["lastStartedAt"], web["reason"]) == (
        "RUNNING",
        1234.0,
        "AccessDenied",
    )
    assert log["lastStatus"] == "PENDING"


def test_managed_agents_end_with_their_container_and_do_not_come_back(world: World) -> None:
    arn = running(world)
    log = {"containerName": "log", "status": "STOPPED", "exitCode": 0}
    late = {"managedAgentName": "ExecuteCommandAgent", "containerName": "log"}
    world("SubmitTaskStateChange", task=arn, containers=[log])
    world("SubmitTaskStateChange", task=arn, managedAgents=[{**late, "status": "RUNNING"}])
    assert [a["lastStatus"] for (a,) in managed_agents(world, arn)] == ["RUNNING", "STOPPED"]
    world.report(arn, "STOPPED")
    assert [a["lastStatus"] for (a,) in managed_agents(world, arn)] == ["STOPPED", "STOPPED"]


def test_without_execute_command_there_are_no_managed_agents(world: World) -> None:
    assert managed_agents(world, running(world, enable=False)) == [None, None]


def test_only_instances_whose_agent_can_do_it_are_given_such_tasks() -> None:
    world = World()
    world.register(attributes=[])
    answer = world("RunTask", taskDefinition="web", enableExecuteCommand=True)
    assert [f["reason"] for f in answer["failures"]] == ["ATTRIBUTE"]


def test_a_services_tasks_have_it_as_the_service_says_when_they_start(world: World) -> None:
    created = world(
        "CreateService",
        serviceName="s",
        taskDefinition="web",
        desiredCount=0,
        enableExecuteCommand=True,
    )
    assert created["service"]["enableExecuteCommand"] is True
    world("UpdateService", service="s", enableExecuteCommand=False)
    service = world("DescribeServices", services=["s"])["services"][0]
    assert service["enableExecuteCommand"] is False
    assert len(service["deployments"]) == 1  # it does not start a deployment


def refused(world: World, arn: str, **more: Any) -> tuple[str, str]:
    return world.refused("ExecuteCommand", **request(arn, **more))


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"interactive": False}, "Interactive is false"),
        ({"command": ""}, "Command cannot be empty."),
        ({"command": "  "}, "Command cannot be empty."),
        ({"command": "sh -c 'ls"}, "Command can't be parsed: No closing quotation."),
        ({"command": "x" * 5000}, "Command must be at most 4096 characters."),
        ({"command": "a\0b"}, "Command cannot be empty."),
        ({"task": "0" * 32}, "The referenced task was not found."),
        ({"container": ""}, "The container must be specified"),
        ({"container": "nope"}, "The task has no container named nope."),
    ],
)
def test_a_request_that_makes_no_sense_names_what(
    world: World, members: dict[str, Any], text: str
) -> None:
    code, said = refused(world, running(world), **members)
    assert code == "InvalidParameterException"
    assert said.startswith(text)


def test_the_cluster_must_be_there(world: World) -> None:
    code, _ = refused(world, running(world), cluster="nope")
    assert code == "ClusterNotFoundException"


@pytest.mark.parametrize(
    ("configuration", "named"),
    [
        ({"kmsKeyId": "key", "logging": "NONE"}, "executeCommandConfiguration.kmsKeyId"),
        (
            {"logging": "OVERRIDE", "logConfiguration": {"s3EncryptionEnabled": True}},
            "logConfiguration.s3EncryptionEnabled",
        ),
        (
            {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchEncryptionEnabled": True}},
            "logConfiguration.cloudWatchEncryptionEnabled",
        ),
        ({"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "g"}}, None),
        ({"logging": "DEFAULT"}, None),
        ({"logging": "NONE"}, None),
    ],
)
def test_what_a_cluster_wants_of_its_sessions_is_kept_and_never_ignored(
    world: World, configuration: dict[str, Any], named: str | None
) -> None:
    arn = running(world)
    document = {"executeCommandConfiguration": configuration}
    world("UpdateCluster", cluster="default", configuration=document)
    described = world("DescribeClusters", include=["CONFIGURATIONS"])["clusters"][0]
    assert described["configuration"] == document
    if named is None:
        assert world("ExecuteCommand", **request(arn))["session"]
        return
    code, text = refused(world, arn)
    assert code == "ClientException"
    assert named in text


def test_a_task_without_execute_command_is_refused_in_awss_words(world: World) -> None:
    assert refused(world, running(world, enable=False)) == (
        "InvalidParameterException",
        NOT_ENABLED,
    )


def test_so_is_one_whose_agent_has_not_begun(world: World) -> None:
    assert refused(world, run(world)) == ("InvalidParameterException", NOT_ENABLED)


def test_a_task_that_stops_is_refused(world: World) -> None:
    arn = running(world)
    world("StopTask", task=arn)
    code, text = refused(world, arn)
    assert code == "InvalidParameterException"
    assert "being stopped" in text


def test_a_container_whose_channel_is_closed_is_not_connected(world: World) -> None:
    assert refused(world, running(world, connected=False)) == (
        "TargetNotConnectedException",
        "The execute command failed due to an internal error. Try again later.",
    )


def test_neither_is_one_whose_host_is_gone(world: World) -> None:
    arn = running(world)
    world.connect(world.task(arn).container_instance_arn or "", connected=False)
    assert refused(world, arn)[0] == "TargetNotConnectedException"


def test_a_container_has_a_thousand_sessions_at_most(world: World) -> None:
    arn = running(world)
    with_one = world("ExecuteCommand", **request(arn))
    with world.store.transaction() as tx:
        stored = tx.get(EXECUTE_SESSIONS, with_one["session"]["sessionId"])
    assert stored is not None
    with world.store.transaction() as tx:
        for n in range(999):
            tx.put(EXECUTE_SESSIONS, msgspec.structs.replace(stored, id=f"s{n}"))
    assert refused(world, arn) == (
        "ClientException",
        "Unable to start new execute sessions because the maximum session limit of 1000 has been "
        "reached.",
    )
