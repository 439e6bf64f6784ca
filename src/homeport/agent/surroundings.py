"""What the host adds to a container that its definition does not say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .awslogs import log_options
from .metadata.address import ADDRESS, api_url
from .settings import AgentSettings
from .task_secrets import NOTHING, ContainerSecrets
from .task_state import TaskState, container


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``environment``: variables that are set whatever the definition says; ``defaults``: those
    that a definition may set otherwise. ``pause``: the container whose namespaces are shared.
    ``log_options``: what awslogs needs to know of the host.
    ``cgroup_parent``: the task's control group, which bounds its containers together.
    ``open_files``: the most that this host can let a process open. ``directories``: where volumes
    of EFS are on this host, by name. ``secrets``: what was fetched for the container; it goes into
    the create request alone."""

    environment: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    log_options: Mapping[str, str] = field(default_factory=dict)
    pause: str = ""
    cgroup_parent: str = ""
    open_files: int = 0
    directories: Mapping[str, str] = field(default_factory=dict)
    secrets: ContainerSecrets = NOTHING


def surroundings(
    task: TaskState, name: str, settings: AgentSettings, *, endpoint: bool
) -> Surroundings:
    """Of the container ``name``; ``endpoint``: whether this host serves 169.254.170.2."""
    defaults = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"
        if task.payload.launch_type == "FARGATE"
        else "AWS_ECS_EC2",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
    }
    state = container(task, name)
    if not endpoint or state is None:
        return Surroundings(defaults=defaults)
    environment = {
        "ECS_CONTAINER_METADATA_URI": f"http://{ADDRESS}/v3/{state.metadata_id}",
        "ECS_CONTAINER_METADATA_URI_V4": f"http://{ADDRESS}/v4/{state.metadata_id}",
        "ECS_AGENT_URI": f"http://{ADDRESS}/api/{state.metadata_id}",
    }
    role = task.payload.role_credentials
    if role is not None and role.credentials_id:
        path = f"/v2/credentials/{role.credentials_id}"
        environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = path
        defaults["AWS_ENDPOINT_URL"] = api_url(settings)
    return Surroundings(environment, defaults, log_options(task.payload, name, settings))
