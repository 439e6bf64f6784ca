"""Messages of the ECS agent protocol (ACS and TCS), as the official agent sends and reads them.

Members are lowerCamel on the wire. A frame is ``{"type": NAME, "message": {…}}``; frames that an
agent sends over TCS are preceded by a block of signed header lines. Unknown types and unknown
members are tolerated both ways. Source: ``ecs-agent/{acs,tcs}/model`` of amazon-ecs-agent.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class MalformedFrame(ValueError):
    """A text that is not a frame, or a known message whose members have wrong types."""


class Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of every message: lowerCamel members, defaults are not sent."""


# ── What is to run ──────────────────────────────────────────────────────────────────────────────


class PayloadPort(Wire, frozen=True):
    """One port mapping; ``host_port`` 0 asks the agent to choose. With ``container_port_range``
    (``5000-5010``) it is as many ports in a row, on the host wherever there is room."""

    container_port: int = 0
    host_port: int = 0
    protocol: str = "tcp"
    container_port_range: str | None = None


class PayloadMountPoint(Wire, frozen=True):
    """Where a volume of the task appears in a container."""

    source_volume: str = ""
    container_path: str = ""
    read_only: bool = False


class PayloadVolumeFrom(Wire, frozen=True):
    """All volumes of another container of the task."""

    source_container: str = ""
    read_only: bool = False


class PayloadDependency(Wire, frozen=True):
    """``condition``: START, COMPLETE, SUCCESS or HEALTHY."""

    container_name: str
    condition: str = "START"


class PayloadRestartPolicy(Wire, frozen=True):
    """A container is started again in its task if it ran ``restart_attempt_period`` seconds and
    its exit code is not ignored."""

    enabled: bool = False
    ignored_exit_codes: list[int] | None = None
    restart_attempt_period: int = 300


class PayloadManagedAgent(Wire, frozen=True):
    """A program of ECS beside a container: ``ExecuteCommandAgent``."""

    name: str = ""


class PayloadDockerConfig(Wire, frozen=True):
    """Docker Engine's own ``Config`` and ``HostConfig`` documents, each a JSON string."""

    version: str = ""
    config: str = "{}"
    host_config: str = "{}"


class PayloadSecret(Wire, frozen=True):
    """A value to be fetched from ``provider`` (ssm, asm). ``target`` LOG_DRIVER: it is an option
    of the container's log driver, otherwise one of its environment variables."""

    name: str
    value_from: str
    region: str = ""
    provider: str = "ssm"
    type: str = "ENVIRONMENT_VARIABLE"
    target: str = "CONTAINER"


class PayloadEnvironmentFile(Wire, frozen=True):
    """A file of environment variables; ``value`` is the ARN of an S3 object."""

    value: str
    type: str = "s3"


class PayloadAsmAuth(Wire, frozen=True):
    """The secret that holds the user name and password of a registry."""

    credentials_parameter: str = ""
    region: str = ""


class PayloadRegistryAuthentication(Wire, frozen=True):
    """How an image is pulled; ``type`` asm: with a secret's user name and password."""

    type: str = ""
    asm_auth_data: PayloadAsmAuth | None = None


class PayloadContainer(Wire, frozen=True):
    """A container of a task: ``cpu`` in units (1024 a core), ``memory`` in MiB, timeouts in s.

    ``logs_auth_strategy`` EXECUTION_ROLE: awslogs signs with the task's execution role.
    """

    name: str
    image: str = ""
    container_arn: str = ""
    cpu: int = 0
    memory: int = 0
    essential: bool = False
    command: list[str] | None = None
    entry_point: list[str] | None = None
    environment: dict[str, str] | None = None
    port_mappings: list[PayloadPort] | None = None
    links: list[str] | None = None
    volumes_from: list[PayloadVolumeFrom] | None = None
    mount_points: list[PayloadMountPoint] | None = None
    depends_on: list[PayloadDependency] | None = None
    start_timeout: int | None = None
    stop_timeout: int | None = None
    health_check_type: str | None = None
    restart_policy: PayloadRestartPolicy | None = None
    managed_agents: list[PayloadManagedAgent] | None = None
    overrides: str | None = None
    secrets: list[PayloadSecret] | None = None
    environment_files: list[PayloadEnvironmentFile] | None = None
    registry_authentication: PayloadRegistryAuthentication | None = None
    docker_config: PayloadDockerConfig = PayloadDockerConfig()
    logs_auth_strategy: str = ""


class PayloadHostVolume(Wire, frozen=True):
    """``source_path`` empty: a directory that lives as long as the task."""

    source_path: str | None = None


class PayloadDockerVolume(Wire, frozen=True):
    """A volume of the Engine. ``scope``: ``task`` lives with its task, ``shared`` outlives it and
    is made when it is missing if ``autoprovision``."""

    scope: str = "task"
    autoprovision: bool = False
    driver: str = ""
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class PayloadEfsAuthorization(Wire, frozen=True):
    """``iam``: ENABLED or DISABLED."""

    access_point_id: str | None = None
    iam: str | None = None


class PayloadEfsVolume(Wire, frozen=True):
    """A file system of EFS, or a directory of it."""

    file_system_id: str = ""
    root_directory: str | None = None
    transit_encryption: str | None = None
    transit_encryption_port: int | None = None
    authorization_config: PayloadEfsAuthorization | None = None


class PayloadVolume(Wire, frozen=True):
    """A volume of a task; ``type`` is ``host``, ``docker`` or ``efs``."""

    name: str
    type: str = "host"
    host: PayloadHostVolume | None = None
    docker_volume_configuration: PayloadDockerVolume | None = None
    efs_volume_configuration: PayloadEfsVolume | None = None


class RoleCredentials(Wire, frozen=True):
    """Temporary credentials of a role for one task. ``expiration``: RFC 3339, UTC.

    ``credentials_id`` is unguessable and stays the same when they are renewed: it is the path
    at which a container asks for them.
    """

    credentials_id: str = ""
    role_arn: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    expiration: str = ""

    def __repr__(self) -> str:
        return f"RoleCredentials({self.role_arn}, until {self.expiration})"


class PayloadAddress(Wire, frozen=True):
    """An IPv4 address of a network interface."""

    primary: bool = False
    private_address: str = ""


class PayloadInterface(Wire, frozen=True):
    """The network interface of an awsvpc task. ``subnet_gateway_ipv4_address`` carries the length
    of the subnet's prefix (``172.31.0.1/20``); ``attachment_arn`` is what its state is reported
    for."""

    attachment_arn: str = ""
    ec2_id: str = ""
    mac_address: str = ""
    ipv4_addresses: list[PayloadAddress] | None = None
    subnet_gateway_ipv4_address: str = ""
    private_dns_name: str = ""
    domain_name: list[str] | None = None
    domain_name_servers: list[str] | None = None


class PayloadTask(Wire, frozen=True):
    """A task; for ``desired_status`` STOPPED only that and ``arn`` matter.

    ``cpu`` is a number of vCPUs, ``memory`` MiB: limits of the whole task.
    """

    arn: str
    desired_status: str
    family: str = ""
    version: str = ""
    task_cluster_arn: str = ""
    containers: list[PayloadContainer] | None = None
    volumes: list[PayloadVolume] | None = None
    network_mode: str = ""
    launch_type: str = ""
    service_name: str = ""
    group: str = ""
    cpu: float = 0.0
    memory: int = 0
    pid_mode: str = ""
    ipc_mode: str = ""
    elastic_network_interfaces: list[PayloadInterface] | None = None
    overrides: str | None = None
    role_credentials: RoleCredentials | None = None
    execution_role_credentials: RoleCredentials | None = None


# ── ACS, server to agent ────────────────────────────────────────────────────────────────────────


class PayloadMessage(Wire, frozen=True):
    """Tasks to run or stop. ``generated_at`` in epoch milliseconds."""

    message_id: str
    cluster_arn: str = ""
    container_instance_arn: str = ""
    seq_num: int = 0
    generated_at: int = 0
    tasks: list[PayloadTask] | None = None


class IAMRoleCredentialsMessage(Wire, frozen=True):
    """Renewed credentials. ``role_type``: TaskApplication or TaskExecution."""

    message_id: str
    task_arn: str
    role_type: str = "TaskApplication"
    role_credentials: RoleCredentials = RoleCredentials()


class HeartbeatMessage(Wire, frozen=True):
    """Sent at least every minute on both sessions."""

    healthy: bool = False
    message_id: str = ""


class TaskIdentifier(Wire, frozen=True):
    """A task by name, with what is wanted of it."""

    task_arn: str
    desired_status: str = ""
    task_cluster_arn: str = ""


class TaskManifestMessage(Wire, frozen=True):
    """Everything the server believes to be on this instance."""

    message_id: str
    cluster_arn: str = ""
    container_instance_arn: str = ""
    generated_at: int = 0
    timeline: int = 0
    tasks: list[TaskIdentifier] | None = None


class TaskStopVerificationAck(Wire, frozen=True):
    """Which of the candidates are really to stop."""

    message_id: str = ""
    generated_at: int = 0
    stop_tasks: list[TaskIdentifier] | None = None


class CloseMessage(Wire, frozen=True):
    """The server is about to close the session; connect again."""

    message: str = ""


class ErrorMessage(Wire, frozen=True):
    """The server refuses something, in words."""

    message: str = ""


class InactiveInstanceException(Wire, frozen=True):
    """The instance is not registered any more."""

    message: str = ""


# ── ACS, agent to server ────────────────────────────────────────────────────────────────────────


class AckRequest(Wire, frozen=True):
    """A message was taken."""

    cluster: str
    container_instance: str
    message_id: str


class IAMRoleCredentialsAckRequest(Wire, frozen=True):
    """Renewed credentials were taken."""

    message_id: str
    credentials_id: str
    expiration: str


class NackRequest(Wire, frozen=True):
    """A message was refused."""

    cluster: str
    container_instance: str
    message_id: str
    reason: str = ""


class HeartbeatAckRequest(Wire, frozen=True):
    """The answer to an ACS heartbeat."""

    message_id: str


class TaskStopVerificationMessage(Wire, frozen=True):
    """Tasks the agent has and the manifest has not."""

    message_id: str
    stop_candidates: list[TaskIdentifier]


# ── TCS, agent to server ────────────────────────────────────────────────────────────────────────


class StatsSet(Wire, frozen=True):
    """Samples since the last message, summed up."""

    min: float
    max: float
    sample_count: int
    sum: float


class ContainerMetric(Wire, frozen=True):
    """CPU in percent of a core, memory in MiB."""

    container_name: str
    container_arn: str = ""
    cpu_stats_set: StatsSet | None = None
    memory_stats_set: StatsSet | None = None


class TaskMetric(Wire, frozen=True):
    """The metrics of one task's containers."""

    task_arn: str
    cluster_arn: str
    task_definition_family: str
    task_definition_version: str
    container_metrics: list[ContainerMetric]


class MetricsMetadata(Wire, frozen=True):
    """``fin`` on the last message of a round; ``idle`` when no task runs."""

    cluster: str
    container_instance: str
    idle: bool
    fin: bool
    message_id: str


class PublishMetricsRequest(Wire, frozen=True):
    """At most 10 tasks a message. ``timestamp`` in epoch seconds."""

    metadata: MetricsMetadata
    task_metrics: list[TaskMetric]
    timestamp: float


class ContainerHealth(Wire, frozen=True):
    """``health_status``: HEALTHY, UNHEALTHY or UNKNOWN, since (epoch seconds)."""

    container_name: str
    health_status: str
    status_since: float


class TaskHealth(Wire, frozen=True):
    """The health of one task's containers that have a check."""

    task_arn: str
    cluster_arn: str
    task_definition_family: str
    task_definition_version: str
    containers: list[ContainerHealth]


class HealthMetadata(Wire, frozen=True):
    """As ``MetricsMetadata``."""

    cluster: str
    container_instance: str
    fin: bool
    message_id: str


class PublishHealthRequest(Wire, frozen=True):
    """At most 10 tasks a message. Container health reaches the server only here."""

    metadata: HealthMetadata
    tasks: list[TaskHealth]
    timestamp: float


class InstanceStatus(Wire, frozen=True):
    """``status``: OK, IMPAIRED, INSUFFICIENT_DATA or INITIALIZING; ``type``: what was checked."""

    type: str
    status: str
    last_updated: float
    last_status_change: float


class InstanceStatusMetadata(Wire, frozen=True):
    """Who reports."""

    cluster: str
    container_instance: str
    request_id: str


class PublishInstanceStatusRequest(Wire, frozen=True):
    """Whether the container runtime works."""

    metadata: InstanceStatusMetadata
    statuses: list[InstanceStatus]
    timestamp: float


# ── TCS, server to agent ────────────────────────────────────────────────────────────────────────


class AckPublishMetric(Wire, frozen=True):
    """Metrics were taken."""

    message: str = ""


class AckPublishHealth(Wire, frozen=True):
    """Health was taken."""

    message: str = ""


class AckPublishInstanceStatus(Wire, frozen=True):
    """Instance status was taken."""

    message: str = ""


class StopTelemetrySessionMessage(Wire, frozen=True):
    """The server ends this TCS session; connect again."""

    message: str = ""


# ── Framing ─────────────────────────────────────────────────────────────────────────────────────


class UnknownMessage(msgspec.Struct, frozen=True):
    """A frame of a type that is not modelled here; ``body`` is its undecoded message."""

    type: str
    body: bytes


class _Frame(msgspec.Struct, frozen=True):
    type: str
    message: msgspec.Raw = msgspec.Raw(b"{}")


MESSAGES: Mapping[str, type[Wire]] = {
    message.__name__: message
    for message in (
        PayloadMessage,
        IAMRoleCredentialsMessage,
        HeartbeatMessage,
        TaskManifestMessage,
        TaskStopVerificationAck,
        CloseMessage,
        ErrorMessage,
        InactiveInstanceException,
        AckRequest,
        IAMRoleCredentialsAckRequest,
        NackRequest,
        HeartbeatAckRequest,
        TaskStopVerificationMessage,
        PublishMetricsRequest,
        PublishHealthRequest,
        PublishInstanceStatusRequest,
        AckPublishMetric,
        AckPublishHealth,
        AckPublishInstanceStatus,
        StopTelemetrySessionMessage,
    )
}

_frames = msgspec.json.Decoder(_Frame)
_decoders = {name: msgspec.json.Decoder(message) for name, message in MESSAGES.items()}
_encoder = msgspec.json.Encoder()


def encode(message: Wire) -> str:
    """The text frame of a message; its type is its class's name."""
    body = msgspec.Raw(_encoder.encode(message))
    return _encoder.encode(_Frame(type(message).__name__, body)).decode()


def encode_signed(headers: Mapping[str, str], message: Wire) -> str:
    """A TCS frame from an agent: signed header lines, an empty line, then the frame."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{lines}\r\n{encode(message)}"


def decode(text: str | bytes) -> Wire | UnknownMessage:
    """Parse a frame, with or without a header block before it. Raises MalformedFrame."""
    data = text.encode() if isinstance(text, str) else text
    frame_bytes = _skip_headers(data)
    try:
        frame = _frames.decode(frame_bytes)
        decoder = _decoders.get(frame.type)
        if decoder is None:
            return UnknownMessage(frame.type, bytes(frame.message))
        return decoder.decode(frame.message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedFrame(str(error)) from error


def _skip_headers(data: bytes) -> bytes:
    """From the first line that begins with ``{``: no header line does."""
    if data.startswith(b"{"):
        return data
    start = data.find(b"\n{")
    return data[start + 1 :] if start >= 0 else data
