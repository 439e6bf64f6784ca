"""Malformed task definitions are refused with a text that names the field, and nothing is kept.

One half is generated from botocore's model (each member with a value of another type), the other
is written by hand: well-typed, and wrong.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_client import ACCOUNT, PLATFORM, Api
from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.domain.session import SessionMint
from homeport.domain.vault import Vault
from homeport.gateway.app import Gateway
from homeport.objectstore import ObjectStore
from homeport.services import OPERATIONS
from homeport.wire import model
from homeport.wire.http import Request

TARGET = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"
VALID: dict[str, Any] = {
    "family": "web",
    "containerDefinitions": [{"name": "main", "image": "busybox", "memory": 64}],
}
DEEPEST = 7


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[Api, Gateway]]:
    api = Api()
    yield (
        api,
        Gateway(
            store=api.store,
            operations=OPERATIONS,
            platform=PLATFORM,
            authenticate=False,
            sessions=SessionMint(bytes(32)),
            vault=Vault(bytes(32)),
            objects=ObjectStore(Path("/nowhere")),
            agentlink=None,  # type: ignore[arg-type]
            logs=api.logs,
        ),
    )
    api.close()


def register(gateway: tuple[Api, Gateway], document: dict[str, Any]) -> tuple[int, str, str]:
    """Status, code and message."""
    api, open_gateway = gateway
    headers = {"host": "x", "x-amz-target": TARGET}
    request = Request("POST", "/", "", headers, json.dumps(document).encode())
    response = api.loop.run_until_complete(open_gateway.answer(request, "id"))
    answer = json.loads(response.body)
    return response.status, answer.get("__type", ""), answer.get("message", "")


def refused(gateway: tuple[Api, Gateway], document: dict[str, Any]) -> str:
    """The message; nothing may be stored."""
    revision = gateway[0].store.revision
    status, code, message = register(gateway, document)
    assert 400 <= status < 500, (status, code, message)
    assert gateway[0].store.revision == revision
    return message


def wrong_types() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every member of the model, one after the other, with a value of another type."""
    shape = model.load("ecs").operation("RegisterTaskDefinition").input_shape
    assert shape is not None
    for path, member in _members(shape, (), 0):
        document = copy.deepcopy(VALID)
        _set(document, path, _wrong(member))
        yield ".".join(path), document


def _members(
    shape: StructureShape, path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], Shape]]:
    for name, member in shape.members.items():
        here = (*path, name)
        yield here, member
        inner = member
        while isinstance(inner, ListShape):
            inner, here = inner.member, (*here, "0")
        if isinstance(inner, StructureShape) and depth < DEEPEST:
            yield from _members(inner, here, depth + 1)


def _set(document: Any, path: tuple[str, ...], value: Any) -> None:
    for part, following in zip(path, (*path[1:], None), strict=True):
        if part == "0":
            if not document:
                document.append({})
            document = document[0]
        elif following is None:
            document[part] = value
        else:
            document = document.setdefault(part, [] if following == "0" else {})


def _wrong(shape: Shape) -> Any:
    if isinstance(shape, ListShape):
        return {"not": "a list"}
    if isinstance(shape, StructureShape | MapShape):
        return "not a structure"
    return {"string": 5, "boolean": "maybe", "integer": "many", "long": "many", "double": "much"}[
        shape.type_name
    ]


@pytest.mark.parametrize(("path", "document"), [pytest.param(p, d, id=p) for p, d in wrong_types()])
def test_a_member_of_another_type_is_refused_by_name(
    gateway: tuple[Api, Gateway], path: str, document: dict[str, Any]
) -> None:
    assert path in refused(gateway, document)


def with_container(**members: Any) -> dict[str, Any]:
    document = copy.deepcopy(VALID)
    document["containerDefinitions"][0].update(members)
    return document


def with_awslogs(**options: str) -> dict[str, Any]:
    given = {"awslogs-group": "g", "awslogs-region": "us-east-1", **options}
    return with_container(logConfiguration={"logDriver": "awslogs", "options": given})


def with_task(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(VALID), **members}


def two(**second: Any) -> dict[str, Any]:
    document = copy.deepcopy(VALID)
    document["containerDefinitions"].append(
        {"name": "side", "image": "busybox", "memory": 64, **second}
    )
    return document


ROLE = f"arn:aws:iam::{ACCOUNT}:role/x"
FARGATE = {
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
}

BY_HAND: list[tuple[str, dict[str, Any]]] = [
    ("family", with_task(family="")),
    ("family", with_task(family="a b")),
    ("family", with_task(family="x" * 256)),
    ("networkMode", with_task(networkMode="overlay")),
    ("requiresCompatibilities", with_task(requiresCompatibilities=["MAINFRAME"])),
    ("containerDefinitions", with_task(containerDefinitions=[])),
    (
        "containerDefinitions",
        with_task(
            containerDefinitions=[
                {"name": f"c{n}", "image": "busybox", "memory": 8} for n in range(11)
            ]
        ),
    ),
    ("essential", with_container(essential=False)),
    ("Container.name", with_container(name="")),
    ("Container.name", with_container(name="a/b")),
    ("Container.name", two(name="main")),
    ("Container.image", with_container(image="")),
    ("Container.image", with_container(image="a b")),
    ("memory", with_container(memory=0)),
    ("memory", with_container(memory=5)),
    ("memory", with_container(memory=-1)),
    ("memory", with_container(memoryReservation=65)),
    ("memory", {"family": "web", "containerDefinitions": [{"name": "a", "image": "b"}]}),
    ("cpu", with_container(cpu=-1)),
    ("cpu", with_task(cpu="lots")),
    ("cpu", with_task(cpu="1")),
    ("memory", with_task(memory="some")),
    ("memory", with_task(memory="8")),
    ("portMappings", with_container(portMappings=[{"containerPort": 0}])),
    ("portMappings", with_container(portMappings=[{"containerPort": 70000}])),
    ("portMappings", with_container(portMappings=[{"containerPort": 80, "hostPort": -1}])),
    ("protocol", with_container(portMappings=[{"containerPort": 80, "protocol": "icmp"}])),
    (
        "port mappings",
        {**with_container(portMappings=[{"containerPort": 80, "hostPort": 81}])}
        | {"networkMode": "host"},
    ),
    *(
        (word, with_task(volumes=[{"name": "v", "efsVolumeConfiguration": efs}]))
        for word, efs in (
            ("fileSystemId", {"fileSystemId": "x"}),
            ("transitEncryption", {"fileSystemId": "fs-1", "transitEncryption": "MAYBE"}),
            (
                "transitEncryption",
                {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}},
            ),
            (
                "transitEncryption",
                {"fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "fsap-1"}},
            ),
            (
                "accessPointId",
                {"fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "x"}},
            ),
            (
                "rootDirectory",
                {
                    "fileSystemId": "fs-1",
                    "rootDirectory": "/x",
                    "transitEncryption": "ENABLED",
                    "authorizationConfig": {"accessPointId": "fsap-1"},
                },
            ),
            ("transitEncryptionPort", {"fileSystemId": "fs-1", "transitEncryptionPort": 65536}),
        )
    ),
    (
        "efsVolumeConfiguration and host",
        with_task(
            volumes=[
                {
                    "name": "v",
                    "efsVolumeConfiguration": {"fileSystemId": "fs-1"},
                    "host": {"sourcePath": "/x"},
                }
            ]
        ),
    ),
    *(
        ("containerPortRange", with_container(portMappings=mappings))
        for mappings in (
            [{"containerPortRange": "80"}],
            [{"containerPortRange": "90-80"}],
            [{"containerPortRange": "0-80"}],
            [{"containerPortRange": "80-65536"}],
            [{"containerPortRange": "80-90", "containerPort": 80}],
            [{"containerPortRange": "80-90", "hostPort": 80}],
            [{"containerPortRange": "80-90"}, {"containerPort": 85}],
            [{"containerPortRange": "80-90"}, {"containerPortRange": "90-99"}],
            [{"containerPortRange": f"{n}0-{n}5"} for n in range(1, 102)],
        )
    ),
    (
        "containerPortRange",
        {**with_container(portMappings=[{"containerPortRange": "80-90"}])}
        | {"networkMode": "host"},
    ),
    (
        "portMappings",
        {**with_container(portMappings=[{"containerPort": 80}])} | {"networkMode": "none"},
    ),
    (
        "hostPort",
        with_container(
            portMappings=[
                {"containerPort": 80, "hostPort": 8080},
                {"containerPort": 81, "hostPort": 8080},
            ]
        ),
    ),
    ("stop timeout", with_container(stopTimeout=1)),
    ("stop timeout", with_container(stopTimeout=-5)),
    ("start timeout", with_container(startTimeout=1)),
    ("healthCheck", with_container(healthCheck={"command": []})),
    ("healthCheck", with_container(healthCheck={"command": ["test"]})),
    ("interval", with_container(healthCheck={"command": ["CMD", "x"], "interval": 4})),
    ("timeout", with_container(healthCheck={"command": ["CMD", "x"], "timeout": 1})),
    ("retries", with_container(healthCheck={"command": ["CMD", "x"], "retries": 11})),
    ("startPeriod", with_container(healthCheck={"command": ["CMD", "x"], "startPeriod": 301})),
    ("log driver", with_container(logConfiguration={"logDriver": "papyrus"})),
    ("awslogs-group", with_container(logConfiguration={"logDriver": "awslogs"})),
    ("disallows options: log_key", with_awslogs(log_key="log")),
    ("'awslogs-create-group' should only be", with_awslogs(**{"awslogs-create-group": "false"})),
    ("mountPoints", with_container(mountPoints=[{"sourceVolume": "x", "containerPath": "/x"}])),
    (
        "containerPath",
        with_container(mountPoints=[{"sourceVolume": "x"}]) | {"volumes": [{"name": "x"}]},
    ),
    ("volumes", with_task(volumes=[{"name": ""}])),
    ("volumes", with_task(volumes=[{"name": "a b"}])),
    ("volumes", with_task(volumes=[{"name": "x"}, {"name": "x"}])),
    ("scope", with_task(volumes=[{"name": "x", "dockerVolumeConfiguration": {"scope": "moon"}}])),
    (
        "autoprovision",
        with_task(
            volumes=[
                {"name": "x", "dockerVolumeConfiguration": {"scope": "task", "autoprovision": True}}
            ]
        ),
    ),
    (
        "host",
        with_task(
            volumes=[
                {
                    "name": "x",
                    "host": {"sourcePath": "/x"},
                    "dockerVolumeConfiguration": {"scope": "task"},
                }
            ]
        ),
    ),
    ("swappiness", with_container(linuxParameters={"maxSwap": 1, "swappiness": 101})),
    ("maxSwap", with_container(linuxParameters={"maxSwap": -1})),
    ("volumesFrom", with_container(volumesFrom=[{"sourceContainer": "nobody"}])),
    ("links", with_container(links=["nobody"])),
    ("links", two(links=["main"]) | {"networkMode": "host"}),
    ("depend on", with_container(dependsOn=[{"containerName": "nobody", "condition": "START"}])),
    ("dependsOn", with_container(dependsOn=[{"containerName": "main", "condition": "START"}])),
    ("condition", two(dependsOn=[{"containerName": "main", "condition": "MAYBE"}])),
    ("HEALTHY", two(dependsOn=[{"containerName": "main", "condition": "HEALTHY"}])),
    ("placementConstraints", with_task(placementConstraints=[{"type": "distinctInstance"}])),
    ("placementConstraints", with_task(placementConstraints=[{"type": "memberOf"}])),
    (
        "expression",
        with_task(placementConstraints=[{"type": "memberOf", "expression": "rack = two"}]),
    ),
    ("environment", with_container(environment=[{"name": "", "value": "x"}])),
    ("environment", with_container(environment=[{"value": "x"}])),
    ("secrets", with_container(secrets=[{"name": "", "valueFrom": "x"}])),
    ("secrets", with_container(secrets=[{"name": "A", "valueFrom": ""}])),
    (
        "A",
        with_container(
            environment=[{"name": "A", "value": "x"}], secrets=[{"name": "A", "valueFrom": "x"}]
        ),
    ),
    ("ulimits", with_container(ulimits=[{"name": "dreams", "softLimit": 1, "hardLimit": 1}])),
    ("softLimit", with_container(ulimits=[{"name": "nofile", "softLimit": 2, "hardLimit": 1}])),
    ("extraHosts", with_container(extraHosts=[{"hostname": "", "ipAddress": "10.0.0.1"}])),
    ("ipAddress", with_container(extraHosts=[{"hostname": "a", "ipAddress": "10.0.0.300"}])),
    ("dnsServers", with_container(dnsServers=["resolver"])),
    ("hostname", with_container(hostname="a" * 256)),
    ("hostname", with_container(hostname="web") | {"networkMode": "awsvpc"}),
    ("tmpfs", with_container(linuxParameters={"tmpfs": [{"containerPath": "", "size": 1}]})),
    ("size", with_container(linuxParameters={"tmpfs": [{"containerPath": "/t", "size": 0}]})),
    ("sharedMemorySize", with_container(linuxParameters={"sharedMemorySize": -1})),
    ("capabilities", with_container(linuxParameters={"capabilities": {"add": ["FLY"]}})),
    ("hostPath", with_container(linuxParameters={"devices": [{"hostPath": ""}]})),
    ("systemControls", with_container(systemControls=[{"namespace": "", "value": "1"}])),
    ("pidMode", with_task(pidMode="planet")),
    ("ipcMode", with_task(ipcMode="planet")),
    ("taskRoleArn", with_task(taskRoleArn="a role with spaces")),
    ("executionRoleArn", with_task(executionRoleArn="arn:aws:s3:::bucket")),
    ("restartPolicy", with_container(restartPolicy={"enabled": True, "restartAttemptPeriod": 1})),
    ("resourceRequirements", with_container(resourceRequirements=[{"type": "TPU", "value": "1"}])),
    ("tags", with_task(tags=[{"key": "aws:x", "value": "y"}])),
    ("tags", with_task(tags=[{"key": "x"}, {"key": "x"}])),
    ("tags", with_task(tags=[{"key": f"k{n}"} for n in range(51)])),
    ("cpu", with_task(**{**FARGATE, "cpu": None})),
    ("memory", with_task(**{**FARGATE, "memory": None})),
    ("Fargate", with_task(**{**FARGATE, "memory": "513"})),
    ("awsvpc", with_task(**{**FARGATE, "networkMode": "bridge"})),
    ("privileged", with_container(privileged=True) | FARGATE),
    ("sourcePath", with_task(volumes=[{"name": "x", "host": {"sourcePath": "/x"}}], **FARGATE)),
    (
        "operatingSystemFamily",
        with_task(runtimePlatform={"operatingSystemFamily": "BEOS"}),
    ),
    ("cpuArchitecture", with_task(runtimePlatform={"cpuArchitecture": "Z80"})),
    ("sizeInGiB", with_task(ephemeralStorage={"sizeInGiB": 20}, **FARGATE)),
    ("sizeInGiB", with_task(ephemeralStorage={"sizeInGiB": 201}, **FARGATE)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "document"), [pytest.param(w, d, id=f"{n}-{w}") for n, (w, d) in enumerate(BY_HAND)]
)
def test_a_definition_that_makes_no_sense_is_refused_by_name(
    gateway: tuple[Api, Gateway], word: str, document: dict[str, Any]
) -> None:
    document = {k: v for k, v in document.items() if v is not None}
    message = refused(gateway, document)
    assert word in message, message


def test_there_are_two_hundred_of_them() -> None:
    assert len(BY_HAND) + len(list(wrong_types())) >= 200
