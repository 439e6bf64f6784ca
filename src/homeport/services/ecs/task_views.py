"""Task record → the ``Task`` structure of the API.

DescribeTasks is what everybody polls: a view is one pass over the record, about 2 µs, which is
less than a cache of views would be worth.
"""

from __future__ import annotations

from homeport.domain.network_interface import InterfaceAttachment
from homeport.domain.task import Container, ManagedAgent, NetworkBinding, Task

from .fargate_launch import platform_members
from .tags import view as tags_view

View = dict[str, object]


def task_view(task: Task, *, include_tags: bool = False) -> View:
    """``Task`` as DescribeTasks shows it. Members that are None are dropped by the encoder."""
    return {
        "attachments": [] if task.interface is None else [_attachment_view(task.interface)],
        "capacityProviderName": task.capacity_provider_name,
        "availabilityZone": task.availability_zone,
        "clusterArn": task.cluster_arn,
        "connectivity": "CONNECTED" if task.connectivity_at else None,
        "connectivityAt": task.connectivity_at,
        "containers": [_container_view(c, task) for c in task.containers],
        "cpu": str(task.cpu),
        "createdAt": task.created_at,
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": task.enable_execute_command,
        "executionStoppedAt": task.execution_stopped_at,
        "group": task.group,
        "healthStatus": task.health_status,
        "inferenceAccelerators": [],
        "lastStatus": task.last_status,
        "launchType": task.launch_type,
        "memory": str(task.memory),
        "overrides": task.overrides,
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "startedAt": task.started_at,
        "startedBy": task.started_by or None,
        "stopCode": task.stop_code,
        "stoppedAt": task.stopped_at,
        "stoppedReason": task.stopped_reason,
        "stoppingAt": task.stopping_at,
        "tags": tags_view(task.tags) if include_tags else [],
        "taskArn": task.arn,
        "taskDefinitionArn": task.task_definition_arn,
        "version": task.version,
        **_place(task),
    }


def _place(task: Task) -> View:
    """Where it runs: a FARGATE task has a platform, any other a container instance."""
    if task.launch_type != "FARGATE":
        return {"containerInstanceArn": task.container_instance_arn, "attributes": []}
    disk = {"sizeInGiB": task.ephemeral_storage_gib}
    return {
        **platform_members("FARGATE", task.platform_version),
        "attributes": [{"name": "ecs.cpu-architecture", "value": task.cpu_architecture}]
        if task.cpu_architecture
        else [],
        "ephemeralStorage": disk,
        "fargateEphemeralStorage": disk,
    }


def _container_view(container: Container, task: Task) -> View:
    reservation = container.memory_reservation
    return {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "lastStatus": container.last_status,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "networkBindings": [_binding_view(b) for b in container.network_bindings],
        "networkInterfaces": [] if task.interface is None else [_interface_view(task.interface)],
        "healthStatus": container.health_status,
        "cpu": str(container.cpu),
        "memory": None if container.memory is None else str(container.memory),
        "memoryReservation": None if reservation is None else str(reservation),
        "managedAgents": [_managed_agent_view(a) for a in container.managed_agents] or None,
    }


def _managed_agent_view(agent: ManagedAgent) -> View:
    return {
        "name": agent.name,
        "lastStatus": agent.last_status,
        "lastStartedAt": agent.last_started_at,
        "reason": agent.reason,
    }


def _attachment_view(interface: InterfaceAttachment) -> View:
    details = (
        ("subnetId", interface.subnet_id),
        ("networkInterfaceId", interface.network_interface_id),
        ("macAddress", interface.mac_address),
        ("privateDnsName", interface.private_dns_name),
        ("privateIPv4Address", interface.private_ip_address),
    )
    return {
        "id": interface.id,
        "type": "ElasticNetworkInterface",
        "status": interface.status,
        "details": [{"name": name, "value": value} for name, value in details],
    }


def _interface_view(interface: InterfaceAttachment) -> View:
    return {
        "attachmentId": interface.id,
        "privateIpv4Address": interface.private_ip_address,
    }


def _binding_view(binding: NetworkBinding) -> View:
    if binding.container_port_range:
        return {
            "bindIP": binding.bind_ip,
            "containerPortRange": binding.container_port_range,
            "hostPortRange": binding.host_port_range,
            "protocol": binding.protocol,
        }
    return {
        "bindIP": binding.bind_ip,
        "containerPort": binding.container_port,
        "hostPort": binding.host_port,
        "protocol": binding.protocol,
    }
