"""The JSON inside messages, and the one that opens a channel."""

from __future__ import annotations

import uuid
from typing import TypeVar

import msgspec

from .messages import FIN, SYN, MalformedMessage, Message, MessageType

SCHEMA_VERSION = "1.0"
EXIT_CODE_PREFIX = "EXIT_CODE: "

FLAG_DISCONNECT, FLAG_TERMINATE = 1, 2
SUCCESS = 1  # the status of a handshake's action

T = TypeVar("T")


def _camel(name: str) -> str:
    """As ``camel``, but for the digit in ``s3BucketName``."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


class _Pascal(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    pass


class OpenChannel(_Pascal, frozen=True):
    """The first frame of a data or control channel, as text: the token is what counts."""

    token_value: str
    message_schema_version: str = SCHEMA_VERSION
    request_id: str = ""
    client_id: str = ""
    client_version: str = ""


class OpenControlChannel(_Pascal, frozen=True):
    """The same of a control channel."""

    token_value: str
    message_schema_version: str = SCHEMA_VERSION
    request_id: str = ""
    agent_version: str = ""
    platform_type: str = "linux"


class CreateChannel(_Pascal, frozen=True):
    """Body of CreateControlChannel and CreateDataChannel."""

    message_schema_version: str = SCHEMA_VERSION
    request_id: str = ""
    client_id: str = ""


class Acknowledge(_Pascal, frozen=True):
    """A stream message has arrived."""

    acknowledged_message_type: str
    acknowledged_message_id: str
    acknowledged_message_sequence_number: int
    is_sequential_message: bool = True


class ChannelClosed(_Pascal, frozen=True):
    """The session is over; ``output`` says why, if there is something to say."""

    session_id: str
    message_id: str = ""
    created_date: str = ""
    destination_id: str = ""
    message_type: str = "channel_closed"
    schema_version: int = 1
    output: str = ""


class SessionState(_Pascal, frozen=True):
    """``session_state``: Connected, or Terminating when the command has ended."""

    session_id: str
    session_state: str
    schema_version: int = 1


class TaskComplete(_Pascal, frozen=True):
    """What became of a session, over the control channel. ``output``: for the person."""

    task_id: str
    final_task_status: str
    output: str = ""
    schema_version: int = 1
    topic: str = ""
    instance_id: str = ""


class Size(msgspec.Struct, frozen=True):
    """The client's terminal."""

    cols: int
    rows: int


class SessionType(_Pascal, frozen=True):
    """Parameters of the handshake's action SessionType."""

    session_type: str = "InteractiveCommands"
    properties: dict[str, object] | None = None


class RequestedAction(_Pascal, frozen=True):
    """What the agent asks of the client."""

    action_type: str
    action_parameters: SessionType | None = None


class HandshakeRequest(_Pascal, frozen=True):
    """The agent's first message."""

    agent_version: str
    requested_client_actions: list[RequestedAction] = []


class ClientAbilities(_Pascal, frozen=True):
    """Homeport's addition to the answer to SessionType; the official client sends none.

    ``tty`` False: no terminal at this end, so none in the container. ``exit_code``: this client
    understands ``PayloadType.EXIT_CODE`` and wants it.
    """

    tty: bool = True
    exit_code: bool = False


class ProcessedAction(_Pascal, frozen=True):
    """What became of it at the client."""

    action_type: str
    action_status: int = 0
    action_result: ClientAbilities | None = None
    error: str = ""


class HandshakeResponse(_Pascal, frozen=True):
    """The client's answer."""

    client_version: str
    processed_client_actions: list[ProcessedAction] = []
    errors: list[str] | None = None


class HandshakeComplete(_Pascal, frozen=True):
    """The agent's last word of the handshake. ``handshake_time_to_complete``: nanoseconds."""

    handshake_time_to_complete: int = 0
    customer_message: str = ""


class SessionInputs(msgspec.Struct, frozen=True, rename=_camel):
    """Where a session's output is to be copied; empty: nowhere."""

    cloud_watch_log_group_name: str = ""
    s3_bucket_name: str = ""
    s3_key_prefix: str = ""


class DocumentContent(msgspec.Struct, frozen=True, rename="camel"):
    """The SSM document of a session: what is run, and how."""

    inputs: SessionInputs = SessionInputs()
    schema_version: str = "1.0"
    description: str = "Run a command in a container"
    session_type: str = "InteractiveCommands"
    parameters: dict[str, object] = {}
    properties: dict[str, object] = {}


class StartSession(_Pascal, frozen=True):
    """What ``interactive_shell`` tells the agent to do, in ``Content`` of its payload."""

    session_id: str
    parameters: dict[str, object]
    document_name: str = "AmazonECS-ExecuteInteractiveCommand"
    document_content: DocumentContent = DocumentContent()
    run_as_user: str = ""
    session_owner: str = ""


class TaskPayload(_Pascal, frozen=True):
    """Payload of ``interactive_shell``: JSON in JSON."""

    content: str
    task_id: str
    topic: str = "aws.ssm.startSession"
    schema_version: int = 1


def dump(content: msgspec.Struct) -> bytes:
    """The JSON of a content."""
    return msgspec.json.encode(content)


def load(payload: bytes | str, kind: type[T]) -> T:
    """The content of a payload; raises MalformedMessage."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedMessage(f"not a {kind.__name__}: {error}") from error


def message(kind: MessageType, content: msgspec.Struct, id: uuid.UUID, now: float) -> Message:
    """A message outside of the stream's order."""
    return Message(
        type=kind, payload=dump(content), id=id, created_at=int(now * 1000), flags=SYN | FIN
    )


def start_session(
    session_id: str, command: str, inputs: SessionInputs, id: uuid.UUID, now: float
) -> Message:
    """``interactive_shell``: run ``command`` for a session."""
    start = StartSession(
        session_id=session_id,
        parameters={"command": command},
        document_content=DocumentContent(
            inputs,
            parameters={"command": {"type": "String"}},
            properties={"linux": {"commands": "{{command}}", "runAsElevated": True}},
        ),
    )
    payload = TaskPayload(content=dump(start).decode(), task_id=session_id)
    return message("interactive_shell", payload, id, now)


class Started(msgspec.Struct, frozen=True):
    """What the agent takes from an ``interactive_shell``."""

    session_id: str
    command: str
    inputs: SessionInputs


def read_start_session(started: Message) -> Started:
    """The content of an ``interactive_shell``; raises MalformedMessage."""
    start = load(load(started.payload, TaskPayload).content, StartSession)
    command = start.parameters.get("command")
    if isinstance(command, list) and len(command) == 1:  # parameters of documents may be lists
        command = command[0]
    if not isinstance(command, str):
        raise MalformedMessage("the session has no command")
    return Started(start.session_id, command, start.document_content.inputs)


def exit_code(payload: bytes) -> int:
    """The number in a payload of type EXIT_CODE; raises MalformedMessage."""
    text = payload.decode("ascii", "replace").removeprefix(EXIT_CODE_PREFIX)
    if not text.strip().lstrip("-").isdigit():
        raise MalformedMessage(f"not an exit code: {text[:32]!r}")
    return int(text)
