"""Where the load balancers of a service reach its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homeport.domain.container_instance import ContainerInstance
from homeport.domain.load_balancing import TargetGroup, target_key
from homeport.domain.network_interface import InterfaceAttachment
from homeport.domain.service import Service, ServiceLoadBalancer
from homeport.domain.task import Task
from homeport.store import Transaction
from homeport.store.schema import CONTAINER_INSTANCES, SERVICES, TARGET_GROUPS


@dataclass(frozen=True, slots=True)
class TaskTarget:
    """Where one load-balancer item of a service reaches one task."""

    target_group: TargetGroup
    id: str
    port: int
    address: str
    availability_zone: str

    @property
    def key(self) -> str:
        """Key in the targets table."""
        return target_key(self.target_group.arn, self.id, self.port)


def task_targets(tx: Transaction, service: Service, task: Task) -> list[TaskTarget]:
    """The targets of a task: where its agent published a port, or its own address (awsvpc)."""
    if task.interface is not None:
        return _interface_targets(tx, service, task, task.interface)
    instance = tx.get(CONTAINER_INSTANCES, task.container_instance_arn or "")
    if instance is None:
        return []
    targets = []
    for item in load_balancers_of(service, task):
        group = tx.get(TARGET_GROUPS, item.target_group_arn)
        port = published_port(task, item)
        if group is not None and port is not None:
            targets.append(_target(group, instance, port))
    return targets


def _interface_targets(
    tx: Transaction, service: Service, task: Task, interface: InterfaceAttachment
) -> list[TaskTarget]:
    """The task's own address and the container's port: known from the start."""
    address = interface.private_ip_address
    return [
        TaskTarget(group, address, item.container_port, address, task.availability_zone)
        for item in load_balancers_of(service, task)
        if (group := tx.get(TARGET_GROUPS, item.target_group_arn)) is not None
        and group.target_type == "ip"
    ]


def load_balancers_of(service: Service, task: Task) -> tuple[ServiceLoadBalancer, ...]:
    """The load balancers of the deployment that started the task."""
    for deployment in service.deployments:
        if deployment.id == task.deployment_id:
            return deployment.load_balancers
    return service.load_balancers


def published_port(task: Task, item: ServiceLoadBalancer) -> int | None:
    """The host port of the item's container port, once the agent has reported it."""
    for container in task.containers:
        if container.name != item.container_name:
            continue
        for binding in container.network_bindings:
            if binding.container_port == item.container_port:
                return binding.host_port
    return None


def _target(group: TargetGroup, instance: ContainerInstance, port: int) -> TaskTarget:
    target_id = instance.ec2_instance_id if group.target_type == "instance" else instance.private_ip
    return TaskTarget(group, target_id, port, instance.private_ip, instance.availability_zone)


def services_using(tx: Transaction, target_group_arn: str) -> Iterator[str]:
    """ARNs of the services that register tasks with a target group."""
    for service in tx.all(SERVICES):
        deployed = (lb for d in service.deployments for lb in d.load_balancers)
        items = (*service.load_balancers, *deployed)
        if any(item.target_group_arn == target_group_arn for item in items):
            yield service.arn
