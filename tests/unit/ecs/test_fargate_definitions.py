"""What RegisterTaskDefinition says to a definition for Fargate, in AWS's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api, refusal

LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"}}
PREFIXED = {**LOGS, "options": {**LOGS["options"], "awslogs-stream-prefix": "web"}}  # type: ignore[dict-item]
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1"
ROLE = "arn:aws:iam::123456789012:role/execution"


@pytest.fixture(scope="module")
def ecs() -> Iterator[Any]:
    api = Api()
    yield api.client("ecs")
    api.close()


def definition(container: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "family": "web",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "web", "image": "busybox", **(container or {})}],
        **members,
    }


def volume(**members: Any) -> dict[str, Any]:
    return definition(volumes=[{"name": "v", **members}])


def linux(**members: Any) -> dict[str, Any]:
    return definition({"linuxParameters": members})


NONE = (
    "No Fargate configuration exists for given values: {}. See the Amazon ECS documentation for "
    "the valid values."
)
NO = "Fargate compatible task definitions do not support "
AWSVPC = " when networkMode=awsvpc"

REFUSED: list[tuple[dict[str, Any], str]] = [
    (definition(memory="4096"), NONE.format("256 CPU, 4096 memory")),
    (definition(cpu="512", memory="512"), NONE.format("512 CPU, 512 memory")),
    (definition(cpu="0.5 vCPU", memory="5 GB"), NONE.format("512 CPU, 5120 memory")),
    (definition(cpu="300"), NONE.format("300 CPU, 512 memory")),
    (definition(cpu=""), "Fargate requires that 'cpu' be defined at the task level."),
    (
        definition({"memory": 64}, memory=""),
        "Fargate requires that 'memory' be defined at the task level.",
    ),
    (definition(networkMode="bridge"), "Fargate only supports network mode ‘awsvpc’."),
    (definition(ipcMode="task"), NO + "ipcMode"),
    (
        definition(pidMode="host"),
        "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value "
        "for pidMode is 'task'.",
    ),
    (
        definition(
            placementConstraints=[{"type": "memberOf", "expression": "runningTasksCount < 1"}]
        ),
        NO + "constraints",
    ),
    (volume(host={"sourcePath": "/srv"}), NO + "sourcePath"),
    (volume(dockerVolumeConfiguration={"scope": "task"}), NO + "dockerVolumeConfiguration"),
    (linux(devices=[{"hostPath": "/dev/zero"}]), NO + "devices"),
    (linux(tmpfs=[{"containerPath": "/t", "size": 8}]), NO + "tmpfs"),
    (linux(sharedMemorySize=8), NO + "sharedMemorySize"),
    (linux(maxSwap=0), NO + "maxSwap"),
    (linux(maxSwap=8, swappiness=1), NO + "maxSwap"),
    (linux(capabilities={"add": ["SYS_TIME"]}), "SYS_TIME is not allowed on Fargate."),
    (definition({"privileged": True}), "Fargate requires that the 'privileged' setting be 'false'"),
    (definition({"dockerSecurityOptions": ["no-new-privileges"]}), NO + "dockerSecurityOptions"),
    (
        definition({"resourceRequirements": [{"type": "GPU", "value": "1"}]}),
        "Tasks using the Fargate launch type do not support GPU resource requirements",
    ),
    (
        definition({"stopTimeout": 121}),
        "Tasks using the Fargate launch type must have a container stop timeout of less than 120 "
        "seconds.",
    ),
    (
        definition({"systemControls": [{"namespace": "vm.swappiness", "value": "1"}]}),
        NO + "systemControls of the namespace 'vm.swappiness'",
    ),
    (
        definition(
            containerDefinitions=[
                {"name": "web", "image": "busybox"},
                {"name": "side", "image": "busybox", "links": ["web"]},
            ]
        ),
        "Links are not supported" + AWSVPC,
    ),
    (definition({"hostname": "web"}), "hostname is not supported on container" + AWSVPC),
    (
        definition({"dnsServers": ["10.0.0.2"]}),
        "DNS servers are not supported on container" + AWSVPC,
    ),
    (
        definition({"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.9"}]}),
        "Extra hosts are not supported on container" + AWSVPC,
    ),
    (
        definition({"disableNetworking": True}),
        "Disable Networking is not supported on container" + AWSVPC,
    ),
    (
        definition({"logConfiguration": {"logDriver": "json-file"}}),
        "json-file is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]",
    ),
    (
        definition({"logConfiguration": PREFIXED}),
        "Fargate requires task definition to have execution role ARN to support log driver "
        "awslogs.",
    ),
    (
        definition({"logConfiguration": LOGS}, executionRoleArn=ROLE),
        "Log driver awslogs requires options: awslogs-stream-prefix",
    ),
    (
        definition({"image": ECR}),
        "Fargate requires task definition to have execution role ARN to support ECR images.",
    ),
    (
        definition(ephemeralStorage={"sizeInGiB": 20}),
        "ephemeralStorage.sizeInGiB must be between 21 and 200.",
    ),
    (
        definition({"memory": 513}),
        "The 'memory' setting for container 'web' is greater than for the task",
    ),
    (
        definition({"cpu": 257}),
        "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value",
    ),
]


@pytest.mark.parametrize(("document", "text"), REFUSED)
def test_what_fargate_does_not_do_is_refused(ecs: Any, document: dict[str, Any], text: str) -> None:
    family = refusal(ecs.register_task_definition, **document)
    assert family == ("ClientException", text)


@pytest.mark.parametrize(
    ("cpu", "memory", "stored"),
    [
        ("256", "2048", ("256", "2048")),
        (".25 vCPU", "0.5GB", ("256", "512")),
        ("1 vcpu", "8 GB", ("1024", "8192")),
        ("8192", "20 GB", ("8192", "20480")),
        ("16 vCPU", "120 GB", ("16384", "122880")),
        ("32 vCPU", "244 GB", ("32768", "249856")),
    ],
)
def test_sizes_may_be_written_in_vcpus_and_gigabytes(
    ecs: Any, cpu: str, memory: str, stored: tuple[str, str]
) -> None:
    found = ecs.register_task_definition(**definition(cpu=cpu, memory=memory))["taskDefinition"]
    assert (found["cpu"], found["memory"]) == stored


def test_what_fargate_does_is_kept_and_compatible(ecs: Any) -> None:
    found = ecs.register_task_definition(
        **definition(
            {
                "image": ECR,
                "logConfiguration": PREFIXED,
                "linuxParameters": {
                    "capabilities": {"add": ["SYS_PTRACE"], "drop": ["CHOWN"]},
                    "initProcessEnabled": True,
                },
                "stopTimeout": 120,
                "systemControls": [{"namespace": "net.core.somaxconn", "value": "128"}],
                "portMappings": [{"containerPort": 80}],
            },
            executionRoleArn=ROLE,
            pidMode="task",
            ephemeralStorage={"sizeInGiB": 200},
            runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"},
            volumes=[{"name": "scratch", "host": {}}],
        )
    )["taskDefinition"]
    assert set(found["compatibilities"]) == {"EC2", "FARGATE"}
    assert found["requiresCompatibilities"] == ["FARGATE"]
    assert found["ephemeralStorage"] == {"sizeInGiB": 200}
    assert found["containerDefinitions"][0]["portMappings"][0]["hostPort"] == 80


def test_a_definition_is_compatible_with_fargate_only_if_it_could_run_there(ecs: Any) -> None:
    def compatibilities(**members: Any) -> set[str]:
        document = definition(requiresCompatibilities=["EC2"], **members)
        document["containerDefinitions"][0]["memory"] = 64
        return set(ecs.register_task_definition(**document)["taskDefinition"]["compatibilities"])

    assert compatibilities() == {"EC2", "FARGATE"}
    assert compatibilities(networkMode="bridge") == {"EC2", "EXTERNAL"}
    assert compatibilities(memory="700") == {"EC2"}
