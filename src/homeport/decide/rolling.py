"""What a REPLICA service does next: launch, stop, or declare its deployment complete.

The window ("Deployment parameters", ECS developer guide), with D the desired count::

    floor = ceil(D · minimumHealthyPercent / 100)     healthy tasks never fall below by our stops
    cap   = floor(D · maximumPercent / 100)           running + pending tasks never exceed

A task is *alive* while its desired status is RUNNING and it has not stopped. Alive tasks of the
PRIMARY deployment are wanted; those of the others leave, as the floor allows. Unhealthy and
pending tasks do not count toward the floor, so stopping them costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

StopCause = Literal["scaling", "load_balancer_health", "container_health", "draining"]


class TaskView(msgspec.Struct, frozen=True):
    """What the decision needs of one task of the service.

    ``target_healthy``: None without load balancers, else whether every target of the task is
    healthy. ``target_unhealthy_in``: the target group that found it unhealthy, if any.
    ``container_health``: None when no essential container has a health check. ``draining``: its
    instance is DRAINING, so it is to be replaced like an unhealthy one. ``protected``: neither
    scaling in nor a deployment stops it.
    """

    arn: str
    deployment_id: str
    running: bool
    started_at: float | None = None
    target_healthy: bool | None = None
    target_unhealthy_in: str | None = None
    container_health: Literal["HEALTHY", "UNHEALTHY", "UNKNOWN"] | None = None
    draining: bool = False
    instance_arn: str = ""
    protected: bool = False


class ServiceView(msgspec.Struct, frozen=True):
    """The service. ``deployment_ids`` has PRIMARY first. ``tasks`` are the alive ones, in the
    order in which they are to be stopped when there is a choice. ``halted``: the PRIMARY
    deployment has failed; nothing is launched, and what runs goes on."""

    desired_count: int
    minimum_healthy_percent: int
    maximum_percent: int
    deployment_ids: tuple[str, ...]
    tasks: tuple[TaskView, ...]
    next_launch_at: float = 0.0
    grace_period_seconds: float = 0.0
    minimum_running_seconds: float = 0.0
    primary_completed: bool = False
    halted: bool = False


class Stop(msgspec.Struct, frozen=True):
    """One task to stop and why; ``target_group_arn`` for load-balancer health."""

    task_arn: str
    cause: StopCause
    target_group_arn: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What to do now. ``replaces_unhealthy``: how many of ``launch`` replace unhealthy tasks.

    ``launch_on``: for a DAEMON, the instances of ``launch``. ``protected``: how many tasks would
    have been stopped but for their protection. ``look_again_at``: when time alone will change the
    decision. ``stuck``: the window lets the deployment neither start nor stop anything, now or
    ever.
    """

    launch: int = 0
    launch_on: tuple[str, ...] = ()
    protected: int = 0
    replaces_unhealthy: int = 0
    stops: tuple[Stop, ...] = ()
    completed: bool = False
    steady: bool = False
    stuck: bool = False
    look_again_at: float | None = None


def floor_healthy(service: ServiceView) -> int:
    """The least number of healthy tasks."""
    return math.ceil(service.desired_count * service.minimum_healthy_percent / 100)


def cap_total(service: ServiceView) -> int:
    """The greatest number of running and pending tasks."""
    return math.floor(service.desired_count * service.maximum_percent / 100)


def is_healthy(task: TaskView, service: ServiceView, now: float) -> bool:
    """Whether the task counts toward the floor."""
    if not task.running:
        return False
    if task.container_health is not None and task.container_health != "HEALTHY":
        return False
    if task.target_healthy is not None:
        return task.target_healthy
    if task.container_health is None:
        return now >= healthy_from(task, service)
    return True


def healthy_from(task: TaskView, service: ServiceView) -> float:
    """When a task that nothing checks has run long enough to count as healthy."""
    return (task.started_at or 0.0) + service.minimum_running_seconds


def is_unhealthy(task: TaskView, service: ServiceView, now: float) -> Stop | None:
    """The stop of a task that must be replaced: its instance drains, or a check has failed it
    after its grace period. None for any other."""
    if task.draining:
        return Stop(task.arn, "draining")
    if not task.running or now < grace_ends_at(task, service):
        return None
    if task.container_health == "UNHEALTHY":
        return Stop(task.arn, "container_health")
    if task.target_unhealthy_in is not None:
        return Stop(task.arn, "load_balancer_health", task.target_unhealthy_in)
    return None


def grace_ends_at(task: TaskView, service: ServiceView) -> float:
    """Until then health checks stop nothing."""
    return (task.started_at or 0.0) + service.grace_period_seconds


def decide(service: ServiceView, now: float) -> Decision:
    """The next step of the service; doing it and asking again converges."""
    if service.halted:
        return Decision()
    primary = service.deployment_ids[0] if service.deployment_ids else ""
    wanted = [t for t in service.tasks if t.deployment_id == primary]
    old = [t for t in service.tasks if t.deployment_id != primary]
    sick = [s for t in wanted if (s := is_unhealthy(t, service, now))]
    healthy = sum(is_healthy(t, service, now) for t in service.tasks)
    stops = _stops(service, wanted, old, sick, healthy, now)
    launch = _launch(service, wanted, sick, stops, now)
    if stops or launch:
        return Decision(
            launch,
            replaces_unhealthy=min(launch, len(sick)),
            stops=tuple(stops),
            look_again_at=_later(service, now),
        )
    return _at_rest(service, wanted, old, now)


def _stops(
    service: ServiceView,
    wanted: Sequence[TaskView],
    old: Sequence[TaskView],
    sick: Sequence[Stop],
    healthy: int,
    now: float,
) -> list[Stop]:
    """Stops that the floor allows, cheapest first: old, surplus, and sick tasks."""
    floor = floor_healthy(service)
    spare = healthy - floor
    # A running old task that no check has failed may be serving although nothing says so yet:
    # it stays while it is needed to keep ``floor`` tasks running.
    serving_spare = sum(t.running for t in service.tasks) - floor
    stops: list[Stop] = []
    # When scaling in during a deployment the old tasks go first.
    for task in [*_not_healthy_first(old, service, now), *_surplus(service, wanted, sick, now)]:
        if task.protected:
            continue
        if is_healthy(task, service, now):
            if spare <= 0:
                continue
            spare -= 1
            serving_spare -= 1
        elif task.running and is_unhealthy(task, service, now) is None:
            if serving_spare <= 0:
                continue
            serving_spare -= 1
        stops.append(Stop(task.arn, "scaling"))
    stopped = {s.task_arn for s in stops}
    return stops + _sick_stops(service, wanted, [s for s in sick if s.task_arn not in stopped], now)


def _surplus(
    service: ServiceView, wanted: Sequence[TaskView], sick: Sequence[Stop], now: float
) -> list[TaskView]:
    """PRIMARY tasks beyond the desired count; sick ones are counted and stopped apart."""
    sick_arns = {s.task_arn for s in sick}
    well = [t for t in wanted if t.arn not in sick_arns]
    count = max(0, len(well) - service.desired_count)
    free = [t for t in well if not t.protected]
    return _not_healthy_first(sorted(free, key=lambda t: t.running), service, now)[:count]


def _not_healthy_first(
    tasks: Sequence[TaskView], service: ServiceView, now: float
) -> list[TaskView]:
    return sorted(tasks, key=lambda t: is_healthy(t, service, now))


def _sick_stops(
    service: ServiceView, wanted: Sequence[TaskView], sick: Sequence[Stop], now: float
) -> list[Stop]:
    """Sick PRIMARY tasks go once replacements are healthy, or one by one at a full cap."""
    if not sick:
        return []
    sick_arns = {s.task_arn for s in sick}
    if cap_total(service) > service.desired_count:
        # Replacements come first; once enough others are healthy the sick ones are surplus.
        fit = sum(is_healthy(t, service, now) for t in wanted if t.arn not in sick_arns)
        if fit >= service.desired_count:
            return list(sick)
        if len(service.tasks) < cap_total(service):
            return []
        # No room for replacements: those that count for nothing make it.
        idle = {t.arn for t in wanted if not is_healthy(t, service, now)}
        return [s for s in sick if s.task_arn in idle]
    first = next(t for t in wanted if t.arn == sick[0].task_arn)
    healthy = sum(is_healthy(t, service, now) for t in service.tasks)
    if is_healthy(first, service, now) and healthy <= floor_healthy(service):
        return []
    return list(sick[:1])


def _launch(
    service: ServiceView,
    wanted: Sequence[TaskView],
    sick: Sequence[Stop],
    stops: Sequence[Stop],
    now: float,
) -> int:
    """How many PRIMARY tasks to start: what is missing, plus replacements of sick ones."""
    if not service.deployment_ids or now < service.next_launch_at:
        return 0
    leaving = {s.task_arn for s in (*stops, *sick)}
    staying = sum(t.arn not in leaving for t in wanted)
    # Tasks that are being stopped in this pass still count: their places are free in the next.
    room = cap_total(service) - len(service.tasks)
    return max(0, min(service.desired_count - staying, room))


def _at_rest(
    service: ServiceView, wanted: Sequence[TaskView], old: Sequence[TaskView], now: float
) -> Decision:
    """Nothing to do now: complete, steady, waiting for health or time, or stuck."""
    all_healthy = all(is_healthy(t, service, now) for t in wanted)
    complete = not old and len(wanted) == service.desired_count and all_healthy
    waiting = any(not is_healthy(t, service, now) for t in service.tasks)
    held_back = now < service.next_launch_at
    stuck = bool(old) and not waiting and not held_back and service.desired_count > 0
    return Decision(
        completed=complete and not service.primary_completed,
        steady=complete,
        stuck=stuck,
        protected=_kept_by_protection(service),
        look_again_at=_later(service, now),
    )


def _kept_by_protection(service: ServiceView) -> int:
    surplus = len(service.tasks) - service.desired_count
    return max(0, min(surplus, sum(t.protected for t in service.tasks)))


def _later(service: ServiceView, now: float) -> float | None:
    """The next moment at which time alone changes something."""
    moments = [service.next_launch_at]
    for task in service.tasks:
        if task.running:
            moments += [healthy_from(task, service), grace_ends_at(task, service)]
    future = [m for m in moments if m > now]
    return min(future) if future else None
