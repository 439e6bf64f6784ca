"""Rolling updates obey minimumHealthyPercent and maximumPercent exactly, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.decide.rolling import (
    Decision,
    ServiceView,
    TaskView,
    cap_total,
    decide,
    floor_healthy,
    is_healthy,
)


@dataclass
class Simulation:
    """A service whose tasks run and become healthy when the test says so."""

    desired: int
    minimum: int
    maximum: int
    tasks: dict[str, TaskView] = field(default_factory=dict)
    deployments: tuple[str, ...] = ("old",)
    launched: int = 0
    now: float = 1000.0

    def __post_init__(self) -> None:
        for number in range(self.desired):
            self.tasks[f"old{number}"] = TaskView(
                f"old{number}", "old", running=True, started_at=0.0, target_healthy=True
            )

    def view(self) -> ServiceView:
        return ServiceView(
            desired_count=self.desired,
            minimum_healthy_percent=self.minimum,
            maximum_percent=self.maximum,
            deployment_ids=self.deployments,
            tasks=tuple(self.tasks.values()),
        )

    def update(self) -> None:
        self.deployments = ("new", *self.deployments)

    def step(self) -> Decision:
        """Decide once and do it; returns the decision after checking the promises."""
        view = self.view()
        decision = decide(view, self.now)
        healthy_before = self.healthy()
        for stop in decision.stops:
            del self.tasks[stop.task_arn]
        for _ in range(decision.launch):
            arn = f"{self.deployments[0]}-{self.launched}"
            self.launched += 1
            self.tasks[arn] = TaskView(
                arn, self.deployments[0], running=False, target_healthy=False
            )
        if decision.stops:
            assert self.healthy() >= min(healthy_before, floor_healthy(view))
        if decision.launch:
            assert len(self.tasks) + len(decision.stops) <= cap_total(view)
        return decision

    def settle(self) -> list[tuple[int, int]]:
        """Step until nothing is done; returns (started, stopped) of each step."""
        steps = []
        while (decision := self.step()) and (decision.launch or decision.stops):
            steps.append((decision.launch, len(decision.stops)))
            assert len(steps) < 100, "it does not settle"
        return steps

    def make_healthy(self, count: int | None = None) -> None:
        """The oldest unready tasks become healthy."""
        for arn in [a for a, t in self.tasks.items() if not t.target_healthy][:count]:
            task = self.tasks[arn]
            self.tasks[arn] = TaskView(
                arn, task.deployment_id, running=True, started_at=self.now, target_healthy=True
            )

    def healthy(self) -> int:
        return sum(is_healthy(t, self.view(), self.now) for t in self.tasks.values())

    def of(self, deployment: str) -> int:
        return sum(t.deployment_id == deployment for t in self.tasks.values())


# Each row: (minimum, maximum) → the (started, stopped) steps, one list between two rounds of
# "every pending task becomes healthy". Stops and starts of one pass happen at once.
ROWS = {
    (50, 100): [[(0, 1), (1, 0)], [(0, 1), (1, 0)], []],
    (50, 150): [[(1, 1), (1, 0)], [(0, 1)], []],
    (100, 150): [[(1, 0)], [(0, 1), (1, 0)], [(0, 1)]],
    (100, 200): [[(2, 0)], [(0, 2)], []],
}


@pytest.mark.parametrize(("window", "rounds"), ROWS.items())
def test_desired_two_rolls_as_the_table_says(
    window: tuple[int, int], rounds: list[list[tuple[int, int]]]
) -> None:
    simulation = Simulation(2, *window)
    simulation.update()
    for expected in rounds:
        assert simulation.settle() == expected
        simulation.make_healthy()
    assert (simulation.of("old"), simulation.of("new")) == (0, 2)
    assert decide(simulation.view(), simulation.now).completed


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum"), [(1, 100, 150), (2, 75, 100), (3, 100, 125)]
)
def test_a_window_without_room_is_stuck_and_touches_nothing(
    desired: int, minimum: int, maximum: int
) -> None:
    simulation = Simulation(desired, minimum, maximum)
    simulation.update()
    assert simulation.step() == Decision(stuck=True)
    assert simulation.of("old") == desired


def test_one_task_with_no_minimum_goes_before_its_successor_comes() -> None:
    simulation = Simulation(1, 0, 100)
    simulation.update()
    assert simulation.settle() == [(0, 1), (1, 0)]


def test_new_tasks_that_become_healthy_one_by_one_release_old_ones_one_by_one() -> None:
    simulation = Simulation(2, 100, 200)
    simulation.update()
    simulation.settle()
    simulation.make_healthy(1)
    assert simulation.settle() == [(0, 1)]
    simulation.make_healthy(1)
    assert simulation.settle() == [(0, 1)]


def test_scaling_out_starts_and_scaling_in_stops_what_is_not_healthy_first() -> None:
    simulation = Simulation(2, 100, 200)
    simulation.desired = 3
    assert simulation.settle() == [(1, 0)]
    simulation.desired = 2
    assert simulation.settle() == [(0, 1)]
    assert simulation.healthy() == 2


def test_scaling_in_takes_the_starting_then_the_unhealthy_then_the_callers_order() -> None:
    tasks = (
        TaskView("first", "old", running=True, target_healthy=True),
        TaskView("kept", "old", running=True, target_healthy=True, protected=True),
        TaskView("second", "old", running=True, target_healthy=True),
        TaskView("sick", "old", running=True, target_healthy=False),
        TaskView("starting", "old", running=False),
    )
    gone = [
        [stop.task_arn for stop in decide(ServiceView(n, 100, 200, ("old",), tasks), 0.0).stops]
        for n in (4, 3, 2, 1, 0)
    ]
    assert gone == [
        ["starting"],
        ["starting", "sick"],
        ["starting", "sick", "first"],
        ["starting", "sick", "first", "second"],
        ["starting", "sick", "first", "second"],
    ]


def test_desired_zero_stops_everything() -> None:
    simulation = Simulation(3, 100, 200)
    simulation.desired = 0
    assert simulation.settle() == [(0, 3)]


def test_a_dead_task_is_replaced_at_once() -> None:
    simulation = Simulation(2, 100, 100)
    del simulation.tasks["old0"]
    assert simulation.settle() == [(1, 0)]


def test_an_unhealthy_task_is_replaced_before_it_is_stopped() -> None:
    simulation = Simulation(2, 100, 200)
    sick = TaskView("old0", "old", True, 0.0, target_healthy=False, target_unhealthy_in="tg")
    simulation.tasks["old0"] = sick
    decision = simulation.step()
    assert (decision.launch, decision.replaces_unhealthy, decision.stops) == (1, 1, ())
    assert simulation.step().stops == ()
    simulation.tasks["old-0"] = TaskView("old-0", "old", True, 0.0, target_healthy=True)
    decision = simulation.step()
    assert [(s.task_arn, s.cause) for s in decision.stops] == [("old0", "load_balancer_health")]


def test_an_unhealthy_task_is_stopped_first_where_the_cap_leaves_no_room() -> None:
    simulation = Simulation(2, 50, 100)
    sick = TaskView("old0", "old", True, 0.0, target_healthy=False, target_unhealthy_in="tg")
    simulation.tasks["old0"] = sick
    assert simulation.settle() == [(0, 1), (1, 0)]


def test_health_checks_stop_nothing_during_the_grace_period() -> None:
    sick = TaskView("a", "old", True, 990.0, target_healthy=False, target_unhealthy_in="tg")
    view = ServiceView(1, 100, 200, ("old",), (sick,), grace_period_seconds=60)
    decision = decide(view, 1000.0)
    assert (decision.launch, decision.stops) == (0, ())
    assert decision.look_again_at == 1050.0


def test_a_deployment_that_is_held_back_launches_when_its_time_has_come() -> None:
    view = ServiceView(1, 100, 200, ("old",), (), next_launch_at=1010.0)
    assert decide(view, 1000.0) == Decision(look_again_at=1010.0)
    assert decide(view, 1010.0).launch == 1


def test_a_task_without_any_check_counts_after_its_minimum_running_time() -> None:
    task = TaskView("a", "new", True, 990.0)
    view = ServiceView(1, 100, 200, ("new",), (task,), minimum_running_seconds=40)
    assert not decide(view, 1000.0).completed
    assert decide(view, 1000.0).look_again_at == 1030.0
    assert decide(view, 1030.0).completed


@settings(max_examples=300, deadline=None)
@given(
    desired=st.integers(0, 8),
    minimum=st.integers(0, 100),
    maximum=st.integers(100, 300),
    events=st.lists(st.sampled_from(["healthy", "die", "update", "step", "scale"]), max_size=30),
    data=st.data(),
)
def test_no_sequence_of_events_breaks_the_window_and_calm_completes_it(
    desired: int, minimum: int, maximum: int, events: list[str], data: st.DataObject
) -> None:
    simulation = Simulation(desired, minimum, maximum)
    for event in events:
        match event:
            case "healthy":
                simulation.make_healthy(1)
            case "die" if simulation.tasks:
                del simulation.tasks[data.draw(st.sampled_from(sorted(simulation.tasks)))]
            case "update":
                simulation.deployments = (f"d{simulation.launched}", *simulation.deployments)
            case "scale":
                simulation.desired = data.draw(st.integers(0, 8))
        simulation.step()  # asserts floor and cap
    for _ in range(60):
        simulation.settle()
        simulation.make_healthy()
    last = decide(simulation.view(), simulation.now)
    assert last.completed or last.stuck
    if last.stuck:
        view = simulation.view()
        assert cap_total(view) == view.desired_count or floor_healthy(view) == view.desired_count
