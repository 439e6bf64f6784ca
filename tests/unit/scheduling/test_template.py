"""Task records: what they hold, what they are called, which tags they carry."""

from __future__ import annotations

import re

import pytest
from scheduling_records import ARNS, CLUSTER_ARN, IDS, definition, instance

from homeport.domain.cluster import Tag
from homeport.domain.task_definition import ContainerDefinition, PortMapping
from homeport.scheduling.demand import Demand, demand_of
from homeport.scheduling.template import TaskTemplate, new_task, task_tags


def test_a_new_task_is_pending_on_its_instance_with_container_arns() -> None:
    template = TaskTemplate(definition(PortMapping(80, 8080)), CLUSTER_ARN, "family:web")
    task = new_task(template, instance("a"), now=3.0, ids=IDS, arns=ARNS)
    assert re.fullmatch(r"arn:aws:ecs:us-east-1:123456789012:task/default/[0-9a-f]{32}", task.arn)
    task_id = task.arn.rsplit("/", 1)[1]
    assert f":container/default/{task_id}/" in task.containers[0].arn
    assert (task.last_status, task.desired_status) == ("PENDING", "RUNNING")
    assert (task.cpu, task.memory, task.tcp_ports) == (128, 64, (8080,))
    assert task.container_instance_arn == instance("a").arn
    assert task.availability_zone == "us-east-1a"


def test_returned_overrides_list_every_container() -> None:
    containers = (
        ContainerDefinition(name="web", image="web:1"),
        ContainerDefinition(name="log", image="log:1"),
    )
    template = TaskTemplate(
        definition(containers=containers),
        CLUSTER_ARN,
        "family:web",
        overrides={"containerOverrides": [{"name": "log", "cpu": 5}]},
    )
    task = new_task(template, instance("a"), now=3.0, ids=IDS, arns=ARNS)
    assert task.overrides["containerOverrides"] == [{"name": "web"}, {"name": "log", "cpu": 5}]


TWO = (
    ContainerDefinition(name="a", image="a", cpu=10, memory=100, memory_reservation=40),
    ContainerDefinition(name="b", image="b", cpu=20, memory=50),
)


@pytest.mark.parametrize(
    ("fields", "overrides", "expected"),
    [
        ({}, {}, Demand(30, 90)),
        ({"cpu": 256, "memory": 512}, {}, Demand(256, 512)),
        ({"cpu": 256, "memory": 512}, {"cpu": "512", "memory": "1024"}, Demand(512, 1024)),
        ({}, {"containerOverrides": [{"name": "b", "cpu": 5, "memory": 7}]}, Demand(15, 47)),
        ({}, {"containerOverrides": [{"name": "a", "memoryReservation": 9}]}, Demand(30, 59)),
    ],
)
def test_demand_is_the_task_level_value_or_the_sum(
    fields: dict[str, object], overrides: dict[str, object], expected: Demand
) -> None:
    assert demand_of(definition(containers=TWO, **fields), overrides) == expected


@pytest.mark.parametrize(
    ("mode", "mapping", "tcp", "udp"),
    [
        ("bridge", PortMapping(80, 8080), (8080,), ()),
        ("bridge", PortMapping(80, 0), (), ()),
        ("bridge", PortMapping(53, 5353, "udp"), (), (5353,)),
        ("host", PortMapping(80, 0), (80,), ()),
        ("none", PortMapping(80, 80), (), ()),
    ],
)
def test_only_static_ports_of_bridge_and_host_tasks_count(
    mode: str, mapping: PortMapping, tcp: tuple[int, ...], udp: tuple[int, ...]
) -> None:
    demand = demand_of(definition(mapping, network_mode=mode), {})
    assert (demand.tcp_ports, demand.udp_ports) == (tcp, udp)


def test_explicit_tags_win_over_propagated_ones() -> None:
    merged = task_tags([Tag("a", "1"), Tag("b", "1")], [Tag("a", "2")], [Tag("aws:x", "3")])
    assert merged == (Tag("a", "2"), Tag("b", "1"), Tag("aws:x", "3"))
