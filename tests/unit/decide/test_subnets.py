"""A task's interface: in the host's zone if it can be, spread over the rest."""

from __future__ import annotations

from homeport.decide.subnets import SubnetOption, choose_subnet


def option(name: str, zone: str, tasks: int = 0, *, full: bool = False) -> SubnetOption:
    return SubnetOption(name, zone, not full, tasks)


def chosen(zone: str | None, *options: SubnetOption) -> str | None:
    found = choose_subnet(options, zone)
    return found.subnet_id if found else None


def test_the_zone_of_the_host_comes_first() -> None:
    assert chosen("b", option("1", "a"), option("2", "b", 9), option("3", "c")) == "2"


def test_a_host_takes_any_subnet_when_none_is_in_its_zone_or_that_one_is_full() -> None:
    assert chosen("z", option("1", "a", 1), option("2", "b")) == "2"
    assert chosen("b", option("1", "a"), option("2", "b", full=True)) == "1"


def test_without_a_zone_the_tasks_spread_over_zones_before_subnets() -> None:
    options = option("1", "a", 1), option("2", "a", 0), option("3", "b", 1)
    assert chosen(None, *options) == "2"
    options = option("1", "a", 1), option("2", "a", 1), option("3", "b", 1)
    assert chosen(None, *options) == "3"


def test_as_listed_when_all_are_equal_and_none_when_all_are_full() -> None:
    assert chosen(None, option("2", "a"), option("1", "b")) == "2"
    assert chosen(None, option("1", "a", full=True)) is None
    assert chosen(None) is None
