"""Payload → what the Engine is asked to create. Pure.

Names, labels and the merge of the payload's Docker JSON follow the official agent
(``agent/api/task/task.go``), with one difference: the hexadecimal part of a name is derived from
the task and the container instead of drawn at random. So the Engine itself refuses to create a
container twice, whatever the agent remembers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from homeport.decide.container_order import link_parts
from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadMountPoint,
    PayloadPort,
    PayloadTask,
    PayloadVolume,
)
from homeport.domain.port_range import parse_port_range

from .surroundings import Surroundings
from .task_state import Binding

LABEL_TASK_ARN = "com.amazonaws.ecs.task-arn"
LABEL_CONTAINER_NAME = "com.amazonaws.ecs.container-name"
LABEL_FAMILY = "com.amazonaws.ecs.task-definition-family"
LABEL_VERSION = "com.amazonaws.ecs.task-definition-version"
LABEL_CLUSTER = "com.amazonaws.ecs.cluster"

FARGATE_OPEN_FILES = 65535
IPC_SYSCTLS = ("kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue.")
MIB = 1024 * 1024
MINIMUM_MEMORY = 6 * MIB  # what the Engine accepts
MINIMUM_CPU_SHARES = 2  # the kernel's least
NANO_CPUS = 1_000_000_000

Document = dict[str, Any]  # Docker's own JSON


class SpecError(Exception):
    """The payload can't be turned into a container."""


def docker_name(task: PayloadTask, container: str) -> str:
    """``ecs-FAMILY-REVISION-CONTAINER-HEX(20)``, the same each time for one container."""
    digest = hashlib.sha256(f"{task.arn}\n{container}".encode()).hexdigest()[:20]
    clean = re.sub(r"[^A-Za-z0-9-]+", "", container)
    return f"ecs-{task.family}-{task.version}-{clean}-{digest}"


def volume_name(task: PayloadTask, volume: str) -> str:
    """The Engine's volume behind a volume without ``sourcePath``: it lives with the task."""
    digest = hashlib.sha256(f"{task.arn}\n{volume}".encode()).hexdigest()[:20]
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "", volume)
    return f"ecs-{task.family}-{task.version}-{clean}-{digest}"


def task_volumes(task: PayloadTask) -> list[str]:
    """Names of the volumes that go with the task."""
    return [
        volume_name(task, v.name)
        for v in task.volumes or ()
        if _source_path(task, v.name) is None and not is_shared(v)
    ]


def is_shared(volume: PayloadVolume) -> bool:
    """Whether a volume outlives its tasks."""
    docker = volume.docker_volume_configuration
    return docker is not None and docker.scope == "shared"


def labels(task: PayloadTask, container: str, cluster: str) -> dict[str, str]:
    """The official agent's five."""
    return {
        LABEL_TASK_ARN: task.arn,
        LABEL_CONTAINER_NAME: container,
        LABEL_FAMILY: task.family,
        LABEL_VERSION: task.version,
        LABEL_CLUSTER: cluster,
    }


def publishes_ports(task: PayloadTask) -> bool:
    """Whether the Engine maps ports: only on a bridge."""
    return task.network_mode in ("", "bridge", "default")


def host_bindings(container: PayloadContainer) -> tuple[Binding, ...]:
    """Network bindings in host mode: every port is itself."""
    return tuple(
        Binding(p.container_port, p.container_port, p.protocol)
        for p in container.port_mappings or ()
    )


def create_body(
    task: PayloadTask,
    container: PayloadContainer,
    bindings: Sequence[Binding],
    cluster: str,
    around: Surroundings,
) -> Document:
    """The body of ``POST /containers/create``. Raises SpecError."""
    config = {
        **_config(task, container, around),
        **_parsed(container.docker_config.config, "config"),
    }
    config["Labels"] = {**(config.get("Labels") or {}), **labels(task, container.name, cluster)}
    host_config = {
        **_host_config(task, container, bindings, around),
        **_limits(task, container, around.cgroup_parent),
        **_parsed(container.docker_config.host_config, "hostConfig"),
    }
    if host_config.get("LogConfig"):
        host_config["LogConfig"] = _log_config(host_config["LogConfig"], around)
    if task.network_mode not in ("", "bridge", "host", "none", "awsvpc"):
        raise SpecError(f"network mode {task.network_mode} is not supported by this agent")
    if task.network_mode:
        host_config["NetworkMode"] = task.network_mode
    if task.launch_type == "FARGATE":
        host_config |= _many_files(host_config.get("Ulimits") or [], around.open_files)
    if around.pause:
        host_config |= _shared(task, f"container:{around.pause}")
        if sysctls := host_config.pop("Sysctls", None):
            own = {k: v for k, v in sysctls.items() if not _is_of_shared(task, k)}
            host_config |= {"Sysctls": own} if own else {}
    return {**config, "HostConfig": host_config}


def _many_files(ulimits: list[Document], most: int) -> Document:
    """The one limit that Fargate sets by itself, as far as the host goes."""
    if not most or any(limit["Name"] == "nofile" for limit in ulimits):
        return {}
    files = min(FARGATE_OPEN_FILES, most)
    return {"Ulimits": [*ulimits, {"Name": "nofile", "Soft": files, "Hard": files}]}


def _log_config(logging: Document, around: Surroundings) -> Document:
    """The host's options before the definition's own, those that are secret after them."""
    hosts = around.log_options if logging.get("Type") == "awslogs" else {}
    options = {**hosts, **(logging.get("Config") or {}), **around.secrets.log_options}
    return {**logging, "Config": options} if options else logging


def _shared(task: PayloadTask, pause: str) -> Document:
    """The namespaces that are the pause container's."""
    shared = {
        "NetworkMode": task.network_mode == "awsvpc",
        "PidMode": task.pid_mode == "task",
        "IpcMode": task.ipc_mode == "task",
    }
    return {name: pause for name, is_shared in shared.items() if is_shared}


def shared_sysctls(task: PayloadTask) -> dict[str, str]:
    """Kernel parameters of the namespaces that the containers share: the pause container's.

    What one container sets is so for all; of several the last one's ("systemControls", ECS API
    reference). Raises SpecError.
    """
    return {
        name: value
        for container in task.containers or ()
        for name, value in (
            _parsed(container.docker_config.host_config, "hostConfig").get("Sysctls") or {}
        ).items()
        if _is_of_shared(task, name)
    }


def _is_of_shared(task: PayloadTask, sysctl: str) -> bool:
    if sysctl.startswith(IPC_SYSCTLS):
        return task.ipc_mode == "task"
    return sysctl.startswith("net.") and task.network_mode == "awsvpc"


def _config(task: PayloadTask, container: PayloadContainer, around: Surroundings) -> Document:
    environment = {
        **around.defaults,
        **around.secrets.defaults,
        **(container.environment or {}),
        **around.secrets.environment,
        **around.environment,
    }
    config: Document = {
        "Image": container.image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
    }
    if container.command:
        config["Cmd"] = container.command
    if container.entry_point:
        config["Entrypoint"] = container.entry_point
    if publishes_ports(task):
        config["ExposedPorts"] = {
            key: {} for p in container.port_mappings or () for key in _port_keys(p)
        }
    return config


def _host_config(
    task: PayloadTask,
    container: PayloadContainer,
    bindings: Sequence[Binding],
    around: Surroundings,
) -> Document:
    host_config: Document = {
        "CpuShares": max(container.cpu, MINIMUM_CPU_SHARES),
        "Binds": [_bind(task, m, around) for m in container.mount_points or ()],
        "VolumesFrom": [
            docker_name(task, v.source_container) + (":ro" if v.read_only else "")
            for v in container.volumes_from or ()
        ],
    }
    if task.pid_mode == "host":
        host_config["PidMode"] = "host"
    if task.ipc_mode in ("host", "none"):
        host_config["IpcMode"] = task.ipc_mode
    if publishes_ports(task):
        host_config["Links"] = [_link(task, link) for link in container.links or ()]
        host_config["PortBindings"] = _port_bindings(bindings)
    return host_config


def _limits(task: PayloadTask, container: PayloadContainer, cgroup_parent: str) -> Document:
    """The container's own memory limit; the task's limits are those of its control group.

    Where this agent can make none, the task's limits bound each container.
    """
    if cgroup_parent:
        own = {"Memory": max(container.memory * MIB, MINIMUM_MEMORY)} if container.memory else {}
        return {"CgroupParent": cgroup_parent, **own}
    limits: Document = {}
    memory = container.memory or task.memory
    if memory:
        limits["Memory"] = max(memory * MIB, MINIMUM_MEMORY)
    if task.cpu:
        limits["NanoCpus"] = int(task.cpu * NANO_CPUS)
    return limits


def _port_bindings(bindings: Sequence[Binding]) -> dict[str, list[Document]]:
    ports: dict[str, list[Document]] = {}
    for binding in bindings:
        key = f"{binding.container_port}/{binding.protocol}"
        ports.setdefault(key, []).append({"HostIp": "0.0.0.0", "HostPort": str(binding.host_port)})
    return ports


def _port_keys(port: PayloadPort) -> list[str]:
    wanted = [port.container_port]
    if port.container_port_range:
        wanted = list(parse_port_range(port.container_port_range))
    return [f"{number}/{port.protocol}" for number in wanted]


def _link(task: PayloadTask, link: str) -> str:
    name, alias = link_parts(link)
    return f"{docker_name(task, name)}:{alias}"


def _bind(task: PayloadTask, mount: PayloadMountPoint, around: Surroundings) -> str:
    if mount.source_volume not in {v.name for v in task.volumes or ()}:
        raise SpecError(f"volume {mount.source_volume} is not a volume of the task")
    volume = next(v for v in task.volumes or () if v.name == mount.source_volume)
    named = volume.name if is_shared(volume) else volume_name(task, volume.name)
    there = around.directories.get(volume.name) or _source_path(task, mount.source_volume)
    source = there or named
    return f"{source}:{mount.container_path}" + (":ro" if mount.read_only else "")


def _source_path(task: PayloadTask, volume: str) -> str | None:
    found = next(v for v in task.volumes or () if v.name == volume)
    return (found.host.source_path if found.host else None) or None


def _parsed(text: str, what: str) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(text or "{}", type=dict[str, Any] | None)
    except msgspec.DecodeError as error:
        raise SpecError(f"Unable to decode given docker {what}: {error}") from error
    return document or {}
