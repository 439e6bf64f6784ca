"""Tasks go to the hosts of their capacity provider, as many as the strategy says."""

from __future__ import annotations

import uuid
from collections import Counter
from pathlib import Path

import pytest

from control_plane import ControlPlane, eventually
from second_host import second_host
from tasks import container, register

pytestmark = pytest.mark.docker

GROUP = {"autoScalingGroupArn": "hosts"}


def test_a_strategy_divides_the_tasks_of_a_service(
    shared_control_plane: ControlPlane, tmp_path: Path
) -> None:
    plane, ecs = shared_control_plane, shared_control_plane.client("ecs")
    (first,) = ecs.list_container_instances(cluster=plane.cluster)["containerInstanceArns"]
    with second_host(plane, tmp_path) as second:
        names = {arn: f"p-{uuid.uuid4().hex[:8]}" for arn in (first, second)}
        for arn, name in names.items():
            ecs.create_capacity_provider(name=name, autoScalingGroupProvider=GROUP)
            membership = {"name": "homeport.capacity-provider", "value": name, "targetId": arn}
            ecs.put_attributes(
                cluster=plane.cluster,
                attributes=[{**membership, "targetType": "container-instance"}],
            )
        ecs.put_cluster_capacity_providers(
            cluster=plane.cluster,
            capacityProviders=list(names.values()),
            defaultCapacityProviderStrategy=[],
        )
        ecs.create_service(
            cluster=plane.cluster,
            serviceName="divided",
            taskDefinition=register(plane, container()),
            desiredCount=4,
            capacityProviderStrategy=[
                {"capacityProvider": names[first], "base": 1, "weight": 1},
                {"capacityProvider": names[second], "weight": 2},
            ],
        )

        def where(count: int) -> Counter[tuple[str, str]] | None:
            arns = ecs.list_tasks(cluster=plane.cluster, serviceName="divided")["taskArns"]
            tasks = ecs.describe_tasks(cluster=plane.cluster, tasks=arns)["tasks"] if arns else []
            running = [t for t in tasks if t["lastStatus"] == "RUNNING"]
            if len(running) != count or len(tasks) != count:
                return None
            return Counter((t["containerInstanceArn"], t["capacityProviderName"]) for t in running)

        assert eventually("four tasks run", lambda: where(4), 40) == {
            (first, names[first]): 2,
            (second, names[second]): 2,
        }
        ecs.update_service(cluster=plane.cluster, service="divided", desiredCount=1)
        assert eventually("one is left", lambda: where(1), 40) == {(first, names[first]): 1}
        ecs.delete_service(cluster=plane.cluster, service="divided", force=True)

        def is_gone() -> bool:
            answer = ecs.describe_services(cluster=plane.cluster, services=["divided"])
            return bool(answer["services"][0]["status"] == "INACTIVE")

        eventually("it is INACTIVE", is_gone, 40)
