"""Joining a cluster: what this host is and has, told once at start.

Answers that can't change by asking again end the agent with words for its owner; every other is
asked again with backoff. Registering is idempotent: the identity's token makes a repeated first
registration one instance, its ARN a later one the same instance.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec

from homeport.domain.container_instance import PLATFORM_CLUSTER

from .api import ApiError, ApiUnreachable, Document, EcsApi
from .backoff import Backoff
from .engine import EngineFacts
from .host import Host
from .identity import Identity, new_identity, save_identity
from .settings import AGENT_HASH, AGENT_VERSION, AgentSettings

logger = logging.getLogger(__name__)

RESERVED_PORTS = ("22", "2375", "2376", "51678", "51679", "51680")
"""The ports that the official agent keeps from tasks."""

CAPABILITIES = (
    "com.amazonaws.ecs.capability.privileged-container",
    *(f"com.amazonaws.ecs.capability.docker-remote-api.1.{n}" for n in range(17, 45)),
    "ecs.capability.container-health-check",
    "ecs.capability.container-ordering",
    "ecs.capability.container-restart-policy",
    "ecs.capability.network.container-port-range",
    "ecs.capability.pid-ipc-namespace-sharing",
    "ecs.capability.efs",
    "ecs.capability.efsAuth",
    "ecs.capability.execute-command",
    "ecs.capability.env-files.s3",
    "ecs.capability.private-registry-authentication.secretsmanager",
    "ecs.capability.secrets.asm.bootstrap.log-driver",
    "ecs.capability.secrets.asm.environment-variables",
    "ecs.capability.secrets.ssm.bootstrap.log-driver",
    "ecs.capability.secrets.ssm.environment-variables",
)

_FINAL = ("AccessDeniedException", "InvalidParameterException", "UnrecognizedClientException")


class RegistrationRefused(Exception):
    """The control plane will not have this host, in words for its owner."""


async def register(
    api: EcsApi, settings: AgentSettings, identity: Identity, host: Host, engine: EngineFacts
) -> Identity:
    """Ask until it is answered; returns the identity with its ARN, durable."""
    backoff = Backoff(0.25, 30.0, 1.5)
    while True:
        request = registration(settings, identity, host, engine)
        try:
            answer = await api.call("RegisterContainerInstance", request)
        except ApiUnreachable as error:
            logger.warning("can't register yet: %s", error)
        except ApiError as error:
            identity = await _after_refusal(api, settings, identity, error)
        else:
            arn = str(answer["containerInstance"]["containerInstanceArn"])
            return _named(settings.data_dir, identity, arn)
        await asyncio.sleep(backoff.next())


def _named(data_dir: Path, identity: Identity, arn: str) -> Identity:
    if identity.container_instance_arn == arn:
        return identity
    logger.info("registered as %s", arn)
    named = msgspec.structs.replace(identity, container_instance_arn=arn)
    return save_identity(data_dir, named)


async def _after_refusal(
    api: EcsApi, settings: AgentSettings, identity: Identity, error: ApiError
) -> Identity:
    """The identity to try next. Raises RegistrationRefused."""
    if error.code == "ClusterNotFoundException":
        await _cluster_missing(api, settings)
        return identity
    if error.code == "ClientException" and identity.container_instance_arn:
        # Deregistered since. Its tasks are nobody's: the next manifest lacks them, they stop.
        logger.warning("%s; joining as a new container instance", error)
        return save_identity(settings.data_dir, new_identity(settings.cluster))
    if error.code in _FINAL:
        raise RegistrationRefused(f"The control plane refused this host: {error}") from error
    logger.warning("can't register yet: %s", error)
    return identity


async def _cluster_missing(api: EcsApi, settings: AgentSettings) -> None:
    """As the official agent: ``default`` is created, any other cluster is waited for. So is the
    cluster of the platform's own hosts, which nobody else makes."""
    if settings.cluster not in ("default", PLATFORM_CLUSTER):
        logger.warning("cluster %s does not exist yet", settings.cluster)
        return
    try:
        await api.call("CreateCluster", {"clusterName": settings.cluster})
    except (ApiUnreachable, ApiError) as error:
        logger.warning("cluster %s can't be created yet: %s", settings.cluster, error)


def registration(
    settings: AgentSettings, identity: Identity, host: Host, engine: EngineFacts
) -> Document:
    """The RegisterContainerInstance request. Pure."""
    request: dict[str, Any] = {
        "cluster": settings.cluster,
        "clientToken": identity.registration_token,
        "instanceIdentityDocument": identity_document(settings, identity, host),
        "instanceIdentityDocumentSignature": "",
        "totalResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": host.cpu},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": host.memory},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": list(RESERVED_PORTS)},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
        ],
        "versionInfo": {
            "agentVersion": AGENT_VERSION,
            "agentHash": AGENT_HASH,
            "dockerVersion": f"DockerVersion: {engine.version}",
        },
        "attributes": attributes(settings, engine, host),
    }
    if identity.container_instance_arn:
        request["containerInstanceArn"] = identity.container_instance_arn
    return request


def identity_document(settings: AgentSettings, identity: Identity, host: Host) -> str:
    """What EC2's metadata service would say of this host: the same document, JSON as a string."""
    document = {
        "instanceId": identity.instance_id,
        "privateIp": host.address,
        "availabilityZone": settings.zone,
        "region": settings.region,
        "instanceType": settings.instance_type,
        "architecture": host.architecture,
        "kernelId": host.kernel,
    }
    return msgspec.json.encode(document).decode()


def attributes(settings: AgentSettings, engine: EngineFacts, host: Host) -> list[dict[str, str]]:
    """Capabilities, logging drivers, and what the owner of the host said."""
    # awslogs needs more than the Engine: it is one of the host's capabilities.
    drivers = [
        f"com.amazonaws.ecs.capability.logging-driver.{driver}"
        for driver in engine.log_drivers
        if driver != "awslogs"
    ]
    named = [{"name": name} for name in (*CAPABILITIES, *host.capabilities, *drivers)]
    return named + [{"name": name, "value": value} for name, value in settings.attributes]
