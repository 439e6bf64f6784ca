"""On which instances a DAEMON service has a task."""

from __future__ import annotations

from homeport.decide.placement.candidate import TaskToPlace
from homeport.decide.placement.constraints import Constraint, unsatisfied
from homeport.domain.service import Service
from homeport.scheduling.candidates import candidates
from homeport.store import Transaction
from homeport.store.schema import TASK_DEFINITIONS


def daemon_instances(tx: Transaction, service: Service) -> list[str]:
    """ARNs of the ACTIVE instances that satisfy the constraints, with or without room.

    An instance whose agent is away keeps its task.
    """
    definition = tx.get(TASK_DEFINITIONS, service.task_definition_arn)
    if definition is None:
        return []
    constraints = [
        *(Constraint(kind, expression) for kind, expression in definition.placement_constraints),
        *(Constraint(c.type, c.expression) for c in service.placement_constraints),
    ]
    binding = [c for c in constraints if c.type == "memberOf"]
    wanted = TaskToPlace(group=f"service:{service.name}")
    required = set(definition.requires_attributes)
    return sorted(
        instance.arn
        for instance in candidates(tx, service.cluster_arn)
        if instance.status == "ACTIVE"
        and required <= instance.attributes.keys()
        and not any(unsatisfied(binding, wanted, instance))
    )
