"""Launches tasks: the one place that makes task records.

``launch_tasks`` chooses instances (RunTask, services), ``start_tasks`` takes the ones given
(StartTask). Tasks are placed one after the other, each seeing what the former reserved, and
everything happens in the caller's transaction.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from homeport.decide.placement import (
    CandidateInstance,
    Placed,
    PlacementRules,
    TaskToPlace,
    Unplaceable,
    place,
)
from homeport.decide.placement.candidate import reserve
from homeport.decide.placement.constraints import Constraint
from homeport.decide.placement.explain import NO_CAPACITY
from homeport.decide.placement.resources import refusal
from homeport.decide.placement.strategies import SERVICE_DEFAULT, Strategy
from homeport.domain import execute
from homeport.domain.arn import Arns, Ids
from homeport.domain.capacity_provider import MEMBERSHIP_ATTRIBUTE
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.service import PlacementConstraint, PlacementStrategy
from homeport.domain.task import Task
from homeport.store import Transaction
from homeport.store.schema import CONTAINER_INSTANCES, TASKS

from .candidates import candidate, candidates, platform_candidates
from .fargate_start import start_failure_of
from .network_interfaces import give_interface
from .platform import architecture, required_of_host
from .template import TaskTemplate, new_task

NO_INSTANCES = "No Container Instances were found in your cluster."
EMPTY_PROVIDER = "EMPTY CAPACITY PROVIDER"


@dataclass(frozen=True, slots=True)
class LaunchRefusal:
    """One ``failures[]`` entry: an instance, the cluster or (FARGATE) nothing that a user knows
    of, and why there is no task."""

    arn: str
    reason: str


@dataclass(frozen=True, slots=True)
class LaunchResult:
    """What was launched and what was not.

    ``refusals`` has one entry for each instance and each task it refused; ``unplaceable`` says
    why the tasks that are missing found no place (None when all were launched). Once one task
    finds no place its equals would not either, so ``missing`` counts it and those after it.
    """

    tasks: tuple[Task, ...] = ()
    refusals: tuple[LaunchRefusal, ...] = ()
    unplaceable: Unplaceable | None = None
    missing: int = 0


def launch_tasks(
    tx: Transaction,
    template: TaskTemplate,
    count: int,
    *,
    constraints: Sequence[PlacementConstraint] = (),
    strategy: Sequence[PlacementStrategy] = (),
    now: float,
    ids: Ids,
    arns: Arns,
    order: random.Random | None = None,
) -> LaunchResult:
    """Place and record up to ``count`` tasks of ``template`` in its cluster.

    ``order`` breaks ties (a seeded one in tests). Without a strategy the tasks of a service
    spread over zones, then instances; others go to a random instance that fits. FARGATE tasks go
    to the platform's hosts, spread like those of a service.
    """
    pool = _pool(tx, template)
    (order or random.Random()).shuffle(pool)
    rules = _rules(template, constraints, strategy)
    wanted = _to_place(template)
    tasks: list[Task] = []
    for left in range(count, 0, -1):
        answer = place(wanted, pool, rules)
        if isinstance(answer, Unplaceable):
            return LaunchResult(tuple(tasks), _refusals(template, answer, left), answer, left)
        task = _record(tx, template, answer, now=now, ids=ids, arns=arns)
        tasks.append(task)
        if task.holds_resources():
            pool = [reserve(i, wanted) if i.arn == answer.instance_arn else i for i in pool]
    return LaunchResult(tuple(tasks))


def start_tasks(
    tx: Transaction,
    template: TaskTemplate,
    instance_arns: Iterable[str],
    *,
    now: float,
    ids: Ids,
    arns: Arns,
) -> LaunchResult:
    """One task on each given instance; constraints and strategies do not apply."""
    wanted = _to_place(template)
    tasks: list[Task] = []
    refusals: list[LaunchRefusal] = []
    for arn in instance_arns:
        reason = _start_refusal(tx, tx.get(CONTAINER_INSTANCES, arn), template, wanted)
        if reason is None:
            tasks.append(_record(tx, template, Placed(arn), now=now, ids=ids, arns=arns))
        else:
            refusals.append(LaunchRefusal(arn, reason))
    return LaunchResult(tuple(tasks), tuple(refusals), missing=len(refusals))


def _on_platform(template: TaskTemplate) -> bool:
    return template.launch_type == "FARGATE"


def _pool(tx: Transaction, template: TaskTemplate) -> list[CandidateInstance]:
    """The instances of the cluster, or of the task's capacity provider, or the platform's hosts."""
    if _on_platform(template):
        return platform_candidates(tx)
    pool = candidates(tx, template.cluster_arn)
    if template.capacity_provider_name is None:
        return pool
    wanted = template.capacity_provider_name
    return [c for c in pool if c.attributes.get(MEMBERSHIP_ATTRIBUTE) == wanted]


def _rules(
    template: TaskTemplate,
    constraints: Sequence[PlacementConstraint],
    strategy: Sequence[PlacementStrategy],
) -> PlacementRules:
    defined = [Constraint(t, e) for t, e in template.task_definition.placement_constraints]
    strategies = tuple(Strategy(s.type, s.field) for s in strategy)
    if not strategies and (template.service_arn is not None or _on_platform(template)):
        strategies = SERVICE_DEFAULT
    if _on_platform(template):
        return PlacementRules(
            constraints=architecture(template.task_definition), strategies=strategies
        )
    return PlacementRules(
        constraints=(*defined, *(Constraint(c.type, c.expression) for c in constraints)),
        strategies=strategies,
    )


def _to_place(template: TaskTemplate) -> TaskToPlace:
    demand = template.demand()
    required = frozenset(template.task_definition.requires_attributes)
    if template.enable_execute_command:
        required |= {execute.CAPABILITY}
    return TaskToPlace(
        group=template.group,
        cpu=demand.cpu,
        memory=demand.memory,
        tcp_ports=frozenset(demand.tcp_ports),
        udp_ports=frozenset(demand.udp_ports),
        required_attributes=required_of_host(required) if _on_platform(template) else required,
    )


def _record(
    tx: Transaction, template: TaskTemplate, placed: Placed, *, now: float, ids: Ids, arns: Arns
) -> Task:
    instance = tx.get(CONTAINER_INSTANCES, placed.instance_arn)
    if instance is None:  # placement chose among the instances of this very transaction
        raise LookupError(f"the chosen instance {placed.instance_arn} is not in the store")
    task = new_task(template, instance, now=now, ids=ids, arns=arns)
    if template.network is not None:
        network = template.network
        task = give_interface(tx, task, network, instance, now=now, ids=ids, arns=arns)
    if _on_platform(template):
        failure = start_failure_of(tx, task, template.task_definition, arns.region)
        task = msgspec.structs.replace(task, start_failure=failure)
    return tx.put(TASKS, task)


def _refusals(
    template: TaskTemplate, unplaceable: Unplaceable, missing: int
) -> tuple[LaunchRefusal, ...]:
    if _on_platform(template):
        return (LaunchRefusal("", NO_CAPACITY),) * missing
    found = [LaunchRefusal(r.instance_arn, r.reason) for r in unplaceable.refusals]
    nothing = EMPTY_PROVIDER if template.capacity_provider_name else NO_INSTANCES
    return tuple(found or [LaunchRefusal(template.cluster_arn, nothing)]) * missing


def _start_refusal(
    tx: Transaction,
    instance: ContainerInstance | None,
    template: TaskTemplate,
    wanted: TaskToPlace,
) -> str | None:
    if instance is None or instance.cluster_arn != template.cluster_arn:
        return "MISSING"
    if instance.status == "INACTIVE":
        return "INACTIVE"
    view: CandidateInstance = candidate(tx, instance)
    return refusal(wanted, view)
