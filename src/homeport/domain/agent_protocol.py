"""Messages of the ECS agent protocol (ACS and TCS), as the official agent sends and reads them.

Members are lowerCamel on the wire. A frame is ``{"type": NAME, "message": {…}}``; frames that an
agent sends over TCS are preceded by a block of signed header lines. Unknown types and unknown
members are tolerated both ways. Source: ``ecs-agent/{acs,tcs}/model`` of amazon-ecs-agent.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .agent_payload import PayloadTask, RoleCredentials, Wire


class MalformedFrame(ValueError):
    """A text that is not a frame, or a known message whose members have wrong types."""


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
