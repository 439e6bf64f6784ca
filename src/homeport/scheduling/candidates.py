"""The instances of a cluster as placement sees them, derived from what is in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from homeport.decide.placement import CandidateInstance
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.task import Task
from homeport.store import Transaction
from homeport.store.schema import CONTAINER_INSTANCES, TASKS


def candidates(tx: Transaction, cluster_arn: str) -> list[CandidateInstance]:
    """Every instance of a cluster that is not INACTIVE, with what is left on it.

    A task holds its resources until it is STOPPED; it counts for its group (spread,
    distinctInstance) while it is wanted. Placement itself considers ACTIVE ones only.
    """
    instances = tx.find(CONTAINER_INSTANCES, "cluster", cluster_arn)
    return [candidate(tx, instance) for instance in instances if instance.status != "INACTIVE"]


def platform_candidates(tx: Transaction) -> list[CandidateInstance]:
    """Every host that takes FARGATE tasks, of any cluster, with what is left on it."""
    hosts = tx.find(CONTAINER_INSTANCES, "platform_capacity", "yes")
    return [candidate(tx, host) for host in hosts if host.status != "INACTIVE"]


def candidate(tx: Transaction, instance: ContainerInstance) -> CandidateInstance:
    """One instance with what is left on it."""
    tasks = tx.find(TASKS, "container_instance", instance.arn)
    return candidate_of(instance, [task for task in tasks if task.holds_resources()])


def candidate_of(instance: ContainerInstance, held: Iterable[Task]) -> CandidateInstance:
    """The candidate of an instance and the tasks that hold resources on it."""
    tasks = list(held)
    return CandidateInstance(
        arn=instance.arn,
        ec2_instance_id=instance.ec2_instance_id,
        availability_zone=instance.availability_zone,
        remaining_cpu=instance.cpu - sum(task.cpu for task in tasks),
        remaining_memory=instance.memory - sum(task.memory for task in tasks),
        used_tcp_ports=frozenset(instance.reserved_tcp_ports).union(*(t.tcp_ports for t in tasks)),
        used_udp_ports=frozenset(instance.reserved_udp_ports).union(*(t.udp_ports for t in tasks)),
        status=instance.status,
        agent_connected=instance.agent_connected,
        agent_version=instance.agent_version,
        registered_at=instance.registered_at,
        running_tasks_count=sum(1 for task in tasks if task.last_status == "RUNNING"),
        attributes=instance.attributes,
        group_counts=Counter(task.group for task in tasks if task.desired_status == "RUNNING"),
    )
