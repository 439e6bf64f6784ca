"""Task + task definition → what the agent is sent. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homeport.domain.service import Service
from homeport.domain.task import Container, Task
from homeport.domain.task_definition import TaskDefinition

from . import docker_config
from .log_config import DEFAULT_MODE, log_config
from .role_credentials import role_of
from .secret_members import region_of, secret_members

# A payload is the protocol's own JSON document; its containers carry open-ended Docker JSON.
Payload = dict[str, Any]


def run_payload(
    task: Task,
    definition: TaskDefinition,
    service: Service | None,
    interfaces: Sequence[Payload] = (),
    log_mode: str = DEFAULT_MODE,
) -> Payload:
    """A task that is to run (member ``tasks[]`` of a PayloadMessage).

    ``interfaces``: its ``elasticNetworkInterfaces`` (``network.interface_payload``).
    ``log_mode``: of awslogs where a container names none.
    """
    overrides = container_overrides(task)
    documents = {d["name"]: d for d in containers_of(definition)}
    payload: Payload = {
        "arn": task.arn,
        "taskClusterArn": task.cluster_arn,
        "family": definition.family,
        "version": str(definition.revision),
        "desiredStatus": "RUNNING",
        "networkMode": definition.network_mode,
        "launchType": task.launch_type,
        "group": task.group,
        "overrides": "{}",
        "volumes": [_volume(v) for v in definition.document.get("volumes") or ()],  # type: ignore[attr-defined]
        "containers": [
            _container(
                c,
                documents[c.name],
                overrides.get(c.name, {}),
                definition.network_mode,
                log_config(documents[c.name].get("logConfiguration"), c.name, task.arn, log_mode),
            )
            for c in task.containers
        ],
    }
    if cpu := _task_size(task, "cpu") or definition.cpu:
        payload["cpu"] = cpu / 1024
    if memory := _task_size(task, "memory") or definition.memory:
        payload["memory"] = memory
    if interfaces:
        payload["elasticNetworkInterfaces"] = list(interfaces)
    if service is not None:
        payload["serviceName"] = service.name
    if role_of(task, definition, "executionRoleArn"):
        for container in payload["containers"]:
            container["logsAuthStrategy"] = "EXECUTION_ROLE"
    for name in ("pidMode", "ipcMode"):
        if definition.document.get(name):
            payload[name] = definition.document[name]
    return payload


def stop_payload(task: Task) -> Payload:
    """A task that is to stop: the agent looks only at ``arn`` and ``desiredStatus``."""
    return {
        "arn": task.arn,
        "taskClusterArn": task.cluster_arn,
        "desiredStatus": "STOPPED",
        "overrides": "{}",
        "containers": [],
        "volumes": [],
    }


def containers_of(definition: TaskDefinition) -> list[dict[str, Any]]:
    """The container definitions as registered."""
    documents: Any = definition.document["containerDefinitions"]
    return list(documents)


def container_overrides(task: Task) -> dict[str, Mapping[str, Any]]:
    """``overrides.containerOverrides`` by container name."""
    overrides: Any = task.overrides.get("containerOverrides") or ()
    return {override["name"]: override for override in overrides}


def _task_size(task: Task, name: str) -> int | None:
    """The task-level override (RunTask has checked that it is a number)."""
    value = task.overrides.get(name)
    return int(value) if isinstance(value, str) and value else None


def _container(
    container: Container,
    document: Mapping[str, Any],
    override: Mapping[str, Any],
    network_mode: str,
    logging: Mapping[str, Any] | None,
) -> Payload:
    merged = {**document, **{k: v for k, v in override.items() if k != "environment"}}
    environment = {e["name"]: e["value"] for e in document.get("environment", ())}
    environment.update({e["name"]: e["value"] for e in override.get("environment", ())})
    payload: Payload = {
        "name": container.name,
        "containerArn": container.arn,
        "image": container.image,
        "cpu": merged.get("cpu") or 0,
        "memory": merged.get("memory") or 0,
        "essential": document.get("essential", True),
        "environment": environment,
        "portMappings": [_port(p) for p in document.get("portMappings", ())],
        "mountPoints": list(document.get("mountPoints", ())),
        "volumesFrom": list(document.get("volumesFrom", ())),
        "links": list(document.get("links", ())),
        "overrides": "{}",
        "dockerConfig": {
            "version": "1.21",
            "config": json.dumps(docker_config.config(merged)),
            "hostConfig": json.dumps(docker_config.host_config(merged, network_mode, logging)),
        },
    }
    for name in (
        *("command", "entryPoint", "dependsOn", "startTimeout", "stopTimeout"),
        "restartPolicy",
    ):
        if merged.get(name) is not None:
            payload[name] = merged[name]
    if container.managed_agents:
        payload["managedAgents"] = [{"name": agent.name} for agent in container.managed_agents]
    if document.get("healthCheck"):
        payload["healthCheckType"] = "docker"
    return {**payload, **secret_members(merged, region_of(container.arn))}


def _port(mapping: Mapping[str, Any]) -> Payload:
    protocol = mapping.get("protocol") or "tcp"
    if mapping.get("containerPortRange"):
        return {"containerPortRange": mapping["containerPortRange"], "protocol": protocol}
    return {
        "containerPort": mapping["containerPort"],
        "hostPort": mapping.get("hostPort") or 0,
        "protocol": protocol,
    }


def _volume(volume: Mapping[str, Any]) -> Payload:
    docker: Mapping[str, Any] | None = volume.get("dockerVolumeConfiguration")
    if docker:
        configuration = {"scope": "task", **docker}
        return {
            "name": volume["name"],
            "type": "docker",
            "dockerVolumeConfiguration": configuration,
        }
    efs: Mapping[str, Any] | None = volume.get("efsVolumeConfiguration")
    if efs:
        return {"name": volume["name"], "type": "efs", "efsVolumeConfiguration": dict(efs)}
    return {"name": volume["name"], "type": "host", "host": volume.get("host") or {}}
