"""Of the hosts it did not launch, EC2 here says what their agents told and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ACCOUNT, Api, refusal

from homeport.domain.container_instance import ContainerInstance
from homeport.store.schema import CONTAINER_INSTANCES

ONE, TWO = "i-00000000000000001", "i-00000000000000002"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ec2(api: Api) -> Any:
    return api.client("ec2")


def register(api: Api, instance_id: str, cluster: str = "default", **fields: Any) -> None:
    values: dict[str, Any] = {
        "arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/{cluster}/{instance_id}",
        "cluster_arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/{cluster}",
        "ec2_instance_id": instance_id,
        "private_ip": "10.0.0.1",
        "availability_zone": "us-east-1a",
        "registered_at": 0.0,
        "cpu": 1024,
        "memory": 1024,
        "agent_connected": True,
        "agent_attributes": (("ecs.cpu-architecture", "x86_64"),),
    }
    with api.store.transaction() as tx:
        tx.put(CONTAINER_INSTANCES, ContainerInstance(**(values | fields)))


def ids(ec2: Any, **request: Any) -> list[str]:
    answer = ec2.describe_instances(**request)
    return [i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]]


def test_a_host_is_described_by_what_its_agent_told(api: Api, ec2: Any) -> None:
    assert ec2.describe_instances()["Reservations"] == []
    register(api, ONE)
    (reservation,) = ec2.describe_instances()["Reservations"]
    (instance,) = reservation["Instances"]
    assert instance == {
        "InstanceId": ONE,
        "State": {"Code": 16, "Name": "running"},
        "PrivateIpAddress": "10.0.0.1",
        "Placement": {"AvailabilityZone": "us-east-1a"},
        "Architecture": "x86_64",
    }


def test_of_a_host_that_nobody_hears_from_no_state_is_told(api: Api, ec2: Any) -> None:
    register(api, ONE, agent_connected=False)
    (reservation,) = ec2.describe_instances()["Reservations"]
    assert "State" not in reservation["Instances"][0]
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert ids(ec2, Filters=running) == []


def test_a_host_with_two_agents_is_one_instance(api: Api, ec2: Any) -> None:
    register(api, ONE, agent_connected=False, registered_at=2.0)
    register(api, ONE, cluster="other", registered_at=1.0)
    assert ids(ec2) == [ONE]
    assert ids(ec2, Filters=[{"Name": "instance-state-code", "Values": ["16"]}]) == [ONE]


def test_a_host_that_left_is_not_there(api: Api, ec2: Any) -> None:
    register(api, ONE, status="INACTIVE")
    register(api, "")
    assert ids(ec2) == []


def test_hosts_are_found_by_id_and_filters(api: Api, ec2: Any) -> None:
    register(api, ONE)
    register(api, TWO, private_ip="10.0.0.2", availability_zone="us-east-1b")
    assert ids(ec2, InstanceIds=[TWO, TWO]) == [TWO]
    assert ids(ec2, Filters=[{"Name": "private-ip-address", "Values": ["10.0.0.?"]}]) == [ONE, TWO]
    assert ids(ec2, Filters=[{"Name": "availability-zone", "Values": ["*b"]}]) == [TWO]
    assert ids(ec2, Filters=[{"Name": "key-name", "Values": ["*"]}]) == []
    assert refusal(ec2.describe_instances, InstanceIds=["i-8", ONE, "i-9"]) == (
        "InvalidInstanceID.NotFound",
        "The instance IDs 'i-8, i-9' do not exist",
    )
    assert refusal(ec2.describe_instances, InstanceIds=["i-9"]) == (
        "InvalidInstanceID.NotFound",
        "The instance ID 'i-9' does not exist",
    )
    assert refusal(ec2.describe_instances, InstanceIds=["host"])[0] == "InvalidInstanceID.Malformed"
    assert refusal(ec2.describe_instances, InstanceIds=[ONE], MaxResults=5)[0] == (
        "InvalidParameterCombination"
    )


def test_hosts_are_paged(api: Api, ec2: Any) -> None:
    for number in range(7):
        register(api, f"i-{number:017x}")
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["Reservations"]) for page in pages] == [5, 2]


def test_an_instance_is_not_tagged(api: Api, ec2: Any) -> None:
    register(api, ONE)
    code, message = refusal(ec2.create_tags, Resources=[ONE], Tags=[{"Key": "a"}])
    assert (code, "does not tag instances" in message) == ("InvalidParameterValue", True)
