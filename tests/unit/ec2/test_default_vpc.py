"""The default VPC as it is made, once, and completed where an older Homeport made it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_client import PLATFORM, Api

from homeport.decide.reach import Exit, exit_of
from homeport.domain.arn import Ids
from homeport.domain.vpc import Subnet, Vpc
from homeport.scheduling.networks import network_of
from homeport.services.ec2.default_vpc import complete_vpcs, seed_default_vpc
from homeport.store.schema import INTERNET_GATEWAYS, ROUTE_TABLES, SUBNETS, VPCS


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


def test_the_default_subnets_are_public(api: Api) -> None:
    with api.store.transaction() as tx:
        (vpc,) = tx.all(VPCS)
        network = network_of(tx, vpc.vpc_id)
        assert network is not None
        assert {exit_of(network, subnet) for subnet in network.subnets} == {Exit.PUBLIC}
        assert (vpc.dns_support, vpc.dns_hostnames) == (True, True)
        assert network_of(tx, "vpc-0") is None


def test_a_vpc_from_before_there_were_route_tables_is_completed_once(api: Api) -> None:
    with api.store.transaction() as tx:
        for table in (VPCS, SUBNETS, INTERNET_GATEWAYS, ROUTE_TABLES):
            for record in tx.all(table):
                tx.delete(table, table.key(record))
        tx.put(VPCS, Vpc("vpc-1", "172.31.0.0/16", is_default=True))
        tx.put(SUBNETS, Subnet("subnet-1", "vpc-1", "172.31.0.0/20", "us-east-1a", "use1-az1"))
        complete_vpcs(tx, Ids())
        network = network_of(tx, "vpc-1")
        assert network is not None
        assert network.vpc.dns_hostnames
        assert exit_of(network, "subnet-1") is Exit.PUBLIC
        for gateway in network.internet_gateways:
            tx.delete(INTERNET_GATEWAYS, gateway)
        complete_vpcs(tx, Ids())
        assert tx.all(INTERNET_GATEWAYS) == []


def test_the_default_vpc_is_made_once(api: Api) -> None:
    revision = api.store.revision
    with api.store.transaction() as tx:
        seed_default_vpc(tx, PLATFORM, Ids())
        complete_vpcs(tx, Ids())
    assert api.store.revision == revision
