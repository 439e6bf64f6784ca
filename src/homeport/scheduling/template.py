"""What the tasks of one launch have in common, and how a task record is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from homeport.domain import execute
from homeport.domain.arn import Arns, Ids, last_segment
from homeport.domain.cluster import Tag
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.network_interface import NetworkConfiguration
from homeport.domain.service import Deployment, Service
from homeport.domain.task import Container, ManagedAgent, Task
from homeport.domain.task_definition import TaskDefinition

from .demand import Demand, container_overrides, container_sizes, demand_of

DEFAULT_EPHEMERAL_GIB = 20


@dataclass(frozen=True, slots=True)
class TaskTemplate:
    """Everything about a task to be but its id and its place.

    ``overrides`` is the API's TaskOverride document (validated by the caller); ``tags`` are the
    final tags of the task, managed and propagated ones included.
    """

    task_definition: TaskDefinition
    cluster_arn: str
    group: str
    started_by: str = ""
    service_arn: str | None = None
    deployment_id: str | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    launch_type: str = "EC2"
    network: NetworkConfiguration | None = None  # of awsvpc tasks
    capacity_provider_name: str | None = None
    platform_version: str = ""  # FARGATE: resolved
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False

    def demand(self) -> Demand:
        """Cpu units, MiB and host ports that each task will hold."""
        return demand_of(self.task_definition, self.overrides)

    def ephemeral_storage_gib(self) -> int | None:
        """The disk of a FARGATE task; other tasks have none of their own."""
        if self.launch_type != "FARGATE":
            return None
        for document in (self.overrides, self.task_definition.document):
            wanted = document.get("ephemeralStorage")
            if isinstance(wanted, Mapping) and wanted.get("sizeInGiB"):
                return int(wanted["sizeInGiB"])
        return DEFAULT_EPHEMERAL_GIB


def service_task_template(
    service: Service, deployment: Deployment, task_definition: TaskDefinition
) -> TaskTemplate:
    """The template of a service's tasks in one of its deployments."""
    propagated = {"SERVICE": service.tags, "TASK_DEFINITION": task_definition.tags}
    cluster = last_segment(service.cluster_arn)
    return TaskTemplate(
        task_definition=task_definition,
        cluster_arn=service.cluster_arn,
        group=f"service:{service.name}",
        started_by=deployment.id,
        service_arn=service.arn,
        deployment_id=deployment.id,
        tags=task_tags(
            propagated.get(service.propagate_tags, ()),
            (),
            managed_tags(cluster, service.name) if service.enable_ecs_managed_tags else (),
        ),
        launch_type=deployment.launch_type,
        network=deployment.network,
        platform_version=deployment.platform_version,
        enable_ecs_managed_tags=service.enable_ecs_managed_tags,
        enable_execute_command=service.enable_execute_command,
    )


def managed_tags(cluster_name: str, service_name: str | None = None) -> tuple[Tag, ...]:
    """The tags of ``enableECSManagedTags``."""
    tags = (Tag("aws:ecs:clusterName", cluster_name),)
    return tags if service_name is None else (*tags, Tag("aws:ecs:serviceName", service_name))


def task_tags(
    propagated: Iterable[Tag], explicit: Iterable[Tag], managed: Iterable[Tag]
) -> tuple[Tag, ...]:
    """Merge by key: explicit tags win over propagated ones, managed ones stand always."""
    merged = {tag.key: tag for tags in (propagated, explicit, managed) for tag in tags}
    return tuple(merged.values())


def new_task(
    template: TaskTemplate, instance: ContainerInstance, *, now: float, ids: Ids, arns: Arns
) -> Task:
    """A PENDING task on ``instance``, holding its resources."""
    cluster = last_segment(template.cluster_arn)
    task_id = ids.hex32()
    definition = template.task_definition
    demand = template.demand()
    return Task(
        arn=arns.ecs(f"task/{cluster}/{task_id}"),
        cluster_arn=template.cluster_arn,
        task_definition_arn=definition.arn,
        group=template.group,
        created_at=now,
        containers=_containers(template, f"container/{cluster}/{task_id}", ids, arns),
        cpu=demand.cpu,
        memory=demand.memory,
        tcp_ports=demand.tcp_ports,
        udp_ports=demand.udp_ports,
        launch_type=template.launch_type,
        capacity_provider_name=template.capacity_provider_name,
        platform_version=template.platform_version,
        cpu_architecture=_architecture(template, instance),
        ephemeral_storage_gib=template.ephemeral_storage_gib(),
        container_instance_arn=instance.arn,
        availability_zone=instance.availability_zone,
        service_arn=template.service_arn,
        deployment_id=template.deployment_id,
        started_by=template.started_by,
        overrides=complete_overrides(definition, template.overrides),
        enable_ecs_managed_tags=template.enable_ecs_managed_tags,
        enable_execute_command=template.enable_execute_command,
        tags=template.tags,
    )


def _architecture(template: TaskTemplate, instance: ContainerInstance) -> str:
    """What a FARGATE task tells of its host; nothing else."""
    if template.launch_type != "FARGATE":
        return ""
    return instance.attributes.get("ecs.cpu-architecture") or ""


def _containers(
    template: TaskTemplate, arn_prefix: str, ids: Ids, arns: Arns
) -> tuple[Container, ...]:
    sizes = container_sizes(template.task_definition, template.overrides)
    agents = (ManagedAgent(execute.MANAGED_AGENT),) if template.enable_execute_command else ()
    return tuple(
        Container(
            arn=arns.ecs(f"{arn_prefix}/{ids.uuid()}"),
            name=container.name,
            image=container.image,
            cpu=sizes[container.name].cpu,
            memory=sizes[container.name].memory,
            memory_reservation=sizes[container.name].memory_reservation,
            managed_agents=agents,
        )
        for container in template.task_definition.containers
    )


def complete_overrides(
    definition: TaskDefinition, overrides: Mapping[str, object]
) -> dict[str, object]:
    """The overrides as ECS returns them: every container listed by name."""
    given = {item["name"]: item for item in container_overrides(overrides)}
    listed = [given.get(c.name, {"name": c.name}) for c in definition.containers]
    return {**overrides, "containerOverrides": listed, "inferenceAcceleratorOverrides": []}
