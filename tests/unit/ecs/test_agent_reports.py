"""Agents join, join again, and report."""

from __future__ import annotations

import pytest
from ecs_world import ARNS, World

ATTRIBUTES = [
    {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
    {"name": "ecs.os-type", "value": "linux"},
    {"name": "rack", "value": "r1"},
]


@pytest.fixture
def world() -> World:
    return World()


def test_registration_echoes_every_attribute(world: World) -> None:
    instance = world(
        "RegisterContainerInstance", cluster="default", attributes=ATTRIBUTES, totalResources=[]
    )["containerInstance"]
    echoed = {(a["name"], a["value"]) for a in instance["attributes"]}
    assert {(a["name"], a.get("value")) for a in ATTRIBUTES} <= echoed
    assert ("ecs.availability-zone", "us-east-1a") in echoed
    assert instance["status"] == "ACTIVE"
    assert instance["agentConnected"] is False
    assert instance["containerInstanceArn"].startswith(ARNS.ecs("container-instance/default/"))


def test_a_host_without_an_identity_document_gets_an_id(world: World) -> None:
    instance = world("RegisterContainerInstance", instanceIdentityDocument="")["containerInstance"]
    assert instance["ec2InstanceId"].startswith("mi-0")
    code, _ = world.refused("RegisterContainerInstance", instanceIdentityDocument="{broken")
    assert code == "InvalidParameterException"


def test_registration_without_its_cluster_is_cluster_not_found(world: World) -> None:
    # The agent makes the cluster "default" itself when it hears this.
    code, _ = world.refused("RegisterContainerInstance", cluster="nowhere")
    assert code == "ClusterNotFoundException"


def test_coming_back_keeps_the_names_its_owner_gave_it(world: World) -> None:
    """The official agent sends ECS_INSTANCE_ATTRIBUTES at its first registration only."""
    arn = world.register("a", attributes=[*ATTRIBUTES, {"name": "row", "value": "5"}])
    put = {"name": "row", "value": "6", "targetType": "container-instance", "targetId": arn}
    world("PutAttributes", attributes=[put])

    def back(*sent: dict[str, str]) -> dict[str, str | None]:
        instance = world(
            "RegisterContainerInstance", containerInstanceArn=arn, attributes=list(sent)
        )["containerInstance"]
        return {a["name"]: a["value"] for a in instance["attributes"]}

    seen = back({"name": "ecs.os-type", "value": "linux"})
    assert (seen["rack"], seen["row"]) == ("r1", "6")
    assert ATTRIBUTES[0]["name"] not in seen, "what the agent can do is what it says now"
    assert back({"name": "shelf", "value": "2"})["shelf"] == "2"
    assert back()["shelf"] == "2"


def test_coming_back_keeps_the_instance_and_takes_new_capabilities(world: World) -> None:
    arn = world.register("a", attributes=ATTRIBUTES)
    world("UpdateContainerInstancesState", containerInstances=[arn], status="DRAINING")
    back = world(
        "RegisterContainerInstance",
        containerInstanceArn=arn,
        attributes=[{"name": "new"}],
        totalResources=[{"name": "CPU", "type": "INTEGER", "integerValue": 512}],
    )["containerInstance"]
    assert back["containerInstanceArn"] == arn
    assert back["status"] == "DRAINING"
    assert back["ec2InstanceId"] == "i-a"
    names = {a["name"] for a in back["attributes"]}
    assert "new" in names
    assert "rack" in names
    assert back["registeredResources"][0]["integerValue"] == 512


def test_an_instance_that_is_out_cannot_come_back(world: World) -> None:
    arn = world.register("a")
    world("DeregisterContainerInstance", containerInstance=arn)
    assert world.refused("RegisterContainerInstance", containerInstanceArn=arn)[0] == (
        "ClientException"
    )
    gone = ARNS.ecs("container-instance/default/" + "0" * 32)
    assert world.refused("RegisterContainerInstance", containerInstanceArn=gone)[0] == (
        "ClientException"
    )


def test_the_same_registration_token_is_the_same_instance(world: World) -> None:
    first = world.register("a", clientToken="t1")
    assert world.register("a", clientToken="t1") == first
    assert world.register("a", clientToken="t2") != first


def test_the_poll_endpoints_are_the_two_websockets(world: World) -> None:
    answer = world("DiscoverPollEndpoint", containerInstance="x", cluster="default")
    assert answer == {
        "endpoint": "http://127.0.0.1:4566/acs",
        "telemetryEndpoint": "http://127.0.0.1:4566/tcs",
    }


def test_a_report_of_an_unknown_task_is_an_error_that_agents_drop(world: World) -> None:
    for operation in ("SubmitTaskStateChange", "SubmitContainerStateChange"):
        code, message = world.refused(operation, task="0" * 32, status="RUNNING")
        assert (code, message) == (
            "InvalidParameterException",
            "The referenced task was not found.",
        )


def test_attachments_are_not_run_yet(world: World) -> None:
    code, _ = world.refused(
        "SubmitAttachmentStateChanges", attachments=[{"attachmentArn": "a", "status": "ATTACHED"}]
    )
    assert code == "InvalidParameterException"
