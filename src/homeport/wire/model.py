"""botocore's service models, loaded when first asked for, and the maps that routing needs."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import botocore.loaders
import botocore.model

# What Homeport serves or will serve: client name → (signing name, JSON target prefix,
# query API version). Kept here so that routing needs no model loaded; a test holds it to botocore.
SERVICES: dict[str, tuple[str, str, str]] = {
    "ecs": ("ecs", "AmazonEC2ContainerServiceV20141113", ""),
    "elbv2": ("elasticloadbalancing", "", "2015-12-01"),
    "ec2": ("ec2", "", "2016-11-15"),
    "sts": ("sts", "", "2011-06-15"),
    "iam": ("iam", "", "2010-05-08"),
    "ecr": ("ecr", "AmazonEC2ContainerRegistry_V20150921", ""),
    "logs": ("logs", "Logs_20140328", ""),
    "events": ("events", "AWSEvents", ""),
    "ssm": ("ssm", "AmazonSSM", ""),
    "secretsmanager": ("secretsmanager", "secretsmanager", ""),
    "s3": ("s3", "", ""),
    "appmesh": ("appmesh", "", ""),
}

# The services whose operations are named by method and path: client name → signing name.
REST_SERVICES: dict[str, str] = {"appmesh": "appmesh", "s3": "s3"}

# Members that amazon-ecs-agent's own model of the API has and botocore's has not. Without the
# token a registration that is repeated because its answer was lost would be a second instance.
AGENT_MEMBERS: dict[str, dict[str, dict[str, str]]] = {
    "ecs": {"RegisterContainerInstanceRequest": {"clientToken": "String"}},
}

PROTOCOL_ORDER = ("json", "rest-json", "rest-xml", "query", "ec2")


@functools.cache
def _loader() -> botocore.loaders.Loader:
    return botocore.loaders.Loader()


@dataclass(frozen=True)
class Service:
    """One service's model. ``protocol`` is what botocore's clients speak to it."""

    name: str
    model: botocore.model.ServiceModel
    protocol: str
    json_version: str
    namespace: str
    operation_names: frozenset[str] = field(default_factory=frozenset)

    def operation(self, name: str) -> botocore.model.OperationModel:
        """The operation's model; KeyError for one that the service does not have."""
        if name not in self.operation_names:
            raise KeyError(name)
        return self.model.operation_model(name)


@functools.cache
def load(name: str) -> Service:
    """The model of the service with this client name."""
    description = _loader().load_service_model(name, "service-2")
    for shape, members in AGENT_MEMBERS.get(name, {}).items():
        added = {member: {"shape": target} for member, target in members.items()}
        description["shapes"][shape]["members"].update(added)
    return from_description(name, description)


def from_description(name: str, description: dict[str, Any]) -> Service:
    """A service from the content of a service-2.json."""
    model = botocore.model.ServiceModel(description, name)
    protocols = model.metadata.get("protocols") or [model.metadata["protocol"]]
    protocol = next((p for p in PROTOCOL_ORDER if p in protocols), model.metadata["protocol"])
    return Service(
        name=name,
        model=model,
        protocol=protocol,
        json_version=str(model.metadata.get("jsonVersion", "1.1")),
        namespace=str(model.metadata.get("xmlNamespace", "")),
        operation_names=frozenset(model.operation_names),
    )
