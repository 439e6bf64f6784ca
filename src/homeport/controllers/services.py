"""Keeps services at their desired count and rolls their deployments forward.

One pass: count what ended, decide with ``decide.rolling``, stop and launch, then record how far
the PRIMARY deployment has come. The events' words are AWS's ("Amazon ECS service event
messages", developer guide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from homeport.decide.circuit_breaker import trips
from homeport.decide.daemon import decide_daemon
from homeport.decide.launch_backoff import UNABLE_AFTER_FAILURES, delay_seconds, ended_quickly
from homeport.decide.placement import Refusal, Unplaceable
from homeport.decide.placement.explain import no_capacity_message, unplaceable_message
from homeport.decide.rolling import Decision, ServiceView, Stop, decide, is_healthy
from homeport.domain.arn import Arns, Ids, last_segment
from homeport.domain.event import (
    PLACEMENT_FAILURE,
    START_IMPAIRED,
    STEADY_STATE,
    TASKS_STOPPED,
    ServiceAction,
)
from homeport.domain.service import Deployment, Service
from homeport.domain.task import Task
from homeport.domain.task_definition import TaskDefinition
from homeport.identities import unassumable
from homeport.scheduling.events import NO_ACTION, add_service_event
from homeport.scheduling.launch import LaunchResult, start_tasks
from homeport.scheduling.providers import by_provider, launch_by_strategy
from homeport.scheduling.stop import stop_task
from homeport.scheduling.task_targets import services_using, task_targets
from homeport.scheduling.template import service_task_template
from homeport.store import Change, Transaction
from homeport.store.schema import (
    CONTAINER_INSTANCES,
    SERVICES,
    TARGET_HEALTH,
    TASK_DEFINITIONS,
    TASKS,
)

from .daemons import daemon_instances
from .rollback import Say, failed, stopped
from .service_snapshot import in_stop_order, is_alive, task_view

TASKS_PER_BATCH = 10
PLACEMENT_RETRY_SECONDS = 10.0
STUCK_MESSAGE = (
    "was unable to stop or start tasks during a deployment because of the service deployment "
    "configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
)


PROTECTED_MESSAGE = (
    "was unable to reach steady state because task set ({}) was unable to scale in. Reason: The "
    "number of protected tasks are more than the desired count of tasks"
)


class ServiceController:
    """Keys are service ARNs."""

    name = "services"

    def __init__(self, ids: Ids, arns: Arns, minimum_running_seconds: float) -> None:
        self._ids = ids
        self._arns = arns
        self._minimum_running_seconds = minimum_running_seconds

    def keys(self, change: Change, tx: Transaction) -> Iterable[str]:
        """Whatever a service's next step depends on."""
        if change.of(SERVICES):
            return (change.key,)
        if task_change := change.of(TASKS):
            return [t.service_arn for t in task_change if t is not None and t.service_arn][:1]
        if health_change := change.of(TARGET_HEALTH):
            health = health_change[1] or health_change[0]
            return services_using(tx, health.target_group_arn) if health else ()
        if instance_change := change.of(CONTAINER_INSTANCES):
            instance = instance_change[1] or instance_change[0]
            if instance is not None:
                own = [s.arn for s in tx.find(SERVICES, "cluster", instance.cluster_arn)]
                return own + _on_platform(tx) if instance.is_platform_capacity else own
        return ()

    def all_keys(self, tx: Transaction) -> Iterable[str]:
        """Every service."""
        return [service.arn for service in tx.all(SERVICES)]

    def reconcile(self, key: str, tx: Transaction, now: float) -> float | None:
        """One pass over a service."""
        service = tx.get(SERVICES, key)
        if service is None or service.status == "INACTIVE":
            return None
        tasks = tx.find(TASKS, "service", key)
        service = self._count_ended(tx, service, tasks, now)
        alive = [t for t in tasks if is_alive(t)]
        view = self._view(tx, service, alive, now)
        service = self._judge(tx, service, view, now)
        if service.deployments[0].id != view.deployment_ids[0]:
            return now  # rolled back: that is a state of its own, to be seen by others
        decision = self._decide(tx, service, view, now)
        service = _count_health_stops(tx, service, decision.stops, now)
        self._stop(tx, service, decision.stops, now)
        unplaced = self._launch(tx, service, decision, now)
        self._record(tx, service, decision, now)
        if service.status == "DRAINING":
            self._become_inactive(tx, key, now)
        ends = [t.protected_until for t in alive if t.protected_until and t.protected_until > now]
        if ends and decision.protected:
            return min(decision.look_again_at or float("inf"), *ends)
        if unplaced:
            return min(decision.look_again_at or float("inf"), now + PLACEMENT_RETRY_SECONDS)
        return decision.look_again_at

    def _decide(self, tx: Transaction, service: Service, view: ServiceView, now: float) -> Decision:
        if service.scheduling_strategy != "DAEMON":
            return decide(view, now)
        instances = daemon_instances(tx, service) if service.status == "ACTIVE" else []
        if service.desired_count != len(instances):
            current = tx.get(SERVICES, service.arn) or service
            tx.put(SERVICES, msgspec.structs.replace(current, desired_count=len(instances)))
        view = msgspec.structs.replace(view, desired_count=len(instances))
        return decide_daemon(view, instances, now)

    # -- the snapshot -------------------------------------------------------------------------

    def _view(
        self, tx: Transaction, service: Service, alive: Sequence[Task], now: float
    ) -> ServiceView:
        primary = service.deployments[0]
        return ServiceView(
            desired_count=service.desired_count if service.status == "ACTIVE" else 0,
            minimum_healthy_percent=service.minimum_healthy_percent,
            maximum_percent=service.maximum_percent,
            deployment_ids=tuple(d.id for d in service.deployments),
            tasks=tuple(task_view(tx, service, t, now) for t in in_stop_order(tx, service, alive)),
            next_launch_at=primary.next_launch_at,
            grace_period_seconds=service.health_check_grace_period_seconds or 0,
            minimum_running_seconds=self._minimum_running_seconds,
            primary_completed=primary.rollout_state == "COMPLETED",
            halted=primary.rollout_state == "FAILED" and service.status == "ACTIVE",
        )

    # -- what ended ---------------------------------------------------------------------------

    def _count_ended(
        self, tx: Transaction, service: Service, tasks: Sequence[Task], now: float
    ) -> Service:
        """Count tasks that failed to start or ended at once, and hold back the next launch."""
        ended = [t for t in tasks if t.last_status == "STOPPED" and not t.end_counted]
        for task in ended:
            tx.put(TASKS, msgspec.structs.replace(task, end_counted=True))
            if task.start_failure:
                text = f"was unable to place a task. Reason: {task.stopped_reason}."
                self._event(tx, service, text, now)
        failures = [t for t in ended if _failed(t)]
        if not failures:
            return service
        deployments = tuple(_with_failures(d, failures, now) for d in service.deployments)
        service = _put(tx, service, deployments=deployments)
        if deployments[0].consecutive_failures >= UNABLE_AFTER_FAILURES:
            text = "is unable to consistently start tasks successfully."
            self._event(tx, service, text, now, START_IMPAIRED)
        return service

    def _judge(self, tx: Transaction, service: Service, view: ServiceView, now: float) -> Service:
        """Whether the PRIMARY deployment has failed; a healthy task clears it of suspicion."""
        primary = service.deployments[0]
        if primary.rollout_state != "IN_PROGRESS":
            return service
        if primary.stop_type:
            return self._ended(tx, service, stopped, now)
        if not primary.failed_tasks:
            return service
        breaker = service.circuit_breaker
        own = (t for t in view.tasks if t.deployment_id == primary.id)
        if breaker.reset_on_healthy_task and any(is_healthy(t, view, now) for t in own):
            cleared = msgspec.structs.replace(primary, failed_tasks=0)
            return _put(tx, service, deployments=(cleared, *service.deployments[1:]))
        if not trips(breaker, primary.failed_tasks, service.desired_count):
            return service
        return self._ended(tx, service, failed, now)

    def _ended(
        self,
        tx: Transaction,
        service: Service,
        end: Callable[[Service, float, Say], Service],
        now: float,
    ) -> Service:
        """The service after ``end`` of its PRIMARY deployment, which adds events."""
        judged = end(service, now, lambda text: self._event(tx, service, text, now))
        current = tx.get(SERVICES, service.arn) or service
        return tx.put(
            SERVICES,
            msgspec.structs.replace(judged, last_event_sequence=current.last_event_sequence),
        )

    # -- doing --------------------------------------------------------------------------------

    def _stop(self, tx: Transaction, service: Service, stops: Sequence[Stop], now: float) -> None:
        stopped = []
        for stop in stops:
            task = tx.get(TASKS, stop.task_arn)
            if task is None:
                continue
            reason = _stop_reason(stop, task)
            stop_task(tx, task, now=now, code="ServiceSchedulerInitiated", reason=reason)
            stopped.append(stop.task_arn)
            if stop.cause == "container_health":
                text = f"(task {last_segment(task.arn)}) failed container health checks."
                self._event(tx, service, text, now)
            elif stop.cause == "load_balancer_health":
                self._event(tx, service, _unhealthy_text(tx, service, task, stop), now)
        if stopped:
            text = f"has stopped {len(stopped)} running tasks: {_task_list(stopped)}."
            self._event(tx, service, text, now, TASKS_STOPPED)

    def _launch(self, tx: Transaction, service: Service, decision: Decision, now: float) -> bool:
        """Start what is missing in batches; True when something could not be placed."""
        left = decision.launch
        if decision.launch_on:
            return self._launch_daemons(tx, service, decision.launch_on, now)
        while left > 0:
            result = self._launch_batch(tx, service, min(left, TASKS_PER_BATCH), now)
            if result is None:
                return True
            if result.tasks:
                started = [t.arn for t in result.tasks]
                text = f"has started {len(started)} tasks: {_task_list(started)}."
                if decision.replaces_unhealthy:
                    count = decision.replaces_unhealthy
                    text += f" Amazon ECS replaced {count} tasks due to an unhealthy status."
                self._event(tx, service, text, now)
            if result.unplaceable is not None:
                self._unplaced(tx, service, result.unplaceable, now)
                return True
            left -= len(result.tasks)
        return False

    def _launch_daemons(
        self, tx: Transaction, service: Service, instances: Sequence[str], now: float
    ) -> bool:
        """One task on each of these instances; True when one did not fit."""
        deployment = service.deployments[0]
        definition = self._launchable(tx, service, now)
        if definition is None:
            return True
        template = service_task_template(service, deployment, definition)
        result = start_tasks(tx, template, instances, now=now, ids=self._ids, arns=self._arns)
        if result.tasks:
            started = [t.arn for t in result.tasks]
            text = f"has started {len(started)} tasks: {_task_list(started)}."
            self._event(tx, service, text, now)
        if result.refusals:
            refused = Unplaceable(tuple(Refusal(r.arn, r.reason) for r in result.refusals))
            self._unplaced(tx, service, refused, now)
        return bool(result.refusals)

    def _unplaced(
        self, tx: Transaction, service: Service, unplaceable: Unplaceable, now: float
    ) -> None:
        deployment = service.deployments[0]
        closest = unplaceable.closest()
        reason = closest.reason if closest is not None else "EMPTY CAPACITY PROVIDER"
        if deployment.launch_type == "FARGATE":
            message, reason = no_capacity_message(service.name), "RESOURCE:FARGATE"
        else:
            by_strategy = bool(deployment.capacity_provider_strategy)
            message = unplaceable_message(service.name, unplaceable, of_provider=by_strategy)
        add_service_event(tx, service.arn, message, now, self._ids, PLACEMENT_FAILURE, reason)

    def _launch_batch(
        self, tx: Transaction, service: Service, count: int, now: float
    ) -> LaunchResult | None:
        deployment = service.deployments[0]
        definition = self._launchable(tx, service, now)
        if definition is None:
            return None
        own = tx.find(TASKS, "service", service.arn)
        return launch_by_strategy(
            tx,
            service_task_template(service, deployment, definition),
            count,
            capacity=deployment.capacity_provider_strategy,
            running=by_provider(t for t in own if t.deployment_id == deployment.id and is_alive(t)),
            constraints=service.placement_constraints,
            strategy=service.placement_strategy,
            now=now,
            ids=self._ids,
            arns=self._arns,
        )

    def _launchable(self, tx: Transaction, service: Service, now: float) -> TaskDefinition | None:
        """The PRIMARY deployment's definition, unless tasks of it can't be started at all."""
        definition = tx.get(TASK_DEFINITIONS, service.deployments[0].task_definition_arn)
        if definition is None:
            self._event(tx, service, "was unable to place a task. Reason: Internal error.", now)
            return None
        why = unassumable(tx, definition.document, {}, service.cluster_arn)
        if why is not None:
            self._event(tx, service, f"failed to launch a task with (error {why}).", now)
            return None
        return definition

    # -- recording ----------------------------------------------------------------------------

    def _record(self, tx: Transaction, service: Service, decision: Decision, now: float) -> None:
        """How far the PRIMARY deployment has come, and which old ones are over."""
        tasks = tx.find(TASKS, "service", service.arn)
        present = {t.deployment_id for t in tasks if t.last_status != "STOPPED"}
        primary, *old = service.deployments
        kept = tuple(d for d in old if d.id in present)
        completed = decision.completed and not kept and service.status == "ACTIVE"
        if completed:
            primary = msgspec.structs.replace(
                primary,
                rollout_state="COMPLETED",
                rollout_state_reason=f"ECS deployment {primary.id} completed.",
                consecutive_failures=0,
                updated_at=now,
            )
        if decision.steady and primary.consecutive_failures:
            primary = msgspec.structs.replace(primary, consecutive_failures=0)
        steady = decision.steady and primary.rollout_state == "COMPLETED" and not kept
        was_steady = service.steady
        service = _put(tx, service, deployments=(primary, *kept), steady=steady)
        if completed:
            tx.put(SERVICES, msgspec.structs.replace(service, last_completed=primary))
            self._event(tx, service, f"(deployment {primary.id}) deployment completed.", now)
        if steady and not was_steady and service.status == "ACTIVE":
            self._event(tx, service, "has reached a steady state.", now, STEADY_STATE)
        if decision.stuck:
            self._event(tx, service, STUCK_MESSAGE, now)
        if decision.protected:
            self._event(tx, service, PROTECTED_MESSAGE.format(primary.id), now)

    def _become_inactive(self, tx: Transaction, key: str, now: float) -> None:
        """A deleted service is INACTIVE once its last task has stopped."""
        service = tx.get(SERVICES, key)
        over = all(t.last_status == "STOPPED" for t in tx.find(TASKS, "service", key))
        if service is not None and over:
            inactive = msgspec.structs.replace(service, status="INACTIVE", inactive_since=now)
            tx.put(SERVICES, inactive)

    def _event(
        self,
        tx: Transaction,
        service: Service,
        text: str,
        now: float,
        action: ServiceAction = NO_ACTION,
    ) -> None:
        text = f"(service {service.name}) {text}"
        add_service_event(tx, service.arn, text, now, self._ids, action)


def _put(
    tx: Transaction,
    service: Service,
    *,
    deployments: tuple[Deployment, ...],
    steady: bool | None = None,
) -> Service:
    """Write onto the record as it stands now: events have changed it meanwhile."""
    current = tx.get(SERVICES, service.arn) or service
    return tx.put(
        SERVICES,
        msgspec.structs.replace(
            current,
            deployments=deployments,
            steady=current.steady if steady is None else steady,
        ),
    )


def _on_platform(tx: Transaction) -> list[str]:
    return [service.arn for service in tx.all(SERVICES) if service.launch_type == "FARGATE"]


def _failed(task: Task) -> bool:
    """Whether the end of a task holds back the next launch."""
    if task.stop_code == "EssentialContainerExited":
        return ended_quickly(task.started_at, task.stopped_at or 0.0)
    return task.stop_code == "TaskFailedToStart"


def _count_health_stops(
    tx: Transaction, service: Service, stops: Sequence[Stop], now: float
) -> Service:
    """Tasks that a health check failed count for their deployment."""
    sick = [s.task_arn for s in stops if s.cause in ("load_balancer_health", "container_health")]
    if not sick:
        return service
    of = [task.deployment_id for arn in sick if (task := tx.get(TASKS, arn)) is not None]
    deployments = tuple(
        msgspec.structs.replace(d, failed_tasks=d.failed_tasks + of.count(d.id), updated_at=now)
        if d.id in of
        else d
        for d in service.deployments
    )
    return _put(tx, service, deployments=deployments)


def _with_failures(deployment: Deployment, ended: Sequence[Task], now: float) -> Deployment:
    own = [t for t in ended if t.deployment_id == deployment.id]
    if not own:
        return deployment
    failures = deployment.consecutive_failures + len(own)
    return msgspec.structs.replace(
        deployment,
        failed_tasks=deployment.failed_tasks + len(own),
        consecutive_failures=failures,
        next_launch_at=now + delay_seconds(failures),
        updated_at=now,
    )


def _stop_reason(stop: Stop, task: Task) -> str:
    match stop.cause:
        case "scaling":
            return f"Scaling activity initiated by (deployment {task.deployment_id})"
        case "load_balancer_health":
            return f"Task failed ELB health checks in (target-group {stop.target_group_arn})"
        case "container_health":
            return "Task failed container health checks"
        case "draining":
            return "The task was stopped because its container instance is in DRAINING state"


def _unhealthy_text(tx: Transaction, service: Service, task: Task, stop: Stop) -> str:
    for target in task_targets(tx, service, task):
        if target.target_group.arn != stop.target_group_arn:
            continue
        health = tx.get(TARGET_HEALTH, target.key)
        reason = health.description if health else "Health checks failed"
        where = f"(task {last_segment(task.arn)}) (port {target.port})"
        if target.target_group.target_type == "instance":
            where = f"(instance {target.id}) (port {target.port})"
        return (
            f"{where} is unhealthy in (target-group {stop.target_group_arn}) "
            f"due to (reason {reason})"
        )
    return f"(task {last_segment(task.arn)}) is unhealthy."


def _task_list(arns: Sequence[str]) -> str:
    return " ".join(f"(task {last_segment(arn)})" for arn in arns)
