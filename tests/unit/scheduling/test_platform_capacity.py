"""FARGATE tasks go to the platform's hosts, whatever cluster those and the tasks are of."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from scheduling_records import ARNS, CLUSTER_ARN, IDS, PLATFORM, definition, instance

from homeport.decide.placement.explain import no_capacity_message
from homeport.domain.container_instance import PLATFORM_CLUSTER
from homeport.scheduling.candidates import candidates, platform_candidates
from homeport.scheduling.launch import LaunchResult, launch_tasks
from homeport.scheduling.template import TaskTemplate
from homeport.store import Transaction
from homeport.store.schema import CONTAINER_INSTANCES

ONLY = instance(
    "p", cluster_arn=ARNS.ecs(f"cluster/{PLATFORM_CLUSTER}"), availability_zone="us-east-1b"
)
WEB = TaskTemplate(
    definition(cpu=512, memory=1024),
    CLUSTER_ARN,
    "family:web",
    launch_type="FARGATE",
    platform_version="1.4.0",
)
UNAVAILABLE = (
    "Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone"
)


def launch(tx: Transaction, count: int = 1, template: TaskTemplate = WEB) -> LaunchResult:
    return launch_tasks(tx, template, count, now=1.0, ids=IDS, arns=ARNS, order=random.Random(7))


def platform(tx: Transaction, **fields: object) -> str:
    host = tx.put(CONTAINER_INSTANCES, instance("p", **{**PLATFORM, **fields}))
    return host.arn


def where(result: LaunchResult) -> Counter[str | None]:
    return Counter(task.container_instance_arn for task in result.tasks)


def test_hosts_of_the_cluster_are_no_capacity_of_the_platform(tx: Transaction) -> None:
    result = launch(tx, 2)
    assert not result.tasks
    assert [(r.arn, r.reason) for r in result.refusals] == [("", UNAVAILABLE)] * 2
    assert result.missing == 2


def test_a_platform_host_of_another_cluster_takes_them(tx: Transaction) -> None:
    host = platform(tx, cluster_arn=ONLY.cluster_arn)
    result = launch(tx, 3)
    assert where(result) == {host: 2}, "its memory is full then"
    assert [r.reason for r in result.refusals] == [UNAVAILABLE]
    (left,) = platform_candidates(tx)
    assert (left.remaining_cpu, left.remaining_memory) == (2048 - 1024, 0)
    assert [c.arn for c in candidates(tx, CLUSTER_ARN) if c.arn == host] == []
    task = result.tasks[0]
    assert task.cluster_arn == CLUSTER_ARN
    assert (task.cpu, task.memory) == (512, 1024)
    assert (task.launch_type, task.platform_version) == ("FARGATE", "1.4.0")
    assert task.ephemeral_storage_gib == 20


def test_a_host_may_be_both_and_its_room_is_one(tx: Transaction) -> None:
    host = platform(tx)
    launch(tx, 2)
    on_ec2 = {c.arn: c.remaining_memory for c in candidates(tx, CLUSTER_ARN)}
    assert on_ec2[host] == 0
    small = replace(WEB, launch_type="EC2", task_definition=definition())
    assert host not in where(launch(tx, 20, small))


def test_they_spread_over_the_platforms_zones_and_hosts(tx: Transaction) -> None:
    for name in ("p", "q", "r"):
        zone = "us-east-1b" if name == "r" else "us-east-1a"
        tx.put(CONTAINER_INSTANCES, instance(name, availability_zone=zone, **PLATFORM))
    counts = where(launch(tx, 4))
    assert counts[instance("r").arn] == 2
    assert {counts[instance(name).arn] for name in ("p", "q")} == {1}


@pytest.mark.parametrize(
    "fields",
    [
        {"agent_connected": False},
        {"status": "DRAINING"},
        {"status": "INACTIVE"},
        {"cpu": 256},
        {"agent_attributes": (("homeport.platform-capacity", "only"),)},
    ],
    ids=["agent gone", "draining", "deregistered", "too small", "no limit per task"],
)
def test_a_host_that_can_not_hold_a_task_takes_none(
    tx: Transaction, fields: dict[str, object]
) -> None:
    platform(tx, **fields)
    assert not launch(tx).tasks


def test_a_processor_that_is_asked_for_is_the_hosts(tx: Transaction) -> None:
    platform(tx)
    for wanted, launched in (("ARM64", 0), ("X86_64", 1)):
        document = {**definition().document, "runtimePlatform": {"cpuArchitecture": wanted}}
        template = replace(WEB, task_definition=definition(cpu=256, memory=512, document=document))
        assert len(launch(tx, 1, template).tasks) == launched


def test_the_disk_is_the_definitions_or_the_requests(tx: Transaction) -> None:
    platform(tx)
    document = {**definition().document, "ephemeralStorage": {"sizeInGiB": 30}}
    sized = replace(WEB, task_definition=definition(cpu=256, memory=512, document=document))
    (task,) = launch(tx, 1, sized).tasks
    assert task.ephemeral_storage_gib == 30
    (task,) = launch(tx, 1, replace(sized, overrides={"ephemeralStorage": {"sizeInGiB": 40}})).tasks
    assert task.ephemeral_storage_gib == 40


def test_the_service_event_says_what_aws_says() -> None:
    assert no_capacity_message("web") == (
        f"(service web) was unable to place a task. Reason: {UNAVAILABLE}. For more information, "
        "see the Troubleshooting section of the Amazon ECS Developer Guide."
    )
