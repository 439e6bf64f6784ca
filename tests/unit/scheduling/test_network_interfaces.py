"""Every awsvpc task has an address of its own, from its launch until it has stopped."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_records import SMALL, put_network
from scheduling_records import ARNS, CLUSTER_ARN, IDS, PLATFORM, definition, instance

from homeport.controllers.interfaces import InterfacesController
from homeport.domain.network_interface import NetworkConfiguration, NetworkInterface
from homeport.domain.task import Task
from homeport.domain.vpc import Subnet
from homeport.scheduling.addresses import allocate_private_address, free_addresses, is_usable
from homeport.scheduling.launch import launch_tasks
from homeport.scheduling.network_interfaces import mac_address
from homeport.scheduling.stop import orphan_task
from homeport.scheduling.template import TaskTemplate
from homeport.store import Store, Transaction
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import (
    CONTAINER_INSTANCES,
    NETWORK_INTERFACES,
    SECURITY_GROUPS,
    SUBNETS,
    TABLES,
    TASKS,
)

WEB = TaskTemplate(
    definition(network_mode="awsvpc", containers=()), CLUSTER_ARN, "family:web", network=SMALL
)


@pytest.fixture
def network(tx: Transaction) -> Transaction:
    put_network(tx)
    return tx


def platform(tx: Transaction) -> None:
    """Both hosts take FARGATE tasks."""
    for name in "ab":
        zone = f"us-east-1{name}"
        tx.put(CONTAINER_INSTANCES, instance(name, availability_zone=zone, **PLATFORM))


def launch(tx: Transaction, count: int = 1, **template: object) -> list[Task]:
    wanted = replace(WEB, **template)  # type: ignore[arg-type]
    result = launch_tasks(tx, wanted, count, now=1.0, ids=IDS, arns=ARNS, order=random.Random(7))
    return list(result.tasks)


def interface_of(tx: Transaction, task: Task) -> NetworkInterface:
    (found,) = tx.find(NETWORK_INTERFACES, "task", task.arn)
    return found


def end(tx: Transaction, task: Task) -> Task:
    """Its agent has reported it as stopped, and the controller has seen that."""
    tx.put(TASKS, msgspec.structs.replace(task, last_status="DEPROVISIONING"))
    InterfacesController().reconcile(task.arn, tx, 5.0)
    ended = tx.get(TASKS, task.arn)
    assert ended is not None
    return ended


def test_a_task_is_made_with_its_interface(network: Transaction) -> None:
    (task,) = launch(network)
    interface = interface_of(network, task)
    assert task.last_status == "PROVISIONING"
    assert task.interface is not None
    assert task.interface.status == "ATTACHING"
    assert task.interface.network_interface_id == interface.network_interface_id
    assert (
        task.interface.arn == interface.description == ARNS.ecs(f"attachment/{task.interface.id}")
    )
    assert interface.network_interface_id.startswith("eni-0")
    assert interface.private_ip_address == "10.1.1.4"
    assert interface.mac_address == "02:00:0a:01:01:04"
    assert interface.private_dns_name == "ip-10-1-1-4.ec2.internal"
    assert interface.security_groups == ("sg-default",)
    assert interface.instance_id in ("i-a", "i-b")
    assert interface.public_ip_address is None


def test_a_vpc_without_dns_hostnames_gives_no_names(tx: Transaction) -> None:
    put_network(tx, dns_hostnames=False)
    (task,) = launch(tx)
    assert task.interface is not None
    assert task.interface.private_dns_name == ""


def test_the_groups_that_were_asked_for_guard_it(network: Transaction) -> None:
    (task,) = launch(network, network=msgspec.structs.replace(SMALL, security_groups=("sg-web",)))
    assert interface_of(network, task).security_groups == ("sg-web",)


def test_a_public_address_is_one_of_the_documented_range(network: Transaction) -> None:
    wanted = msgspec.structs.replace(SMALL, assign_public_ip=True)
    platform(network)
    tasks = launch(network, 2, network=wanted, launch_type="FARGATE")
    public = [interface_of(network, task).public_ip_address for task in tasks]
    assert public == ["198.18.0.4", "198.18.0.5"]


def test_a_task_is_where_its_host_is_and_fargate_tasks_spread(network: Transaction) -> None:
    both = NetworkConfiguration(subnets=("subnet-a", "subnet-b"))
    for task in launch(network, 4, network=both):
        host = network.get(CONTAINER_INSTANCES, task.container_instance_arn or "")
        assert host is not None
        assert task.availability_zone == host.availability_zone
    platform(network)
    tasks = launch(network, 4, network=both, launch_type="FARGATE", group="other")
    assert [t.availability_zone[-1] for t in tasks] == ["a", "b", "a", "b"]


def test_a_full_subnet_ends_the_task_with_the_reason(network: Transaction) -> None:
    tasks = launch(network, 12)
    assert [t.last_status for t in tasks] == ["PROVISIONING"] * 11 + ["STOPPED"]
    failed = tasks[-1]
    assert failed.stop_code == "TaskFailedToStart"
    assert failed.stopped_reason == (
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-a': "
        "InsufficientFreeAddressesInSubnet"
    )
    assert failed.interface is None
    assert not failed.holds_resources()
    end(network, tasks[0])
    (again,) = launch(network)
    assert interface_of(network, again).private_ip_address == "10.1.1.4"


@pytest.mark.parametrize(
    ("table", "key", "code"),
    [
        (SUBNETS, "subnet-a", "InvalidSubnetID.NotFound"),
        (SECURITY_GROUPS, "sg-web", "InvalidSecurityGroupID.NotFound"),
    ],
)
def test_a_service_whose_network_is_gone_says_so(
    network: Transaction, table: object, key: str, code: str
) -> None:
    network.delete(table, key)  # type: ignore[type-var]
    wanted = NetworkConfiguration(("subnet-a",), ("sg-web",), assign_public_ip=True)
    (task,) = launch(network, network=wanted)
    assert task.stopped_reason == (
        "Unexpected EC2 error while attempting to Create Network Interface with public IP "
        f"assignment enabled in subnet 'subnet-a': {code}"
    )
    assert network.all(NETWORK_INTERFACES) == []


def test_the_interface_goes_when_the_task_has_stopped_and_only_then(network: Transaction) -> None:
    (task,) = launch(network)
    for status in ("PENDING", "RUNNING", "DEACTIVATING", "STOPPING"):
        network.put(TASKS, msgspec.structs.replace(task, last_status=status))
        InterfacesController().reconcile(task.arn, network, 5.0)
        assert interface_of(network, task)
    ended = end(network, task)
    assert (ended.last_status, ended.stopped_at) == ("STOPPED", 5.0)
    assert ended.interface is not None
    assert ended.interface.status == "DELETED"
    assert network.all(NETWORK_INTERFACES) == []


def test_a_task_whose_host_is_gone_gives_its_address_back(network: Transaction) -> None:
    (task,) = launch(network)
    ended = orphan_task(network, task, now=5.0, code="TerminationNotice", reason="gone")
    assert ended.interface is not None
    assert ended.interface.status == "DELETED"
    assert network.all(NETWORK_INTERFACES) == []


def test_what_a_crash_left_behind_is_found_again(network: Transaction) -> None:
    stopping, stopped, forgotten = launch(network, 3)
    network.put(TASKS, msgspec.structs.replace(stopping, last_status="DEPROVISIONING"))
    network.put(TASKS, msgspec.structs.replace(stopped, last_status="STOPPED"))
    network.delete(TASKS, forgotten.arn)
    controller = InterfacesController()
    keys = list(controller.all_keys(network))
    assert set(keys) == {stopping.arn, stopped.arn, forgotten.arn}
    for key in keys * 2:
        controller.reconcile(key, network, 5.0)
    assert network.all(NETWORK_INTERFACES) == []
    assert list(controller.all_keys(network)) == []


def test_a_free_address_is_given_again_as_late_as_possible(network: Transaction) -> None:
    first, second = launch(network, 2)
    end(network, first)
    end(network, second)
    addresses = [interface_of(network, t).private_ip_address for t in launch(network, 11)]
    assert addresses == [f"10.1.1.{n}" for n in (*range(6, 15), 4, 5)]


def test_a_host_keeps_its_own_address(network: Transaction) -> None:
    network.put(CONTAINER_INSTANCES, instance("c", private_ip="10.1.1.4"))
    (task,) = launch(network)
    assert interface_of(network, task).private_ip_address == "10.1.1.5"


def test_macs_are_local_and_follow_the_address() -> None:
    assert mac_address("172.31.16.4") == "02:00:ac:1f:10:04"


steps = st.lists(
    st.tuples(st.sampled_from(["launch", "end", "orphan"]), st.integers(0, 30)), max_size=60
)


@given(steps)
def test_no_address_is_ever_held_twice(actions: list[tuple[str, int]]) -> None:
    """Whatever is launched and ended in whatever order, in VPCs whose ranges overlap too."""
    store = Store(TABLES, MemoryJournal())
    with store.transaction() as tx:
        put_network(tx)
        for number, subnet in enumerate(tx.all(SUBNETS)):
            other = msgspec.structs.replace(
                subnet, subnet_id=f"subnet-other{number}", vpc_id="vpc-2"
            )
            tx.put(SUBNETS, other)
        tx.put(CONTAINER_INSTANCES, instance("a", cpu=10**6, memory=10**6))
        subnets = [s.subnet_id for s in tx.all(SUBNETS)]
        for action, number in actions:
            living = [t for t in tx.all(TASKS) if t.holds_resources()]
            if action == "launch":
                wanted = NetworkConfiguration((subnets[number % len(subnets)],))
                launch(tx, number % 5, network=wanted)
            elif living:
                task = living[number % len(living)]
                if action == "end":
                    end(tx, task)
                else:
                    orphan_task(tx, task, now=1.0, code="X", reason="x")
            check_addresses(tx)


def check_addresses(tx: Transaction) -> None:
    interfaces = tx.all(NETWORK_INTERFACES)
    assert len({i.private_ip_address for i in interfaces}) == len(interfaces)
    assert len({i.mac_address for i in interfaces}) == len(interfaces)
    living = {t.arn for t in tx.all(TASKS) if t.holds_resources()}
    assert {i.task_arn for i in interfaces} == living
    for interface in interfaces:
        subnet = tx.get(SUBNETS, interface.subnet_id)
        assert subnet is not None
        assert is_usable(subnet, interface.private_ip_address)
        block = ipaddress.ip_network(subnet.cidr_block)
        assert ipaddress.ip_address(interface.private_ip_address) in block


def test_reserved_addresses_are_never_given(network: Transaction) -> None:
    subnet = network.get(SUBNETS, "subnet-a")
    assert subnet is not None
    assert free_addresses(network, subnet) == 11
    unusable = [f"10.1.1.{n}" for n in range(16) if not is_usable(subnet, f"10.1.1.{n}")]
    assert unusable == ["10.1.1.0", "10.1.1.1", "10.1.1.2", "10.1.1.3", "10.1.1.15"]
    assert not is_usable(subnet, "nonsense")
    assert not is_usable(subnet, "10.1.2.4")
    assert allocate_private_address(network, subnet) == "10.1.1.4"


def test_the_first_address_is_anywhere_in_the_subnet(network: Transaction) -> None:
    """Two Homeports on one machine have the same default VPC and the same routes."""
    first = set()
    for number in range(8):
        subnet = Subnet(f"subnet-{number}", "vpc-1", "172.31.0.0/20", "us-east-1a", "use1-az1")
        first.add(allocate_private_address(network, subnet))
    assert len(first) == 8
