"""What the Engine's awslogs driver needs of this host, and what its failures are called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from homeport.domain.agent_payload import PayloadTask

from .credentials import instance_credentials
from .settings import AgentSettings

CAPABILITIES = (
    "com.amazonaws.ecs.capability.logging-driver.awslogs",
    "ecs.capability.execution-role-awslogs",
)
"""Of a host whose Engine has the driver and gets credentials at 169.254.170.2."""

FLUSH_SECONDS = "1"
"""How long the driver gathers lines at most; its own 5 seconds are long for who follows them."""

_NOT_INITIALIZED = "failed to initialize logging driver: "


def log_options(task: PayloadTask, name: str, settings: AgentSettings) -> dict[str, str]:
    """Where the driver finds the API, and the credentials that it signs with: those of the task's
    execution role, or without one the instance's own, as on EC2."""
    role = task.execution_role_credentials
    container = next(c for c in task.containers or () if c.name == name)
    if container.logs_auth_strategy == "EXECUTION_ROLE" and role is not None:
        credentials_id = role.credentials_id
    else:
        credentials_id = instance_credentials(settings.credentials).credentials_id
    return {
        "awslogs-endpoint": settings.endpoint_url,
        "awslogs-force-flush-interval-seconds": FLUSH_SECONDS,
        "awslogs-credentials-endpoint": f"/v2/credentials/{credentials_id}",
    }


def lacks_credentials(message: str) -> bool:
    """Whether the driver had none: 169.254.170.2 did not answer, or did not know them."""
    return _NOT_INITIALIZED in message and "CredentialsEndpointError" in message


@dataclass(frozen=True, slots=True)
class LogStream:
    """Where a container's output goes."""

    group: str
    name: str
    create_group: bool


def log_streams(task: PayloadTask) -> list[LogStream]:
    """Those that the platform makes before it starts a FARGATE task; others have none."""
    if task.launch_type != "FARGATE":
        return []
    found = (_log_stream(c.docker_config.host_config) for c in task.containers or ())
    return [stream for stream in found if stream is not None]


def _log_stream(host_config: str) -> LogStream | None:
    try:
        document = msgspec.json.decode(host_config, type=_HostConfig)
    except msgspec.DecodeError:
        return None  # create_body says what is wrong with it
    driver, options = document.log_config.type, document.log_config.config
    if driver != "awslogs" or "awslogs-stream" not in options:
        return None
    return LogStream(
        options.get("awslogs-group", ""),
        options["awslogs-stream"],
        options.get("awslogs-create-group") == "true",
    )


class _LogConfig(msgspec.Struct, frozen=True, rename="pascal"):
    type: str = ""
    config: dict[str, str] = {}


class _HostConfig(msgspec.Struct, frozen=True, rename="pascal"):
    log_config: _LogConfig = _LogConfig()


def start_failure(launch_type: str, message: str) -> str:
    """The reason of a container that the Engine did not start, in ECS's words.

    On Fargate logging is set up before the container, by a program of its own.
    """
    _, found, detail = message.partition(_NOT_INITIALIZED)
    if launch_type == "FARGATE" and found:
        return (
            "ResourceInitializationError: failed to validate logger args: create stream has been"
            f" retried 1 times: {detail} : exit status 1"
        )
    return f"CannotStartContainerError: {message}"
