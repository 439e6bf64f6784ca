"""Why is it pending? What holds up a service or a task, per instance and per constraint.

Called by ``homeport why``. It asks the public API for what placement looks at and runs the very
placement rules on it (``decide.placement``), so it says what the control plane would say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from homeport.decide.placement import CandidateInstance, TaskToPlace
from homeport.decide.placement.constraints import Constraint, unsatisfied
from homeport.decide.placement.resources import refusals
from homeport.domain.container_instance import PLATFORM_CAPACITY
from homeport.domain.task_definition import TaskDefinition
from homeport.scheduling.demand import demand_of
from homeport.scheduling.platform import architecture, required_of_host
from homeport.services.ecs.task_definition_document import (
    container_definitions,
    required_attributes,
)
from homeport.services.ecs.task_size import parse_size

Document = Mapping[str, Any]  # answers of the API, as modelled by AWS

EVENTS = 5
_WORDS = {
    "AGENT": "its agent is not connected",
    "ATTRIBUTE": "it lacks an attribute that the task requires: {attributes}",
    "RESOURCE:CPU": "{cpu} CPU units are asked for, {remaining_cpu} are left",
    "RESOURCE:MEMORY": "{memory} MiB are asked for, {remaining_memory} are left",
    "RESOURCE:PORTS": "host port {tcp} is taken",
    "RESOURCE:PORTS_UDP": "host port {udp}/udp is taken",
}


class WhyError(Exception):
    """It can't be said, in words for the person who asked."""


def why(cluster: str, name: str) -> Iterator[str]:
    """Lines for a person; ``name`` is a task's or a service's. Raises WhyError."""
    try:
        ecs = botocore.session.Session().create_client("ecs")
        yield from _of(ecs, cluster, name)
    except BotoCoreError as error:
        raise WhyError(f'{error}\nIn this shell first: eval "$(homeport env)"') from error
    except ClientError as error:
        raise WhyError(str(error)) from error


def _of(ecs: Any, cluster: str, name: str) -> Iterator[str]:
    tasks = ecs.describe_tasks(cluster=cluster, tasks=[name])["tasks"] if _may_be_task(name) else []
    if tasks:
        yield from _of_task(ecs, cluster, tasks[0])
        return
    services = ecs.describe_services(cluster=cluster, services=[name])["services"]
    if not services:
        raise WhyError(f"There is no task and no service {name!r} in cluster {cluster!r}.")
    yield from _of_service(ecs, cluster, services[0])


def _may_be_task(name: str) -> bool:
    last = name.rsplit("/", 1)[-1]
    return ":service/" not in name and len(last) == 32


def _of_task(ecs: Any, cluster: str, task: Document) -> Iterator[str]:
    short = task["taskArn"].rsplit("/", 1)[-1]
    yield f"Task {short} of {_short(task['taskDefinitionArn'])}: {task['lastStatus']}"
    if task.get("stoppedReason"):
        yield f"  {task.get('stopCode', '')}: {task['stoppedReason']}"
    for container in task["containers"]:
        code = f", exit code {container['exitCode']}" if "exitCode" in container else ""
        reason = f": {container['reason']}" if container.get("reason") else ""
        yield f"  container {container['name']}: {container['lastStatus']}{code}{reason}"
    if task["lastStatus"] in ("PROVISIONING", "PENDING", "ACTIVATING"):
        yield from _waiting_for_agent(ecs, cluster, task)


def _waiting_for_agent(ecs: Any, cluster: str, task: Document) -> Iterator[str]:
    if task["launchType"] == "FARGATE":
        yield "  It is with the platform: " + (
            "its network interface is attached."
            if task["lastStatus"] == "PROVISIONING"
            else "an image is pulled, or a container starts."
        )
        return
    (instance,) = _instances(ecs, cluster, [task["containerInstanceArn"]])
    where = _short(instance["containerInstanceArn"])
    if instance["agentConnected"] and task["lastStatus"] == "PROVISIONING":
        yield f"  It waits for the agent of {where} to attach its network interface."
    elif instance["agentConnected"]:
        yield f"  It is with the agent of {where}: an image is pulled, or a container starts."
    else:
        yield f"  The agent of {where} is not connected: start it, or stop the task."


def _of_service(ecs: Any, cluster: str, service: Document) -> Iterator[str]:
    counts = f"{service['runningCount']} running, {service['pendingCount']} pending"
    yield f"Service {service['serviceName']}: {service['desiredCount']} desired, {counts}"
    for deployment in service["deployments"]:
        failed = deployment.get("failedTasks", 0)
        yield (
            f"  deployment {deployment['id']} {deployment['status']} of "
            f"{_short(deployment['taskDefinition'])}: {deployment['rolloutState']}"
            + (f", {failed} failed tasks" if failed else "")
        )
    missing = service["desiredCount"] - service["runningCount"] - service["pendingCount"]
    if missing > 0:
        where = "host of the platform" if _on_fargate(service) else "container instance"
        yield f"{missing} tasks are missing. On each {where}:"
        yield from _placement(ecs, cluster, service)
        yield from _last_failure(ecs, cluster, service)
    yield "Last events:"
    for event in service["events"][:EVENTS]:
        yield f"  {event['createdAt']:%H:%M:%S} {event['message']}"


def _last_failure(ecs: Any, cluster: str, service: Document) -> Iterator[str]:
    """A place that is found is not all: an address, an image, a mount may be missing."""
    arns = ecs.list_tasks(
        cluster=cluster, serviceName=service["serviceName"], desiredStatus="STOPPED"
    )["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    failed = [t for t in tasks if t.get("stopCode") == "TaskFailedToStart" and "stoppedAt" in t]
    if failed:
        task = max(failed, key=lambda t: t["stoppedAt"])
        yield f"The last task that did not start ({_short(task['taskArn'])}):"
        yield f"  {task['stoppedReason']}"
        for container in task["containers"]:
            if container.get("reason"):
                yield f"  container {container['name']}: {container['reason']}"


def _placement(ecs: Any, cluster: str, service: Document) -> Iterator[str]:
    task, constraints = _wanted(ecs, service)
    hosts = _platform(ecs) if _on_fargate(service) else _hosts(ecs, cluster)
    if not hosts:
        option = "--platform" if _on_fargate(service) else f"--cluster {cluster}"
        yield f"  There is none: start an agent with {option}"
        return
    groups = _groups(ecs, cluster)
    for document in hosts:
        instance = _candidate(document, groups)
        yield f"  {_short(instance.arn)} ({instance.availability_zone}, {instance.status}):"
        reasons = [_said(reason, task, instance) for reason in refusals(task, instance)]
        for constraint in constraints:
            if any(unsatisfied([constraint], task, instance)):
                reasons.append(f"constraint not satisfied: {_constraint(constraint)}")
        if not _on_fargate(service):
            reasons += _not_of_strategy(service, document)
        if instance.status != "ACTIVE":
            reasons.insert(0, "it takes no tasks while it is " + instance.status)
        for reason in reasons or ["it could take a task now"]:
            yield f"    {reason}"


def _not_of_strategy(service: Document, instance: Document) -> Iterator[str]:
    names = [item["capacityProvider"] for item in service.get("capacityProviderStrategy") or ()]
    if names and instance.get("capacityProviderName") not in names:
        yield f"it belongs to none of the capacity providers {', '.join(names)}"


def _on_fargate(service: Document) -> bool:
    strategy = service.get("capacityProviderStrategy") or [{}]
    name = service.get("launchType") or strategy[0].get("capacityProvider", "")
    return str(name).startswith("FARGATE")


def _hosts(ecs: Any, cluster: str, query: str = "") -> list[Document]:
    filtered = {"filter": query} if query else {}
    arns = ecs.list_container_instances(cluster=cluster, **filtered)["containerInstanceArns"]
    return _instances(ecs, cluster, arns) if arns else []


def _platform(ecs: Any) -> list[Document]:
    """The hosts of every cluster that take FARGATE tasks."""
    query = f"attribute:{PLATFORM_CAPACITY} exists"
    pages = ecs.get_paginator("list_clusters").paginate()
    clusters = [arn for page in pages for arn in page["clusterArns"]]
    return [host for cluster in clusters for host in _hosts(ecs, cluster, query)]


def _wanted(ecs: Any, service: Document) -> tuple[TaskToPlace, list[Constraint]]:
    document = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])[
        "taskDefinition"
    ]
    definition = TaskDefinition(
        arn=document["taskDefinitionArn"],
        family=document["family"],
        revision=document["revision"],
        document=document,
        containers=container_definitions(document),
        network_mode=document.get("networkMode") or "bridge",
        registered_at=0.0,
        registered_by="",
        cpu=parse_size(document.get("cpu"), "cpu"),
        memory=parse_size(document.get("memory"), "memory"),
    )
    demand = demand_of(definition, {})
    required = frozenset(required_attributes(document))
    task = TaskToPlace(
        group=f"service:{service['serviceName']}",
        cpu=demand.cpu,
        memory=demand.memory,
        tcp_ports=frozenset(demand.tcp_ports),
        udp_ports=frozenset(demand.udp_ports),
        required_attributes=required_of_host(required) if _on_fargate(service) else required,
    )
    if _on_fargate(service):
        return task, list(architecture(definition))
    both = (*document.get("placementConstraints", ()), *service.get("placementConstraints", ()))
    return task, [Constraint(c["type"], c.get("expression") or "") for c in both]


def _instances(ecs: Any, cluster: str, arns: list[str]) -> list[Document]:
    answer = ecs.describe_container_instances(cluster=cluster, containerInstances=arns[:100])
    found: list[Document] = answer["containerInstances"]
    return found


def _groups(ecs: Any, cluster: str) -> dict[str, Counter[str]]:
    """Instance ARN → tasks by group."""
    groups: dict[str, Counter[str]] = {}
    for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster):
        if page["taskArns"]:
            for task in ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]:
                of = groups.setdefault(task.get("containerInstanceArn", ""), Counter())
                of[task["group"]] += 1
    return groups


def _candidate(document: Document, groups: Mapping[str, Counter[str]]) -> CandidateInstance:
    remaining = {r["name"]: r for r in document["remainingResources"]}

    def ports(name: str) -> frozenset[int]:
        return frozenset(map(int, remaining.get(name, {}).get("stringSetValue", ())))

    attributes = {a["name"]: a.get("value") for a in document["attributes"]}
    return CandidateInstance(
        arn=document["containerInstanceArn"],
        ec2_instance_id=document.get("ec2InstanceId", ""),
        availability_zone=attributes.get("ecs.availability-zone") or "",
        remaining_cpu=remaining["CPU"]["integerValue"],
        remaining_memory=remaining["MEMORY"]["integerValue"],
        used_tcp_ports=ports("PORTS"),
        used_udp_ports=ports("PORTS_UDP"),
        status=document["status"],
        agent_connected=document["agentConnected"],
        running_tasks_count=document["runningTasksCount"],
        attributes=attributes,
        group_counts=groups.get(document["containerInstanceArn"], {}),
    )


def _said(reason: str, task: TaskToPlace, instance: CandidateInstance) -> str:
    return _WORDS.get(reason, reason).format(
        cpu=task.cpu,
        memory=task.memory,
        remaining_cpu=instance.remaining_cpu,
        remaining_memory=instance.remaining_memory,
        attributes=", ".join(sorted(task.required_attributes - instance.attributes.keys())),
        tcp=", ".join(map(str, sorted(task.tcp_ports & instance.used_tcp_ports))),
        udp=", ".join(map(str, sorted(task.udp_ports & instance.used_udp_ports))),
    )


def _constraint(constraint: Constraint) -> str:
    return f"{constraint.type} {constraint.expression}".strip()


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
