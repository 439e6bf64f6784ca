"""Who may do what, as people with the AWS CLI, hosts with an agent and strangers find it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from control_plane import ControlPlane, eventually
from second_host import second_host
from tasks import container, register

pytestmark = pytest.mark.docker

INSTANCE_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonECS_FullAccess"


@pytest.fixture
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


def policy(effect: str, action: str, **more: object) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal: object) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_user(plane: ControlPlane, *managed: str) -> tuple[str, Any]:
    """A new user with managed policies: its name and its access key."""
    iam, name = plane.client("iam"), f"u-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    for policy_arn in managed:
        iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
    return name, iam.create_access_key(UserName=name)["AccessKey"]


def allow(plane: ControlPlane, user: str, document: str) -> None:
    plane.client("iam").put_user_policy(
        UserName=user, PolicyName=uuid.uuid4().hex, PolicyDocument=document
    )


def make_role(plane: ControlPlane, principal: object) -> str:
    made = plane.client("iam").create_role(
        RoleName=f"r-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=trust(principal)
    )
    return str(made["Role"]["Arn"])


def refused(plane: ControlPlane, keys: Mapping[str, str], *arguments: str) -> str:
    """What the AWS CLI says of a command that is refused."""
    result = plane.aws_cli(*arguments, keys=keys)
    assert result.returncode != 0, result.stdout
    return " ".join(result.stderr.split())


def answered(plane: ControlPlane, keys: Mapping[str, str], *arguments: str) -> Any:
    result = plane.aws_cli(*arguments, keys=keys)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_user_without_passrole_can_not_run_a_task_with_that_role(plane: ControlPlane) -> None:
    role = make_role(plane, {"Service": "ecs-tasks.amazonaws.com"})
    definition = register(plane, container(command="true"), taskRoleArn=role)
    user, key = make_user(plane, "arn:aws:iam::aws:policy/AdministratorAccess")
    run = ("ecs", "run-task", "--cluster", plane.cluster, "--task-definition", definition)
    allow(plane, user, policy("Deny", "iam:PassRole", Resource=role))
    assert (
        f"(AccessDeniedException) when calling the RunTask operation: User: {arn(user)} is not "
        f"authorized to perform: iam:PassRole on resource: {role} with an explicit deny in an "
        "identity-based policy"
    ) in refused(plane, key, *run)

    other, other_key = make_user(plane)
    allow(plane, other, policy("Allow", "ecs:*"))
    assert (
        f"(AccessDeniedException) when calling the RunTask operation: User: {arn(other)} is not "
        f"authorized to perform: iam:PassRole on resource: {role} because no identity-based policy "
        "allows the iam:PassRole action"
    ) in refused(plane, other_key, *run)
    allow(plane, other, policy("Allow", "iam:PassRole", Resource=role))
    assert len(answered(plane, other_key, *run)["tasks"]) == 1


def test_a_deny_statement_wins_over_full_access(plane: ControlPlane) -> None:
    user, key = make_user(plane, FULL_ACCESS)
    assert answered(plane, key, "ecs", "list-clusters")["clusterArns"]
    allow(plane, user, policy("Deny", "ecs:ListClusters"))
    assert (
        f"(AccessDeniedException) when calling the ListClusters operation: User: {arn(user)} is "
        "not authorized to perform: ecs:ListClusters on resource: * with an explicit deny in an "
        "identity-based policy"
    ) in refused(plane, key, "ecs", "list-clusters")


def test_a_person_takes_a_role_for_a_while(plane: ControlPlane) -> None:
    user = f"u-{uuid.uuid4().hex[:8]}"
    plane.aws("iam", "create-user", "--user-name", user)
    key = plane.aws("iam", "create-access-key", "--user-name", user)["AccessKey"]
    assert answered(plane, key, "sts", "get-caller-identity")["Arn"] == arn(user)
    role = make_role(plane, {"AWS": arn(user)})
    name = role.rpartition("/")[2]
    plane.client("iam").attach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    taken = ("sts", "assume-role", "--role-arn", role, "--role-session-name", "work")
    session = answered(plane, key, *taken)["Credentials"]
    who = answered(plane, session, "sts", "get-caller-identity")
    assert who["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{name}/work"
    assert answered(plane, session, "ecs", "list-clusters")["clusterArns"]
    assert "AccessDenied" in refused(plane, session, "iam", "list-users")


def test_a_host_joins_with_the_least_of_permissions_and_runs_tasks(
    plane: ControlPlane, tmp_path: Path
) -> None:
    _, key = make_user(plane, INSTANCE_POLICY)
    ecs = plane.client("ecs")
    definition = register(plane, container(command="exit 7"))
    with second_host(plane, tmp_path, keys=key) as second:
        eventually("its agent is connected", lambda: connected(plane, second), 30)
        task = ecs.start_task(
            cluster=plane.cluster, taskDefinition=definition, containerInstances=[second]
        )["tasks"][0]["taskArn"]
        ecs.get_waiter("tasks_stopped").wait(
            cluster=plane.cluster, tasks=[task], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        described = ecs.describe_tasks(cluster=plane.cluster, tasks=[task])["tasks"][0]
        assert described["containerInstanceArn"] == second
        assert described["containers"][0]["exitCode"] == 7
    run = ("ecs", "run-task", "--cluster", plane.cluster, "--task-definition", definition)
    assert "AccessDenied" in refused(plane, key, *run)


def test_keys_sessions_and_policies_outlive_a_kill(control_plane: ControlPlane) -> None:
    plane = control_plane
    user, key = make_user(plane, FULL_ACCESS)
    role = make_role(plane, {"AWS": arn(user)})
    session = client(plane, "sts", key).assume_role(RoleArn=role, RoleSessionName="work")[
        "Credentials"
    ]
    allow(plane, user, policy("Deny", "ecs:ListServices"))
    plane.kill()
    plane.start()
    assert client(plane, "ecs", key).list_clusters()["clusterArns"]
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        client(plane, "ecs", key).list_services(cluster=plane.cluster)
    assert client(plane, "sts", session).get_caller_identity()["Arn"].endswith("/work")


def test_nothing_is_reachable_without_credentials_but_health(plane: ControlPlane) -> None:
    assert fetched(plane, "/health") == (200, b"ok\n")
    for path in ("/", "/acs/ws", "/tcs/ws", "/v2/", "/metrics"):
        status, _ = fetched(plane, path)
        assert 400 <= status < 500, path
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    status, body = fetched(plane, "/", target)
    assert (status, json.loads(body)["__type"]) == (403, "MissingAuthenticationTokenException")


def connected(plane: ControlPlane, instance: str) -> bool:
    described = plane.client("ecs").describe_container_instances(
        cluster=plane.cluster, containerInstances=[instance]
    )
    return bool(described["containerInstances"][0]["agentConnected"])


def client(plane: ControlPlane, service: str, keys: Mapping[str, str]) -> Any:
    """A boto3 client with a key of IAM's or a session of STS's."""
    return boto3.client(
        service,
        endpoint_url=plane.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
    )


def arn(user: str) -> str:
    return f"arn:aws:iam::123456789012:user/{user}"


def fetched(
    plane: ControlPlane, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    body = b"{}" if headers else None
    request = urllib.request.Request(plane.endpoint + path, body, dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
