"""Records for the scheduling tests: a host, a task definition, names."""

from __future__ import annotations

from homeport.domain.arn import Arns, Ids
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.task_definition import ContainerDefinition, PortMapping, TaskDefinition

ARNS = Arns("123456789012", "us-east-1")
IDS = Ids()
CLUSTER_ARN = ARNS.ecs("cluster/default")


def instance(name: str, **fields: object) -> ContainerInstance:
    """A host with two cores and 2 GiB whose agent is connected."""
    values: dict[str, object] = {
        "arn": ARNS.ecs(f"container-instance/default/{name}"),
        "cluster_arn": CLUSTER_ARN,
        "ec2_instance_id": f"i-{name}",
        "private_ip": "10.0.0.1",
        "availability_zone": "us-east-1a",
        "registered_at": 0.0,
        "cpu": 2048,
        "memory": 2048,
        "reserved_tcp_ports": (22,),
        "agent_connected": True,
    }
    return ContainerInstance(**(values | fields))  # type: ignore[arg-type]


PLATFORM = {
    "agent_attributes": (
        ("homeport.platform-capacity", "shared"),
        ("ecs.capability.task-cpu-mem-limit", None),
        ("ecs.cpu-architecture", "x86_64"),
    )
}
"""What makes a host take FARGATE tasks."""


def definition(*ports: PortMapping, **fields: object) -> TaskDefinition:
    """``web:1``: one container of 128 cpu units and 64 MiB."""
    containers = (
        ContainerDefinition(name="web", image="web:1", cpu=128, memory=64, port_mappings=ports),
    )
    values: dict[str, object] = {
        "arn": ARNS.ecs("task-definition/web:1"),
        "family": "web",
        "revision": 1,
        "document": {"containerDefinitions": [{"name": "web", "image": "web:1"}]},
        "containers": containers,
        "network_mode": "bridge",
        "registered_at": 0.0,
        "registered_by": ARNS.root(),
    }
    return TaskDefinition(**(values | fields))  # type: ignore[arg-type]
