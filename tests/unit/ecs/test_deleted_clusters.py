"""A deleted cluster can be described for a while, and its name used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ACCOUNT, Api

from homeport.store.schema import CLUSTERS

ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/shop"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def ecs(api: Api) -> Any:
    client = api.client("ecs")
    client.create_cluster(clusterName="shop")
    return client


def inactive_since(api: Api) -> float | None:
    with api.store.transaction() as tx:
        cluster = tx.get(CLUSTERS, ARN)
    assert cluster is not None
    return cluster.inactive_since


def test_a_deleted_cluster_is_inactive_and_not_listed(api: Api, ecs: Any) -> None:
    assert inactive_since(api) is None
    assert ecs.delete_cluster(cluster="shop")["cluster"]["status"] == "INACTIVE"
    assert ecs.list_clusters()["clusterArns"] == []
    (described,) = ecs.describe_clusters(clusters=["shop"])["clusters"]
    assert (described["clusterArn"], described["status"]) == (ARN, "INACTIVE")


def test_deleting_it_again_does_not_keep_it_longer(api: Api, ecs: Any) -> None:
    ecs.delete_cluster(cluster="shop")
    first = inactive_since(api)
    assert ecs.delete_cluster(cluster="shop")["cluster"]["status"] == "INACTIVE"
    assert first is not None
    assert inactive_since(api) == first


def test_its_name_can_be_used_again(api: Api, ecs: Any) -> None:
    ecs.delete_cluster(cluster="shop")
    assert ecs.create_cluster(clusterName="shop")["cluster"]["status"] == "ACTIVE"
    assert inactive_since(api) is None
