"""Where the output of a session is to be written, as its cluster and its container say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.datachannel.contents import SessionInputs
from homeport.domain.cluster import Cluster
from homeport.domain.task_definition import TaskDefinition

Document = Mapping[str, Any]  # as registered: open-ended by nature


def session_inputs(
    cluster: Cluster | None, definition: TaskDefinition | None, container: str
) -> SessionInputs:
    """OVERRIDE names a log group and a bucket; DEFAULT means the container's own log group."""
    configuration: Document = {}
    if cluster is not None and cluster.configuration is not None:
        found: Any = cluster.configuration.get("executeCommandConfiguration")
        configuration = found or {}
    match configuration.get("logging"):
        case "NONE":
            return SessionInputs()
        case "OVERRIDE":
            return _override(configuration.get("logConfiguration") or {})
        case _:
            return SessionInputs(cloud_watch_log_group_name=_log_group(definition, container))


def _override(wanted: Document) -> SessionInputs:
    return SessionInputs(
        cloud_watch_log_group_name=wanted.get("cloudWatchLogGroupName") or "",
        s3_bucket_name=wanted.get("s3BucketName") or "",
        s3_key_prefix=wanted.get("s3KeyPrefix") or "",
    )


def _log_group(definition: TaskDefinition | None, container: str) -> str:
    documents: Any = definition.document["containerDefinitions"] if definition else ()
    for document in documents:
        logging: Document = document.get("logConfiguration") or {}
        if document["name"] == container and logging.get("logDriver") == "awslogs":
            return str((logging.get("options") or {}).get("awslogs-group") or "")
    return ""
