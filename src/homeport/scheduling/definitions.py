"""Whether a task definition is still needed."""

from __future__ import annotations

from homeport.store import Transaction
from homeport.store.schema import SERVICES, TASKS


def in_use(tx: Transaction, task_definition_arn: str) -> bool:
    """Whether a task that has not stopped or a deployment of a living service names it.

    The deployment that a service would be rolled back to counts: its tasks may be gone.
    """
    tasks = tx.find(TASKS, "task_definition", task_definition_arn)
    if any(task.last_status != "STOPPED" for task in tasks):
        return True
    living = (s for s in tx.all(SERVICES) if s.status != "INACTIVE")
    return any(
        deployment is not None and deployment.task_definition_arn == task_definition_arn
        for service in living
        for deployment in (*service.deployments, service.last_completed)
    )
