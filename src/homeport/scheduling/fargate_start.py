"""Whether a new FARGATE task reaches what it needs, from the network interface it was given."""

from __future__ import annotations

from homeport.decide.fargate_start import start_failure
from homeport.decide.reach import NoWay, Origin, Way, way_to_service
from homeport.domain.task import Task
from homeport.domain.task_definition import TaskDefinition
from homeport.store import Transaction
from homeport.store.schema import NETWORK_INTERFACES

from .networks import network_of


def start_failure_of(tx: Transaction, task: Task, definition: TaskDefinition, region: str) -> str:
    """Why the task will not start; empty when nothing is known to be in its way."""
    attached = task.interface.network_interface_id if task.interface else ""
    interface = tx.get(NETWORK_INTERFACES, attached)
    network = network_of(tx, interface.vpc_id) if interface else None
    if interface is None or network is None:
        return ""
    origin = Origin(
        subnet_id=interface.subnet_id,
        address=interface.private_ip_address,
        public_ip=interface.public_ip_address is not None,
        security_groups=interface.security_groups,
    )

    def way(service_name: str) -> Way | NoWay:
        return way_to_service(network, origin, service_name)

    return start_failure(definition.document, region, task.platform_version, way)
