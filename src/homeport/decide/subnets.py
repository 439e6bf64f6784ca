"""In which of the given subnets a task gets its network interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubnetOption:
    """A subnet that was asked for; ``tasks``: interfaces there of the tasks to spread among."""

    subnet_id: str
    availability_zone: str
    has_room: bool
    tasks: int = 0


def choose_subnet(options: Sequence[SubnetOption], zone: str | None) -> SubnetOption | None:
    """The subnet with room that comes first: in ``zone`` (of the host, if one is given), then in
    the zone with the fewest of the tasks, then with the fewest itself, then as listed.

    ``zone`` is a preference: a host's addresses may be of any subnet. None when all are full.
    """
    in_zone: Counter[str] = Counter()
    for option in options:
        in_zone[option.availability_zone] += option.tasks
    with_room = [option for option in options if option.has_room]
    return min(
        with_room,
        key=lambda o: (
            zone is not None and o.availability_zone != zone,
            in_zone[o.availability_zone],
            o.tasks,
        ),
        default=None,
    )
