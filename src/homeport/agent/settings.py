"""One frozen settings record for the agent, and how the environment fills it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from .efs import check_mapping

AGENT_VERSION = "1.105.1"
"""The version of the official agent whose protocol this agent speaks."""

AGENT_HASH = "homeport"

PullBehavior = Literal["default", "always", "prefer-cached"]

DEFAULT_DOCKER_URL = "unix:///var/run/docker.sock"


class SettingsError(Exception):
    """A setting is missing or makes no sense, in words for the person who set it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; never shown."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What one agent was asked for. Times in seconds, memory in MiB.

    ``host_address``: what load balancers use to reach host ports; empty = find out (the Docker
    bridge's gateway when the endpoint is on this machine, else the source address of the
    default route). ``image_pull_behavior`` as the official agent's ``ECS_IMAGE_PULL_BEHAVIOR``.
    ``clean_up_after``: how long a stopped task's containers are kept for looking at.
    ``starts_at_once``: 0 = one per core, at least 2. ``cgroup_parent``: the control group under
    which each task with limits gets its own. ``efs``: file systems by id, see ``agent.efs``.
    """

    endpoint_url: str
    data_dir: Path
    credentials: Credentials
    cluster: str = "default"
    region: str = "us-east-1"
    docker_url: str = DEFAULT_DOCKER_URL
    host_address: str = ""
    availability_zone: str = ""
    instance_type: str = "homeport.local"
    reserved_memory: int = 0
    attributes: tuple[tuple[str, str], ...] = ()
    image_pull_behavior: PullBehavior = "prefer-cached"
    pull_timeout: float = 600.0
    create_timeout: float = 240.0
    start_timeout: float = 180.0
    stop_timeout: int = 30
    clean_up_after: float = 600.0
    keep_stopped_tasks: int = 100
    starts_at_once: int = 0
    cgroup_parent: str = "/ecs"
    reconcile_every: float = 30.0
    metrics_every: float = 20.0
    efs: tuple[tuple[str, str], ...] = ()

    @property
    def zone(self) -> str:
        """The availability zone; by default the region's first."""
        return self.availability_zone or f"{self.region}a"

    @property
    def endpoint_is_local(self) -> bool:
        """Whether the control plane listens on this machine's loopback."""
        host = urlsplit(self.endpoint_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def settings_from_environment(environment: Mapping[str, str]) -> AgentSettings:
    """Read ``HOMEPORT_AGENT_*`` and ``AWS_*``. Raises SettingsError."""

    def value(name: str, default: str = "") -> str:
        return environment.get(f"HOMEPORT_AGENT_{name}") or default

    endpoint = value("ENDPOINT") or environment.get("AWS_ENDPOINT_URL", "")
    data_dir = value("DATA_DIR")
    if not endpoint:
        raise SettingsError("HOMEPORT_AGENT_ENDPOINT (or AWS_ENDPOINT_URL) is not set.")
    if not data_dir:
        raise SettingsError("HOMEPORT_AGENT_DATA_DIR is not set.")
    return AgentSettings(
        endpoint_url=endpoint.rstrip("/"),
        data_dir=Path(data_dir),
        credentials=credentials_from_environment(
            environment, Path(file) if (file := value("CREDENTIALS_FILE")) else None
        ),
        cluster=value("CLUSTER", "default"),
        region=environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or "us-east-1",
        docker_url=value("DOCKER_URL") or environment.get("DOCKER_HOST") or DEFAULT_DOCKER_URL,
        host_address=value("HOST_ADDRESS"),
        availability_zone=value("AVAILABILITY_ZONE"),
        reserved_memory=_integer("RESERVED_MEMORY", value("RESERVED_MEMORY", "0")),
        attributes=_attributes(value("ATTRIBUTES", "{}")),
        image_pull_behavior=_pull_behavior(value("IMAGE_PULL_BEHAVIOR", "prefer-cached")),
        stop_timeout=_integer("STOP_TIMEOUT", value("STOP_TIMEOUT", "30")),
        clean_up_after=_integer("CLEAN_UP_AFTER", value("CLEAN_UP_AFTER", "600")),
        efs=_efs(value("EFS", "{}")),
        cgroup_parent=_cgroup(value("CGROUP_PARENT", "/ecs")),
    )


def credentials_from_environment(
    environment: Mapping[str, str], file: Path | None = None
) -> Credentials:
    """Those of the file, if one is named, else ``AWS_*``. Raises SettingsError."""
    if file:
        return credentials_from_file(file)
    key_id = environment.get("AWS_ACCESS_KEY_ID", "")
    secret = environment.get("AWS_SECRET_ACCESS_KEY", "")
    if not key_id or not secret:
        raise SettingsError(
            "No credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
            " HOMEPORT_AGENT_CREDENTIALS_FILE."
        )
    return Credentials(key_id, secret, environment.get("AWS_SESSION_TOKEN") or None)


def credentials_from_file(path: Path) -> Credentials:
    """JSON with ``access_key_id`` and ``secret_access_key``, readable by its owner only."""
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"{path} can be read by others: chmod 600 {path}")
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return Credentials(document["access_key_id"], document["secret_access_key"])
    except (OSError, KeyError, msgspec.DecodeError) as error:
        raise SettingsError(f"The credentials file {path} can't be used: {error!r}") from error


def _attributes(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(msgspec.json.decode(text, type=dict[str, str]).items())
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"HOMEPORT_AGENT_ATTRIBUTES must be a JSON object of strings: {error}"
        ) from error


def _efs(text: str) -> tuple[tuple[str, str], ...]:
    try:
        return check_mapping(msgspec.json.decode(text, type=dict[str, str]))
    except (msgspec.DecodeError, ValueError) as error:
        raise SettingsError(
            f"HOMEPORT_AGENT_EFS must be a JSON object of file systems: {error}"
        ) from error


def _integer(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise SettingsError(f"HOMEPORT_AGENT_{name} must be a number, not {text!r}.") from None
    if number < 0:
        raise SettingsError(f"HOMEPORT_AGENT_{name} must not be negative.")
    return number


def _cgroup(text: str) -> str:
    parts = text.strip("/").split("/")
    if not text.startswith("/") or not all(p.strip(".") for p in parts):
        raise SettingsError(
            f"HOMEPORT_AGENT_CGROUP_PARENT must be a path below the hierarchy's root, not {text!r}."
        )
    return "/" + "/".join(parts)


def _pull_behavior(text: str) -> PullBehavior:
    try:
        behavior: PullBehavior = msgspec.convert(text, PullBehavior)
    except msgspec.ValidationError:
        raise SettingsError(
            "HOMEPORT_AGENT_IMAGE_PULL_BEHAVIOR must be default, always or prefer-cached."
        ) from None
    return behavior
