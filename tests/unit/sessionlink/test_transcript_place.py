"""Where a session's output goes, as its cluster and its container say."""

from __future__ import annotations

from typing import Any

import pytest

from homeport.datachannel.contents import SessionInputs
from homeport.domain.cluster import Cluster
from homeport.domain.task_definition import TaskDefinition
from homeport.sessionlink.transcript import session_inputs

OWN = {"logDriver": "awslogs", "options": {"awslogs-group": "/own"}}
DEFINITION = TaskDefinition(
    arn="web:1",
    family="web",
    revision=1,
    document={
        "containerDefinitions": [
            {"name": "web", "logConfiguration": OWN},
            {"name": "plain"},
            {"name": "json", "logConfiguration": {"logDriver": "json-file"}},
        ]
    },
    containers=(),
    network_mode="bridge",
    registered_at=0.0,
    registered_by="root",
)
PLACES = {"cloudWatchLogGroupName": "/all", "s3BucketName": "b", "s3KeyPrefix": "p"}


def cluster(configuration: dict[str, Any] | None) -> Cluster:
    document = None if configuration is None else {"executeCommandConfiguration": configuration}
    return Cluster(arn="c", name="c", created_at=0.0, configuration=document)


@pytest.mark.parametrize(
    ("configuration", "container", "inputs"),
    [
        (None, "web", SessionInputs("/own")),
        ({}, "web", SessionInputs("/own")),
        ({"logging": "DEFAULT"}, "web", SessionInputs("/own")),
        ({"logging": "DEFAULT"}, "plain", SessionInputs()),
        ({"logging": "DEFAULT"}, "json", SessionInputs()),
        ({"logging": "NONE"}, "web", SessionInputs()),
        (
            {"logging": "OVERRIDE", "logConfiguration": PLACES},
            "web",
            SessionInputs("/all", "b", "p"),
        ),
        ({"logging": "OVERRIDE"}, "web", SessionInputs()),
    ],
)
def test_places(configuration: Any, container: str, inputs: SessionInputs) -> None:
    assert session_inputs(cluster(configuration), DEFINITION, container) == inputs


def test_what_is_gone_says_nothing() -> None:
    assert session_inputs(None, None, "web") == SessionInputs()
