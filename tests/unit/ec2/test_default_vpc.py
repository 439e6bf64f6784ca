"""The default VPC as it is made, once, and completed where an older Homeport made it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_client import PLATFORM, Api

from homeport.bootstrap import first_start
from homeport.decide.reach import Exit, exit_of
from homeport.domain.arn import Arns, Ids
from homeport.domain.vpc import Subnet, Vpc
from homeport.scheduling.networks import network_of
from homeport.services.ec2.default_vpc import complete_vpcs, seed_default_vpc
from homeport.settings import Settings
from homeport.store.schema import ACCESS_KEYS, INTERNET_GATEWAYS, ROUTE_TABLES, SUBNETS, VPCS


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


def test_a_default_vpc_that_was_deleted_stays_deleted_at_the_next_start(api: Api) -> None:
    ec2 = api.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
    arns = Arns(PLATFORM.account_id, PLATFORM.region)
    first_start(api.store, Settings(), PLATFORM, Ids(), arns)
    assert ec2.describe_vpcs()["Vpcs"] == []
    with api.store.transaction() as tx:
        for key in tx.all(ACCESS_KEYS):
            tx.delete(ACCESS_KEYS, key.access_key_id)
    first_start(api.store, Settings(), PLATFORM, Ids(), arns)  # as on an empty data directory
    with api.store.transaction() as tx:
        assert [vpc.is_default for vpc in tx.all(VPCS)] == [True]
