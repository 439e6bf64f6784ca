"""Dynamic host ports, one by one and in rows, and how they are reported."""

from __future__ import annotations

import pytest

from homeport.agent.container_spec import create_body
from homeport.agent.ports import FIRST, LAST, NoFreePort, PortAllocator
from homeport.agent.reports import network_bindings
from homeport.agent.surroundings import Surroundings
from homeport.agent.task_state import Binding
from homeport.domain.agent_payload import PayloadContainer, PayloadPort, PayloadTask
from homeport.domain.port_range import parse_port_range

RANGE = PayloadPort(container_port_range="5000-5003")


def everything(port: int, protocol: str) -> bool:
    return True


def hosts(bindings: tuple[Binding, ...]) -> list[int]:
    return [b.host_port for b in bindings]


def test_a_range_gets_as_many_host_ports_in_a_row() -> None:
    allocator = PortAllocator(everything, start=40000)
    bindings = allocator.take([RANGE])
    assert [b.container_port for b in bindings] == [5000, 5001, 5002, 5003]
    assert hosts(bindings) == [40000, 40001, 40002, 40003]
    assert hosts(allocator.take([RANGE])) == [40004, 40005, 40006, 40007]


def test_a_row_goes_around_what_is_taken() -> None:
    allocator = PortAllocator(lambda port, _: port != 40002, start=40000)
    assert hosts(allocator.take([RANGE])) == [40003, 40004, 40005, 40006]


def test_a_row_does_not_wrap_at_the_end() -> None:
    allocator = PortAllocator(everything, start=LAST - 1)
    assert hosts(allocator.take([RANGE])) == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]


def test_without_a_row_nothing_is_held() -> None:
    allocator = PortAllocator(lambda port, _: port % 2 == 0, start=FIRST)
    with pytest.raises(NoFreePort, match="no 4 free tcp host ports in a row"):
        allocator.take([PayloadPort(80, 0), RANGE])
    assert hosts(allocator.take([PayloadPort(80, 0)])) != []


def test_released_ports_are_free_again() -> None:
    allocator = PortAllocator(lambda port, _: 40000 <= port < 40004, start=40000)
    bindings = allocator.take([RANGE])
    with pytest.raises(NoFreePort):
        allocator.take([RANGE])
    allocator.release(bindings)
    assert hosts(allocator.take([RANGE])) == [40000, 40001, 40002, 40003]


def test_the_engine_is_asked_for_every_port_of_a_range() -> None:
    task = PayloadTask("arn", "RUNNING", family="f", version="1", network_mode="bridge")
    box = PayloadContainer(name="c", image="i", port_mappings=[RANGE])
    bindings = PortAllocator(everything, start=40000).take([RANGE])
    body = create_body(task, box, bindings, "default", Surroundings({}, {}))
    assert sorted(body["ExposedPorts"]) == ["5000/tcp", "5001/tcp", "5002/tcp", "5003/tcp"]
    assert body["HostConfig"]["PortBindings"]["5003/tcp"] == [
        {"HostIp": "0.0.0.0", "HostPort": "40003"}
    ]


def test_a_range_is_reported_as_one() -> None:
    mappings = [PayloadPort(80, 0), RANGE, PayloadPort(protocol="udp", container_port_range="1-2")]
    bindings = [
        Binding(5001, 40001),
        Binding(80, 39000),
        Binding(5000, 40000),
        Binding(1, 50000, "udp"),
        Binding(2, 50001, "udp"),
        Binding(5002, 40002),
        Binding(5003, 40003),
    ]
    one = {"bindIP": "0.0.0.0", "protocol": "tcp"}
    assert network_bindings(bindings, mappings) == [
        {**one, "containerPort": 80, "hostPort": 39000},
        {**one, "containerPortRange": "5000-5003", "hostPortRange": "40000-40003"},
        {
            "bindIP": "0.0.0.0",
            "protocol": "udp",
            "containerPortRange": "1-2",
            "hostPortRange": "50000-50001",
        },
    ]


@pytest.mark.parametrize("text", ["", "80", "80-", "a-b", "90-80", "80-80", "0-5", "1-65536"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_port_range(text)


def test_a_range_has_its_last_port() -> None:
    assert parse_port_range("1-65535") == range(1, 65536)
