"""ExecuteCommand: a session in a running container, for a client of ``ssmmessages``.

The session is a record; the relay (``homeport.sessionlink``) sees it and tells the container's
agent to begin. Texts that are marked † are not confirmed by a source.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.execute import (
    MANAGED_AGENT,
    MAX_SESSIONS_PER_CONTAINER,
    SESSION_PREFIX,
    TOKEN_SECONDS,
    ExecuteSession,
    channel_id,
    token_digest,
)
from homeport.domain.task import Container, Task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES, EXECUTE_SESSIONS, EXECUTE_TARGETS, TASKS

from .errors import ClientException, InvalidParameterException, TargetNotConnectedException
from .not_run_yet import refusal
from .resolve import active_cluster

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ExecuteCommandRequestTypeDef

MAX_COMMAND = 4096
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or "
    "the execute command agent isn’t running. Wait and try again or run a new task with execute "
    "command enabled and try again."
)


def execute_command(call: Call, request: ExecuteCommandRequestTypeDef) -> Response:
    """A session's id, its stream and the token that opens it, once, within a minute."""
    cluster = active_cluster(call, request.get("cluster"))
    command = _command(request["command"])
    if not request["interactive"]:
        raise InvalidParameterException(  # †
            "Interactive is false: Amazon ECS only supports initiating interactive sessions, so "
            "interactive must be true."
        )
    _check_configuration(cluster)
    task = _task(call, cluster, request["task"])
    container = _container(task, request.get("container") or "")
    target = _target(call, cluster, task, container)
    token = call.ids.token()
    session = call.tx.put(
        EXECUTE_SESSIONS,
        ExecuteSession(
            id=SESSION_PREFIX + call.ids.hex32()[:17],
            channel_id=target,
            task_arn=task.arn,
            container_name=container.name,
            command=command,
            principal_arn=call.principal.arn,
            token_digest=token_digest(token),
            created_at=call.now,
            expires_at=call.now + TOKEN_SECONDS,
        ),
    )
    return {
        "clusterArn": cluster.arn,
        "taskArn": task.arn,
        "containerArn": container.arn,
        "containerName": container.name,
        "interactive": True,
        "session": {
            "sessionId": session.id,
            "streamUrl": _stream_url(call, session.id),
            "tokenValue": token,
        },
    }


def _command(command: str) -> str:
    if len(command) > MAX_COMMAND:
        raise InvalidParameterException(f"Command must be at most {MAX_COMMAND} characters.")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidParameterException(f"Command can't be parsed: {error}.") from error
    if not words or "\0" in command:
        raise InvalidParameterException("Command cannot be empty.")
    return command


def _check_configuration(cluster: Cluster) -> None:
    """Nothing of a session is encrypted by a key: who wants that has none."""
    configuration: Any = (cluster.configuration or {}).get("executeCommandConfiguration") or {}
    logs = configuration.get("logConfiguration") or {}
    asks = {
        "kmsKeyId": configuration.get("kmsKeyId"),
        "logConfiguration.cloudWatchEncryptionEnabled": logs.get("cloudWatchEncryptionEnabled"),
        "logConfiguration.s3EncryptionEnabled": logs.get("s3EncryptionEnabled"),
    }
    for name in (name for name, asked in asks.items() if asked):
        feature = f"executeCommandConfiguration.{name} of cluster {cluster.name}"
        raise ClientException(refusal(feature))


def _task(call: Call, cluster: Cluster, identifier: str) -> Task:
    arn = call.arns.ecs(f"task/{cluster.name}/{last_segment(identifier)}")
    task = call.tx.get(TASKS, arn)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    if task.last_status == "STOPPED" or task.desired_status == "STOPPED":
        raise InvalidParameterException(  # †
            "The execute command failed because the task is stopped or is being stopped."
        )
    if not task.enable_execute_command:
        raise InvalidParameterException(NOT_ENABLED)
    return task


def _container(task: Task, name: str) -> Container:
    if not name and len(task.containers) == 1:
        return task.containers[0]
    if not name:
        raise InvalidParameterException(  # †
            "The container must be specified when the task has more than one container."
        )
    found = next((c for c in task.containers if c.name == name), None)
    if found is None:
        raise InvalidParameterException(  # †
            f"The task has no container named {name[:255]}."
        )
    return found


def _target(call: Call, cluster: Cluster, task: Task, container: Container) -> str:
    """The channel to the container's agent, which must run, be connected and have room."""
    agents = {agent.name: agent for agent in container.managed_agents}
    agent = agents.get(MANAGED_AGENT)
    if agent is None or agent.last_status != "RUNNING" or container.last_status != "RUNNING":
        raise InvalidParameterException(NOT_ENABLED)
    target = channel_id(cluster.name, last_segment(task.arn), container.runtime_id or "")
    instance = call.tx.get(CONTAINER_INSTANCES, task.container_instance_arn or "")
    unreachable = instance is not None and not instance.agent_connected
    if unreachable or call.tx.get(EXECUTE_TARGETS, target) is None:
        raise TargetNotConnectedException
    sessions = call.tx.find(EXECUTE_SESSIONS, "channel", target)
    if sum(1 for _ in sessions) >= MAX_SESSIONS_PER_CONTAINER:
        raise ClientException(
            "Unable to start new execute sessions because the maximum session limit of "
            f"{MAX_SESSIONS_PER_CONTAINER} has been reached."
        )
    return target


def _stream_url(call: Call, session_id: str) -> str:
    scheme, _, address = call.platform.endpoint_url.rstrip("/").partition("://")
    websocket = "wss" if scheme == "https" else "ws"
    return f"{websocket}://{address}/v1/data-channel/{session_id}?role=publish_subscribe"


OPERATIONS: dict[str, Handler] = {"ExecuteCommand": execute_command}
