"""What a DAEMON service does next: one task on every instance that it is for.

Source: "Daemon scheduling strategy", developer guide. D is the number of instances, and the window
is that of ``rolling``: with the usual 0/100 an instance's old task stops before its new one
starts, with a maximum above 100 the new one comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .rolling import Decision, ServiceView, Stop, TaskView, floor_healthy, is_healthy, is_unhealthy


def decide_daemon(service: ServiceView, instances: Sequence[str], now: float) -> Decision:
    """The next step. ``instances``: ARNs of those that are to have a task; the view's desired
    count is their number."""
    if service.halted:
        return Decision()
    primary = service.deployment_ids[0] if service.deployment_ids else ""
    by_instance: dict[str, list[TaskView]] = defaultdict(list)
    for task in service.tasks:
        by_instance[task.instance_arn].append(task)
    spare = sum(is_healthy(t, service, now) for t in service.tasks) - floor_healthy(service)
    may_launch = now >= service.next_launch_at
    launch: list[str] = []
    stops = [
        Stop(task.arn, "scaling")
        for arn, tasks in by_instance.items()
        if arn not in instances
        for task in tasks
    ]
    for arn in instances:
        new = [t for t in by_instance[arn] if t.deployment_id == primary]
        old = [t for t in by_instance[arn] if t.deployment_id != primary]
        sick = [s for t in new if (s := is_unhealthy(t, service, now)) is not None]
        extra = [Stop(t.arn, "scaling") for t in new[1:]]
        replaced = any(is_healthy(t, service, now) for t in new)
        for task in old:
            costs = is_healthy(task, service, now) and not replaced
            first = service.maximum_percent > 100 and not replaced and bool(new or may_launch)
            if first or (costs and spare <= 0):
                continue
            spare -= costs
            stops.append(Stop(task.arn, "scaling"))
        room = not old or service.maximum_percent > 100
        if not new and room and may_launch:
            launch.append(arn)
        stops += sick or extra
    complete = not stops and not launch and _complete(service, instances, primary, now)
    return Decision(
        launch=len(launch),
        launch_on=tuple(launch),
        stops=tuple(stops),
        completed=complete and not service.primary_completed,
        steady=complete,
        look_again_at=_later(service, now),
    )


def _complete(service: ServiceView, instances: Sequence[str], primary: str, now: float) -> bool:
    healthy = {
        t.instance_arn
        for t in service.tasks
        if t.deployment_id == primary and is_healthy(t, service, now)
    }
    return healthy == set(instances) and len(service.tasks) == len(instances)


def _later(service: ServiceView, now: float) -> float | None:
    """When time alone will change something."""
    moments = [service.next_launch_at]
    for task in service.tasks:
        started_at = task.started_at or 0.0
        moments.append(started_at + service.minimum_running_seconds)
        moments.append(started_at + service.grace_period_seconds)
    return min((moment for moment in moments if moment > now), default=None)
