"""A store in memory with one cluster, two hosts and one task definition."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scheduling_records import CLUSTER_ARN, definition, instance

from homeport.domain.cluster import Cluster
from homeport.store import Store, Transaction
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import CLUSTERS, CONTAINER_INSTANCES, TABLES, TASK_DEFINITIONS


@pytest.fixture
def tx() -> Iterator[Transaction]:
    """An open transaction over a cluster with the hosts ``a`` and ``b``."""
    store = Store(TABLES, MemoryJournal())
    with store.transaction() as transaction:
        transaction.put(CLUSTERS, Cluster(arn=CLUSTER_ARN, name="default", created_at=0.0))
        transaction.put(CONTAINER_INSTANCES, instance("a"))
        transaction.put(CONTAINER_INSTANCES, instance("b", availability_zone="us-east-1b"))
        transaction.put(TASK_DEFINITIONS, definition())
        yield transaction
