"""``homeport why`` about tasks and services with addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import msgspec
import pytest
from api_client import Api

from homeport.controllers.runner import Runner
from homeport.controllers.services import ServiceController
from homeport.domain.arn import Arns, Ids
from homeport.store.schema import CONTAINER_INSTANCES
from homeport.why import why

CONTAINER = {"name": "web", "image": "web", "memory": 16}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """With a cluster, a connected host that can attach interfaces, and a definition."""
    api = Api()
    ecs = api.client("ecs")

    class Session:
        def create_client(self, service: str) -> Any:
            return api.client(service)

    monkeypatch.setattr(botocore.session, "Session", Session)
    ecs.create_cluster()
    capabilities = (
        "ecs.capability.task-eni",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
    )
    ecs.register_container_instance(
        attributes=[{"name": name} for name in capabilities],
        totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 1024},
        ],
    )
    with api.store.transaction() as tx:
        (instance,) = tx.all(CONTAINER_INSTANCES)
        tx.put(CONTAINER_INSTANCES, msgspec.structs.replace(instance, agent_connected=True))
    ecs.register_task_definition(
        family="web", networkMode="awsvpc", containerDefinitions=[CONTAINER]
    )
    yield api
    api.close()


def small_network(api: Api) -> dict[str, Any]:
    """A subnet with eleven addresses."""
    ec2 = api.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/28")["Subnet"]["SubnetId"]
    return {"awsvpcConfiguration": {"subnets": [subnet]}}


def test_a_task_that_waits_for_its_interface(api: Api) -> None:
    task = api.client("ecs").run_task(
        taskDefinition="web", networkConfiguration=small_network(api)
    )["tasks"][0]
    lines = list(why("default", task["taskArn"]))
    assert lines[0].endswith("PROVISIONING")
    assert "to attach its network interface" in lines[-1]


def test_a_service_whose_subnet_is_full(api: Api) -> None:
    api.client("ecs").create_service(
        serviceName="web",
        taskDefinition="web",
        desiredCount=12,
        networkConfiguration=small_network(api),
    )
    arns = Arns("123456789012", "us-east-1")
    runner = Runner(api.store, [ServiceController(Ids(), arns, 40.0)])
    runner.enqueue_everything()
    runner.work(10)
    lines = list(why("default", "web"))
    at = next(n for n, line in enumerate(lines) if "did not start" in line)
    assert "InsufficientFreeAddressesInSubnet" in lines[at + 1]


def test_a_service_whose_capacity_provider_has_no_host(api: Api) -> None:
    ecs = api.client("ecs")
    group = {"autoScalingGroupArn": "rack"}
    ecs.create_capacity_provider(name="rack", autoScalingGroupProvider=group)
    ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=["rack"], defaultCapacityProviderStrategy=[]
    )
    ecs.register_task_definition(family="bridge", containerDefinitions=[CONTAINER])
    ecs.create_service(
        serviceName="racked",
        taskDefinition="bridge",
        desiredCount=1,
        capacityProviderStrategy=[{"capacityProvider": "rack", "weight": 1}],
    )
    lines = list(why("default", "racked"))
    assert "    it belongs to none of the capacity providers rack" in lines
    assert "    it could take a task now" not in lines
