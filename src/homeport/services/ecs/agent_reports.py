"""Operations that agents call: they join, and they say what happened.

One writer each: these operations write what was observed (statuses, exit codes, ports); what is
wanted is written by everybody else. An agent may repeat itself and be late; see ``task_report``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster, Tag
from homeport.domain.container_instance import ContainerInstance
from homeport.domain.network_interface import AttachmentStatus
from homeport.domain.task import ContainerStatus, NetworkBinding, Task
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import CONTAINER_INSTANCES, TASK_DEFINITIONS, TASKS

from .container_instance_views import container_instance_view
from .errors import ClientException, InvalidParameterException
from .instance_identity import (
    RESERVED_ATTRIBUTES,
    Identity,
    Resources,
    parse_identity,
    parse_resources,
    registered_attributes,
)
from .resolve import active_cluster, find_cluster
from .task_report import ContainerReport, ManagedAgentReport, TaskReport, apply_report

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import (
        AttachmentStateChangeTypeDef,
        ContainerStateChangeTypeDef,
        DiscoverPollEndpointRequestTypeDef,
        ManagedAgentStateChangeTypeDef,
        NetworkBindingTypeDef,
        RegisterContainerInstanceRequestTypeDef,
        SubmitAttachmentStateChangesRequestTypeDef,
        SubmitContainerStateChangeRequestTypeDef,
        SubmitTaskStateChangeRequestTypeDef,
    )

ACKNOWLEDGED: Response = {"acknowledgment": "ok"}

_CONTAINER_STATUSES: dict[str, ContainerStatus] = {
    "PENDING": "PENDING",
    "RUNNING": "RUNNING",
    "STOPPED": "STOPPED",
}
# What an agent can see of an attachment; the other states are the control plane's.
_ATTACHMENT_STATUSES: dict[str, AttachmentStatus] = {
    "ATTACHED": "ATTACHED",
    "DETACHED": "DETACHED",
}


def register_container_instance(
    call: Call, request: RegisterContainerInstanceRequestTypeDef
) -> Response:
    """A host joins, or joins again with the ``containerInstanceArn`` it was given.

    Every attribute sent is in the answer with the same value: the official agent checks.
    """
    cluster = active_cluster(call, request.get("cluster"))
    try:
        identity = parse_identity(request.get("instanceIdentityDocument") or "")
        resources = parse_resources(request.get("totalResources") or ())
    except ValueError as error:
        raise InvalidParameterException(str(error)) from error
    known = _known_instance(call, cluster, request)
    if known is None:
        instance = _new_instance(call, cluster, identity, request)
    else:
        instance = _come_back(known, identity)
    instance = _with_capabilities(instance, identity, resources, request)
    call.tx.put(CONTAINER_INSTANCES, instance)
    return {"containerInstance": container_instance_view(call.tx, instance, include_tags=True)}


def discover_poll_endpoint(call: Call, request: DiscoverPollEndpointRequestTypeDef) -> Response:
    """Where the agent's websockets go; it turns http into ws."""
    endpoint = call.platform.endpoint_url.rstrip("/")
    return {"endpoint": f"{endpoint}/acs", "telemetryEndpoint": f"{endpoint}/tcs"}


def submit_task_state_change(call: Call, request: SubmitTaskStateChangeRequestTypeDef) -> Response:
    """A task (and its containers) reached a state."""
    report = TaskReport(
        status=request.get("status"),
        reason=request.get("reason") or "",
        containers=tuple(_container_report(c) for c in request.get("containers") or ()),
        managed_agents=tuple(_managed_agents(request.get("managedAgents") or ())),
        pull_started_at=_epoch(request.get("pullStartedAt")),
        pull_stopped_at=_epoch(request.get("pullStoppedAt")),
        execution_stopped_at=_epoch(request.get("executionStoppedAt")),
    )
    for change in request.get("attachments") or ():
        _apply_attachment(call, change)
    if request.get("task"):
        _apply(call, _task(call, request.get("cluster"), request.get("task")), report)
    return ACKNOWLEDGED


def submit_container_state_change(
    call: Call, request: SubmitContainerStateChangeRequestTypeDef
) -> Response:
    """One container reached a state."""
    container = ContainerReport(
        name=request.get("containerName") or "",
        status=_CONTAINER_STATUSES.get(request.get("status") or ""),
        runtime_id=request.get("runtimeId"),
        exit_code=request.get("exitCode"),
        reason=request.get("reason"),
        network_bindings=_bindings(request.get("networkBindings") or ()),
    )
    task = _task(call, request.get("cluster"), request.get("task"))
    _apply(call, task, TaskReport(containers=(container,)))
    return ACKNOWLEDGED


def submit_attachment_state_changes(
    call: Call, request: SubmitAttachmentStateChangesRequestTypeDef
) -> Response:
    """The network interfaces of tasks reached a state."""
    find_cluster(call, request.get("cluster"))
    for change in request["attachments"]:
        _apply_attachment(call, change)
    return ACKNOWLEDGED


def _known_instance(
    call: Call, cluster: Cluster, request: RegisterContainerInstanceRequestTypeDef
) -> ContainerInstance | None:
    arn = request.get("containerInstanceArn")
    if arn:
        known = call.tx.get(CONTAINER_INSTANCES, arn)
        if known is None or known.cluster_arn != cluster.arn or known.status == "INACTIVE":
            # The official agent ends on a ClientException: it cannot be this instance any more.
            raise ClientException(f"The container instance {arn} is not registered here any more.")
        return known
    token = client_token(request)
    instances = call.tx.find(CONTAINER_INSTANCES, "cluster", cluster.arn) if token else ()
    return next(
        (i for i in instances if i.client_token == token and i.status != "INACTIVE"),
        None,
    )


def client_token(request: RegisterContainerInstanceRequestTypeDef) -> str:
    """The agent's registration token: in the agent's model of the API, not in botocore's."""
    token: object = request.get("clientToken")
    return token if isinstance(token, str) else ""


def _new_instance(
    call: Call,
    cluster: Cluster,
    identity: Identity,
    request: RegisterContainerInstanceRequestTypeDef,
) -> ContainerInstance:
    return ContainerInstance(
        arn=call.arns.ecs(f"container-instance/{cluster.name}/{call.ids.hex32()}"),
        cluster_arn=cluster.arn,
        # ECS names hosts outside EC2 mi-…, as Systems Manager does.
        ec2_instance_id=identity.instance_id or f"mi-0{call.ids.hex16()}",
        private_ip=identity.private_ip,
        availability_zone=identity.availability_zone or call.platform.availability_zones[0],
        registered_at=call.now,
        cpu=0,
        memory=0,
        client_token=client_token(request),
        tags=tuple(Tag(t.get("key", ""), t.get("value", "")) for t in request.get("tags") or ()),
    )


def _come_back(known: ContainerInstance, identity: Identity) -> ContainerInstance:
    return msgspec.structs.replace(
        known,
        private_ip=identity.private_ip or known.private_ip,
        version=known.version + 1,
    )


def _with_capabilities(
    instance: ContainerInstance,
    identity: Identity,
    resources: Resources,
    request: RegisterContainerInstanceRequestTypeDef,
) -> ContainerInstance:
    version = request.get("versionInfo") or {}
    # What the host's owner named it with is said at the first registration only; what the agent
    # can do is said at each.
    named = {n: v for n, v in instance.agent_attributes if not n.startswith(RESERVED_ATTRIBUTES)}
    told = registered_attributes(
        request.get("attributes") or (), identity, instance.availability_zone
    )
    return msgspec.structs.replace(
        instance,
        cpu=resources.cpu,
        memory=resources.memory,
        reserved_tcp_ports=resources.tcp_ports,
        reserved_udp_ports=resources.udp_ports,
        agent_attributes=tuple((named | dict(told)).items()),
        agent_version=version.get("agentVersion", instance.agent_version),
        agent_hash=version.get("agentHash", instance.agent_hash),
        docker_version=version.get("dockerVersion", instance.docker_version),
    )


def _task(call: Call, cluster_name: str | None, identifier: str | None) -> Task:
    # The agent drops a report that is answered by this error and retries any other for ever.
    cluster = find_cluster(call, cluster_name)
    named = identifier or ""
    # A host of the platform runs tasks of other clusters than its own: their ARNs say which.
    task = call.tx.get(TASKS, named) or call.tx.get(
        TASKS, call.arns.ecs(f"task/{cluster.name}/{last_segment(named)}")
    )
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    return task


def _apply_attachment(call: Call, change: AttachmentStateChangeTypeDef) -> None:
    arn, status = change["attachmentArn"], change["status"]
    reported = _ATTACHMENT_STATUSES.get(status)
    if reported is None:
        raise InvalidParameterException(
            f"The status '{status[:64]}' of an attachment should be one of [ATTACHED,DETACHED]."
        )
    tasks = call.tx.find(TASKS, "attachment", arn)
    if not tasks:
        raise InvalidParameterException(f"Unable to find attachments: [{arn[:256]}]")
    for task in tasks:
        _apply(call, task, TaskReport(interface_status=reported))


def _apply(call: Call, task: Task, report: TaskReport) -> None:
    definition = call.tx.get(TASK_DEFINITIONS, task.task_definition_arn)
    containers = definition.containers if definition else ()
    essential = frozenset(c.name for c in containers if c.essential)
    after = apply_report(task, report, essential, call.now)
    if after is not task:
        call.tx.put(TASKS, after)


def _container_report(change: ContainerStateChangeTypeDef) -> ContainerReport:
    return ContainerReport(
        name=change.get("containerName", ""),
        status=_CONTAINER_STATUSES.get(change.get("status", "")),
        runtime_id=change.get("runtimeId"),
        image_digest=change.get("imageDigest"),
        exit_code=change.get("exitCode"),
        reason=change.get("reason"),
        network_bindings=_bindings(change.get("networkBindings") or ()),
    )


def _managed_agents(
    changes: Iterable[ManagedAgentStateChangeTypeDef],
) -> Iterator[ManagedAgentReport]:
    for change in changes:
        status = _CONTAINER_STATUSES.get(change["status"])
        if status is not None:
            yield ManagedAgentReport(
                container=change["containerName"],
                name=change["managedAgentName"],
                status=status,
                reason=change.get("reason") or "",
            )


def _bindings(bindings: Iterable[NetworkBindingTypeDef]) -> tuple[NetworkBinding, ...]:
    return tuple(
        NetworkBinding(
            container_port=binding.get("containerPort", 0),
            host_port=binding.get("hostPort", 0),
            protocol=binding.get("protocol", "tcp"),
            bind_ip=binding.get("bindIP", "0.0.0.0"),
            container_port_range=binding.get("containerPortRange"),
            host_port_range=binding.get("hostPortRange"),
        )
        for binding in bindings
    )


def _epoch(value: datetime | str | None) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else None


OPERATIONS: dict[str, Handler] = {
    "RegisterContainerInstance": register_container_instance,
    "DiscoverPollEndpoint": discover_poll_endpoint,
    "SubmitTaskStateChange": submit_task_state_change,
    "SubmitContainerStateChange": submit_container_state_change,
    "SubmitAttachmentStateChanges": submit_attachment_state_changes,
}
