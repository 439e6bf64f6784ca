"""Metadata documents, version 4: what the Engine and the agent know of a task. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from homeport.domain.agent_payload import PayloadTask

from ..container_spec import docker_name
from ..settings import AgentSettings
from ..task_state import ContainerState, TaskState, definition, task_status

Document = dict[str, Any]  # JSON with members as the official agent names them
Inspected = Mapping[str, Any]  # the Engine's own document of a container

_KNOWN = {"NONE": "NONE", "CREATED": "CREATED", "RUNNING": "RUNNING", "STOPPED": "STOPPED"}


def task_document(
    task: TaskState, containers: Iterable[Document], settings: AgentSettings, vpc_id: str = ""
) -> Document:
    """``/v4/ID/task``; what is not known is left out."""
    payload = task.payload
    document: Document = {
        "Cluster": settings.cluster,
        "TaskARN": task.arn,
        "Family": payload.family,
        "Revision": payload.version,
        "DesiredStatus": task.desired,
        "KnownStatus": task_status(task),
        "PullStartedAt": moment(task.pull_started_at),
        "PullStoppedAt": moment(task.pull_stopped_at),
        "ExecutionStoppedAt": moment(task.execution_stopped_at),
        "AvailabilityZone": settings.zone,
        "LaunchType": payload.launch_type,
        "ServiceName": payload.service_name,
        "Group": payload.group,
        "VPCID": vpc_id,
        "Containers": list(containers),
    }
    if payload.launch_type == "FARGATE":
        document["Cluster"] = payload.task_cluster_arn
    if payload.cpu or payload.memory:
        limits = {"CPU": payload.cpu, "Memory": payload.memory}
        document["Limits"] = {name: value for name, value in limits.items() if value}
    return {**known(document), "FaultInjectionEnabled": False}


def container_document(task: TaskState, state: ContainerState, inspected: Inspected) -> Document:
    """``/v4/ID``; ``inspected`` empty while the Engine has no such container."""
    wanted = definition(task, state.name)
    config: Mapping[str, Any] = inspected.get("Config") or {}
    host_config: Mapping[str, Any] = inspected.get("HostConfig") or {}
    log: Mapping[str, Any] = host_config.get("LogConfig") or {}
    engine_state: Mapping[str, Any] = inspected.get("State") or {}
    document: Document = {
        "DockerId": state.docker_id or str(inspected.get("Id") or ""),
        "Name": state.name,
        "DockerName": docker_name(task.payload, state.name),
        "Image": wanted.image,
        "ImageID": inspected.get("Image"),
        "Ports": _ports(state),
        "Labels": config.get("Labels"),
        "DesiredStatus": "STOPPED" if task.desired == "STOPPED" else "RUNNING",
        "KnownStatus": _KNOWN[state.status],
        "CreatedAt": seen(inspected.get("Created")),
        "StartedAt": seen(engine_state.get("StartedAt")) or moment(state.started_at),
        "FinishedAt": seen(engine_state.get("FinishedAt")) if state.status == "STOPPED" else None,
        "Type": "NORMAL",
        "Volumes": [_volume(m) for m in inspected.get("Mounts") or ()],
        "LogDriver": log.get("Type"),
        "LogOptions": log.get("Config"),
        "ContainerARN": wanted.container_arn,
        "Networks": networks(task.payload, inspected),
    }
    if wanted.health_check_type:
        document["Health"] = _health(state, engine_state)
    document = known(document)
    if state.exit_code is not None:
        document["ExitCode"] = state.exit_code
    if wanted.restart_policy is not None and wanted.restart_policy.enabled:
        document["RestartCount"] = state.restarts
    document["Limits"] = {"CPU": wanted.cpu, "Memory": wanted.memory}
    return document


def networks(task: PayloadTask, inspected: Inspected) -> list[Document]:
    """One entry per network; an awsvpc task has its interface."""
    if task.network_mode == "awsvpc":
        return [_interface(task)] if task.elastic_network_interfaces else []
    attached: Mapping[str, Any] = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return [
        {
            "NetworkMode": mode,
            "IPv4Addresses": [network["IPAddress"]] if network.get("IPAddress") else [],
        }
        for mode, network in attached.items()
    ]


def _interface(task: PayloadTask) -> Document:
    interface = (task.elastic_network_interfaces or [])[0]
    gateway = interface.subnet_gateway_ipv4_address
    block = str(ipaddress.ip_network(gateway, strict=False)) if gateway else ""
    return known(
        {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [a.private_address for a in interface.ipv4_addresses or ()],
            "AttachmentIndex": 0,
            "MACAddress": interface.mac_address,
            "IPv4SubnetCIDRBlock": block,
            "DomainNameServers": interface.domain_name_servers,
            "DomainNameSearchList": interface.domain_name,
            "PrivateDNSName": interface.private_dns_name,
            "SubnetGatewayIpv4Address": gateway,
        }
    )


def _ports(state: ContainerState) -> list[Document]:
    return [
        {
            "ContainerPort": b.container_port,
            "Protocol": b.protocol,
            "HostPort": b.host_port,
            "HostIp": "0.0.0.0",
        }
        for b in state.bindings
    ]


def _volume(mount: Mapping[str, Any]) -> Document:
    return known(
        {
            "DockerName": mount.get("Name"),
            "Source": mount.get("Source"),
            "Destination": mount.get("Destination"),
        }
    )


def _health(state: ContainerState, engine_state: Mapping[str, Any]) -> Document:
    log = (engine_state.get("Health") or {}).get("Log") or []
    last: Mapping[str, Any] = log[-1] if log else {}
    document = known(
        {
            "status": state.health,
            "statusSince": moment(state.health_since or None),
            "output": last.get("Output"),
        }
    )
    if last.get("ExitCode"):
        document["exitCode"] = last["ExitCode"]
    return document


def known(document: Document) -> Document:
    """Without what is empty; numbers stay."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def moment(at: float | None) -> str | None:
    """Epoch seconds as RFC 3339."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def seen(text: object) -> str | None:
    """A time as the Engine gives it; None for its zero."""
    return text if isinstance(text, str) and text and not text.startswith("0001-") else None
