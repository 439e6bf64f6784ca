"""Identifiers → records: bare names and ids, short and long ARNs."""

from __future__ import annotations

import re

from homeport.domain.arn import last_segment
from homeport.domain.cluster import Cluster
from homeport.domain.task_definition import TaskDefinition
from homeport.services.call import Call
from homeport.store.schema import CLUSTERS, TASK_DEFINITIONS

from .errors import ClientException, ClusterNotFoundException, InvalidParameterException

DEFAULT_CLUSTER = "default"
_REVISION = re.compile(r"[0-9]{1,7}")


def cluster_arn(call: Call, identifier: str | None) -> str:
    """The ARN that a name, an ARN or nothing (``default``) stands for."""
    if identifier and identifier.startswith("arn:"):
        return identifier
    return call.arns.ecs(f"cluster/{identifier or DEFAULT_CLUSTER}")


def find_cluster(call: Call, identifier: str | None) -> Cluster:
    """The cluster, whatever its status; ClusterNotFoundException."""
    cluster = call.tx.get(CLUSTERS, cluster_arn(call, identifier))
    if cluster is None:
        raise ClusterNotFoundException
    return cluster


def active_cluster(call: Call, identifier: str | None) -> Cluster:
    """The cluster, which must be ACTIVE."""
    cluster = find_cluster(call, identifier)
    if cluster.status != "ACTIVE":
        raise InvalidParameterException("The referenced cluster was inactive.")
    return cluster


def find_task_definition(call: Call, identifier: str) -> TaskDefinition | None:
    """By ``family`` (its latest ACTIVE revision), ``family:revision`` or ARN."""
    name = last_segment(identifier)
    family, colon, revision = name.partition(":")
    if colon:
        if not _REVISION.fullmatch(revision):
            raise ClientException(f"Invalid revision number. Number: {revision[:64]}")
        arn = call.arns.ecs(f"task-definition/{family}:{int(revision)}")
        if identifier.startswith("arn:") and identifier != arn:
            return None
        return call.tx.get(TASK_DEFINITIONS, arn)
    return latest_active(call, family)


def latest_active(call: Call, family: str) -> TaskDefinition | None:
    """The family's ACTIVE revision with the highest number."""
    active = [d for d in call.tx.find(TASK_DEFINITIONS, "family", family) if d.status == "ACTIVE"]
    return max(active, key=lambda d: d.revision, default=None)


def runnable_task_definition(call: Call, identifier: str) -> TaskDefinition:
    """A definition that RunTask, CreateService or UpdateService may use."""
    definition = find_task_definition(call, identifier)
    if definition is None:
        raise ClientException("TaskDefinition not found.")
    if definition.status != "ACTIVE":
        raise ClientException("TaskDefinition is inactive")
    return definition
