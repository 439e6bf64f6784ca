"""boto3 in a container, with no configuration of its own: it is its task's role, and no more."""

from __future__ import annotations

import json
import sys
import textwrap
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from control_plane import ControlPlane, eventually
from docker_engine import docker
from roles import TRUST, task_role
from tasks import container, register, run

pytestmark = pytest.mark.docker

ACCOUNT = "123456789012"
SHARED = ("/usr", "/lib", "/lib64", sys.base_prefix)
PROLOGUE = """
import boto3, json
from botocore.exceptions import ClientError
def tried(call):
    try:
        call()
        return "done"
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
"""


def python_task(program: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A container definition that runs a Python program with boto3, and its volumes: the
    interpreter and the packages of this machine, mounted read-only."""
    packages = str(Path(boto3.__file__).parent.parent)
    mounted = [path for path in sorted({*SHARED, packages}) if Path(path).exists()]
    volumes = [{"name": f"v{n}", "host": {"sourcePath": p}} for n, p in enumerate(mounted)]
    definition = container(
        command="",
        memory=256,
        environment=[{"name": "PYTHONPATH", "value": packages}],
        mountPoints=[
            {"sourceVolume": f"v{n}", "containerPath": path, "readOnly": True}
            for n, path in enumerate(mounted)
        ],
    )
    interpreter = str(Path(sys.executable).resolve())
    definition["command"] = [interpreter, "-c", PROLOGUE + textwrap.dedent(program)]
    return definition, volumes


def printed(plane: ControlPlane, program: str, **more: Any) -> tuple[str, Any]:
    """The id of a task that runs the program, and the JSON document that it prints."""
    definition, volumes = python_task(program)
    task = run(plane, register(plane, definition, volumes=volumes, **more))
    task.reaches("STOPPED", 60)
    output = docker("logs", task.containers()["main"]["Id"])
    assert output.strip(), task.describe()["containers"]
    return task.arn.rpartition("/")[2], json.loads(output)


def of_instances(plane: ControlPlane) -> str:
    """A role that instances may assume, and tasks not."""
    role = task_role(plane)
    document = json.dumps(TRUST).replace("ecs-tasks.", "ec2.")
    plane.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=document
    )
    return role


def test_boto3_in_a_container_is_the_task_role(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    role = task_role(plane)
    task_id, identity = printed(
        plane,
        "print(json.dumps(boto3.client('sts').get_caller_identity()['Arn']))",
        taskRoleArn=role,
        executionRoleArn=task_role(plane),
    )
    name = role.rpartition("/")[2]
    assert identity == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{task_id}"


def test_a_container_may_do_what_its_role_allows_and_nothing_else(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    own, other = (f"b-{uuid.uuid4().hex[:8]}" for _ in range(2))
    for bucket in (own, other):
        plane.client("s3").create_bucket(Bucket=bucket)
    role = task_role(plane, "s3:*", resource=f"arn:aws:s3:::{own}*")
    more = [
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecs:DescribeClusters", "Resource": "*"},
    ]
    plane.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": more}),
    )
    _, outcome = printed(
        plane,
        f"""
        s3, ecs = boto3.client("s3"), boto3.client("ecs")
        print(json.dumps({{
            "own": tried(lambda: s3.put_object(Bucket="{own}", Key="k", Body=b"x")),
            "other": tried(lambda: s3.put_object(Bucket="{other}", Key="k", Body=b"x")),
            "denied": tried(lambda: s3.delete_object(Bucket="{own}", Key="k")),
            "clusters": tried(lambda: ecs.describe_clusters(clusters=["{plane.cluster}"])),
            "tasks": tried(lambda: ecs.list_tasks(cluster="{plane.cluster}")),
        }}))
        """,
        taskRoleArn=role,
    )
    assert outcome["own"] == outcome["clusters"] == "done"
    assert outcome["other"].startswith("AccessDenied")
    assert "with an explicit deny in an identity-based policy" in outcome["denied"]
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/"
    assert f"User: {session}" in outcome["tasks"]
    assert "is not authorized to perform: ecs:ListTasks" in outcome["tasks"]
    assert "because no identity-based policy allows the ecs:ListTasks action" in outcome["tasks"]


def test_a_task_protects_itself_from_being_scaled_in(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    ecs, name = plane.client("ecs"), f"s-{uuid.uuid4().hex[:8]}"
    role = task_role(plane, "ecs:GetTaskProtection", "ecs:UpdateTaskProtection")
    definition, volumes = python_task(
        """
        import os, time, urllib.request
        url = os.environ["ECS_AGENT_URI"] + "/task-protection/v1/state"
        body = json.dumps({"ProtectionEnabled": True, "ExpiresInMinutes": 60}).encode()
        print(urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).read())
        print(urllib.request.urlopen(url).read(), flush=True)
        time.sleep(600)
        """
    )
    ecs.create_service(
        cluster=plane.cluster,
        serviceName=name,
        taskDefinition=register(plane, definition, volumes=volumes, taskRoleArn=role),
        desiredCount=1,
    )

    def protected() -> bool:
        tasks = ecs.list_tasks(cluster=plane.cluster, serviceName=name)["taskArns"]
        if not tasks:
            return False
        answer = ecs.get_task_protection(cluster=plane.cluster, tasks=tasks)
        return bool(answer["protectedTasks"][0]["protectionEnabled"])

    eventually("the task has protected itself", protected, 60)
    ecs.delete_service(cluster=plane.cluster, service=name, force=True)


def test_the_execution_role_is_not_the_containers(shared_control_plane: ControlPlane) -> None:
    plane = shared_control_plane
    _, outcome = printed(
        plane,
        "import os; print(json.dumps([boto3.Session().get_credentials() is None,"
        " 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI' in os.environ]))",
        executionRoleArn=task_role(plane, "*"),
    )
    assert outcome == [True, False]


def test_a_role_that_ecs_can_not_assume_keeps_a_task_from_running(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    foreign = of_instances(plane)
    for role in (foreign, f"arn:aws:iam::{ACCOUNT}:role/nobody"):
        definition = register(plane, container(), taskRoleArn=role)
        with pytest.raises(ClientError, match=f"ECS was unable to assume the role '{role}'"):
            run(plane, definition)


def test_a_service_says_which_role_it_can_not_assume_and_goes_on_once_it_can(
    shared_control_plane: ControlPlane,
) -> None:
    plane = shared_control_plane
    ecs, iam = plane.client("ecs"), plane.client("iam")
    foreign = of_instances(plane)
    name = f"s-{uuid.uuid4().hex[:8]}"
    definition = register(plane, container(), taskRoleArn=foreign)
    ecs.create_service(
        cluster=plane.cluster, serviceName=name, taskDefinition=definition, desiredCount=1
    )

    def service() -> dict[str, Any]:
        answer = ecs.describe_services(cluster=plane.cluster, services=[name])
        found: dict[str, Any] = answer["services"][0]
        return found

    said = f"(service {name}) failed to launch a task with (error ECS was unable to assume"
    eventually(
        "the event", lambda: any(e["message"].startswith(said) for e in service()["events"]), 30
    )
    assert service()["runningCount"] == 0
    iam.update_assume_role_policy(
        RoleName=foreign.rpartition("/")[2], PolicyDocument=json.dumps(TRUST)
    )
    eventually("the task runs", lambda: service()["runningCount"] == 1, 60)
    ecs.delete_service(cluster=plane.cluster, service=name, force=True)
