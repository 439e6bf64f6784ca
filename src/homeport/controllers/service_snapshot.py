"""A service's tasks as the decisions see them: derived from what is in the store, nothing kept."""

from __future__ import annotations

from collections.abc import Sequence

from homeport.decide.capacity import stop_order as provider_stop_order
from homeport.decide.placement.scale_in import RunningTask, stop_order
from homeport.decide.placement.strategies import Strategy
from homeport.decide.rolling import TaskView
from homeport.domain.service import Deployment, Service
from homeport.domain.task import HealthStatus, Task
from homeport.domain.task_definition import TaskDefinition
from homeport.scheduling.candidates import candidates, platform_candidates
from homeport.scheduling.task_targets import task_targets
from homeport.store import Transaction
from homeport.store.schema import CONTAINER_INSTANCES, TARGET_HEALTH, TASK_DEFINITIONS


def is_alive(task: Task) -> bool:
    """Wanted and not over."""
    return task.desired_status == "RUNNING" and task.last_status != "STOPPED"


def task_view(tx: Transaction, service: Service, task: Task, now: float) -> TaskView:
    """A task as the decision sees it."""
    definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
    healthy, unhealthy_in = _target_health(tx, service, task)
    instance = tx.get(CONTAINER_INSTANCES, task.container_instance_arn or "")
    return TaskView(
        arn=task.arn,
        deployment_id=task.deployment_id or "",
        running=task.last_status == "RUNNING",
        started_at=task.started_at,
        target_healthy=healthy,
        target_unhealthy_in=unhealthy_in,
        container_health=_checked_health(definition, task),
        draining=instance is not None and instance.status == "DRAINING",
        instance_arn=task.container_instance_arn or "",
        protected=task.is_protected(now),
    )


def _checked_health(definition: TaskDefinition | None, task: Task) -> HealthStatus | None:
    """What the checks of its essential containers come to; None without any check.

    The task's own healthStatus stays UNKNOWN as long as one of them has no check.
    """
    containers = definition.containers if definition is not None else ()
    checked = {c.name for c in containers if c.essential and c.has_health_check}
    verdicts = {c.health_status for c in task.containers if c.name in checked}
    if not verdicts:
        return None
    if "UNHEALTHY" in verdicts:
        return "UNHEALTHY"
    return "HEALTHY" if verdicts == {"HEALTHY"} else "UNKNOWN"


def _target_health(tx: Transaction, service: Service, task: Task) -> tuple[bool | None, str | None]:
    """(every target healthy, the group that found it unhealthy); (None, None) without any."""
    wanted = load_balancer_count(service, task)
    if not wanted:
        return None, None
    states = {}
    for target in task_targets(tx, service, task):
        health = tx.get(TARGET_HEALTH, target.key)
        states[target.target_group.arn] = health.state if health else "initial"
    healthy = len(states) == wanted and all(s == "healthy" for s in states.values())
    unhealthy = next((arn for arn, s in states.items() if s == "unhealthy"), None)
    return healthy and task.targets_registered, unhealthy


def load_balancer_count(service: Service, task: Task) -> int:
    """How many target groups the task's deployment registers with."""
    for deployment in service.deployments:
        if deployment.id == task.deployment_id:
            return len({lb.target_group_arn for lb in deployment.load_balancers})
    return len({lb.target_group_arn for lb in service.load_balancers})


def in_stop_order(tx: Transaction, service: Service, alive: Sequence[Task]) -> list[Task]:
    """The tasks, those that best leave first when there is a choice."""
    hosts = (*candidates(tx, service.cluster_arn), *platform_candidates(tx))
    instances = {c.arn: c for c in hosts}
    # A task id is random: sorting by it breaks ties at random, and the same way every time.
    ordered = sorted(alive, key=lambda t: t.arn)
    running = [
        RunningTask(
            arn=t.arn,
            instance_arn=t.container_instance_arn or "",
            running=t.last_status == "RUNNING",
            cpu=t.cpu,
            memory=t.memory,
        )
        for t in ordered
    ]
    strategies = tuple(Strategy(s.type, s.field) for s in service.placement_strategy)
    by_arn = {t.arn: t for t in alive}
    in_order = [by_arn[arn] for arn in stop_order(running, instances, strategies)]
    return _by_provider(service.deployments[0], in_order)


def _by_provider(primary: Deployment, tasks: Sequence[Task]) -> list[Task]:
    """The tasks of the PRIMARY deployment so that its strategy's shares are kept."""
    capacity = primary.capacity_provider_strategy
    if not capacity:
        return list(tasks)
    own = [t for t in tasks if t.deployment_id == primary.id]
    places = provider_stop_order(capacity, [t.capacity_provider_name or "" for t in own])
    others = (t for t in tasks if t.deployment_id != primary.id)
    return [*others, *(own[place] for place in places)]
