"""Secrets, parameters and environment files reach containers, and are readable nowhere else."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from control_plane import ControlPlane, eventually
from docker_engine import docker
from private_registry import private_registry
from tasks import Running, container, register, run

pytestmark = pytest.mark.docker

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MAY_READ = [
    "ssm:GetParameters",
    "secretsmanager:GetSecretValue",
    "s3:GetObject",
    "s3:GetBucketLocation",
]
PULL = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: "
)


def role(plane: ControlPlane, name: str, actions: list[str]) -> str:
    """An execution role that may do these."""
    iam = plane.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    if actions:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return str(arn)


@pytest.fixture(scope="module")
def plane(shared_control_plane: ControlPlane) -> ControlPlane:
    return shared_control_plane


@pytest.fixture(scope="module")
def execution_role(plane: ControlPlane) -> str:
    return role(plane, "execution", MAY_READ)


def printed(plane: ControlPlane, *arguments: str) -> str:
    """What the AWS CLI prints; it must end with 0."""
    result = plane.aws_cli(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def said(plane: ControlPlane, definition: str, **more: Any) -> dict[str, str]:
    """The variables in the container of a task that prints them and ends."""
    task = run(plane, definition, **more)
    seen = task.reaches("STOPPED", 60)
    codes = [c.get("exitCode") for c in seen["containers"]]
    assert codes == [0], seen
    output = docker("logs", task.containers()["main"]["Id"])
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def failure(task: Running) -> str:
    """Why the task did not start; none of its containers was made."""
    seen = task.reaches("STOPPED", 60)
    assert seen["stopCode"] == "TaskFailedToStart", seen
    assert task.containers() == {}
    return str(seen["stoppedReason"])


def test_a_container_sees_parameters_and_secrets(plane: ControlPlane, execution_role: str) -> None:
    plane.aws(
        *("ssm", "put-parameter", "--name", "/web/db/host", "--type", "String"),
        *("--value", "db.internal"),
    )
    plane.aws(
        *("ssm", "put-parameter", "--name", "/web/db/user", "--type", "SecureString"),
        *("--value", "blue"),
    )
    made = plane.aws(
        *("secretsmanager", "create-secret", "--name", "web/db"),
        *("--secret-string", '{"password": "one", "port": 5432}'),
    )
    parameter = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/web/db/user"
    secrets = {
        "HOST": "/web/db/host",
        "LOGIN": parameter,
        "WHOLE": made["ARN"],
        "PASSWORD": f"{made['ARN']}:password::",
        "PORT": f"{made['ARN']}:port:AWSCURRENT:",
        "BY_VERSION": f"{made['ARN']}:password::{made['VersionId']}",
    }
    wanted = [{"name": name, "valueFrom": value} for name, value in secrets.items()]
    definition = register(
        plane, container(command="env", secrets=wanted), executionRoleArn=execution_role
    )
    before = said(plane, definition)
    assert before["HOST"] == "db.internal"
    assert before["LOGIN"] == "blue"
    assert json.loads(before["WHOLE"]) == {"password": "one", "port": 5432}
    assert (before["PASSWORD"], before["PORT"]) == ("one", "5432")
    plane.aws(
        *("secretsmanager", "put-secret-value", "--secret-id", "web/db"),
        *("--secret-string", '{"password": "two", "port": 5432}'),
    )
    after = said(plane, definition)
    assert (after["PASSWORD"], after["BY_VERSION"]) == ("two", "one"), "a new task reads it anew"


def test_environment_files_give_what_the_definition_does_not(
    plane: ControlPlane, execution_role: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    first.write_text("# of the first file\nA=first\nB=first\nQUOTED='x y'\n")
    second.write_text("B=second\nC=second\nD=second\n")
    plane.aws("s3api", "create-bucket", "--bucket", "web-files")
    for path in (first, second):
        printed(plane, "s3", "cp", str(path), f"s3://web-files/web/{path.name}")
    assert "web/first.env" in printed(plane, "s3", "ls", "s3://web-files", "--recursive")
    back = tmp_path / "back.env"
    printed(plane, "s3", "cp", "s3://web-files/web/first.env", str(back))
    assert back.read_text() == first.read_text()
    files = [
        {"type": "s3", "value": f"arn:aws:s3:::web-files/web/{path.name}"}
        for path in (first, second)
    ]
    main = container(
        command="env",
        environmentFiles=files,
        environment=[{"name": "A", "value": "own"}],
    )
    definition = register(plane, main, executionRoleArn=execution_role)
    seen = said(plane, definition)
    assert [seen[name] for name in "ABCD"] == ["own", "first", "second", "second"]
    assert seen["QUOTED"] == "'x y'"
    override = {"containerOverrides": [{"name": "main", "environmentFiles": files[1:]}]}
    overridden = said(plane, definition, overrides=override)
    assert (overridden["B"], "QUOTED" in overridden) == ("second", False)
    printed(plane, "s3", "rm", "s3://web-files", "--recursive")
    plane.aws("s3api", "delete-bucket", "--bucket", "web-files")


def test_what_is_missing_or_forbidden_stops_the_task_in_awss_words(
    plane: ControlPlane, execution_role: str
) -> None:
    secret = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:nothing-AbCdEf"
    plane.client("ssm").put_parameter(Name="/closed/door", Value="x", Type="SecureString")
    closed = plane.client("secretsmanager").create_secret(Name="closed", SecretString="x")["ARN"]
    powerless = role(plane, "powerless", [])
    user = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/powerless/TASK is not authorized to perform: "
    )
    file = {"type": "s3", "value": "arn:aws:s3:::nothing-here/a.env"}
    parameter = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/closed/door"
    wanted = [
        (
            execution_role,
            {"secrets": [{"name": "A", "valueFrom": "/nothing/here"}]},
            f"{PULL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            "invalid ssm parameters: /nothing/here",
        ),
        (
            execution_role,
            {"secrets": [{"name": "A", "valueFrom": secret}]},
            f"{PULL}unable to retrieve secret from asm: service call has been retried 1 time(s): "
            f"failed to fetch secret {secret} from secrets manager: ResourceNotFoundException: "
            "Secrets Manager can't find the specified secret.",
        ),
        (
            execution_role,
            {"environmentFiles": [file]},
            "ResourceInitializationError: failed to download env files: file download command: "
            "non empty error stream: service call has been retried 1 time(s): "
            f"{file['value']}: NoSuchBucket: The specified bucket does not exist",
        ),
        (
            powerless,
            {"secrets": [{"name": "A", "valueFrom": "/closed/door"}]},
            f"{PULL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            f"AccessDeniedException: {user}ssm:GetParameters on resource: {parameter} because no "
            "identity-based policy allows the ssm:GetParameters action",
        ),
        (
            powerless,
            {"secrets": [{"name": "A", "valueFrom": closed}]},
            f"{PULL}unable to retrieve secret from asm: service call has been retried 1 time(s): "
            f"failed to fetch secret {closed} from secrets manager: AccessDeniedException: {user}"
            f"secretsmanager:GetSecretValue on resource: {closed} because no identity-based policy "
            "allows the secretsmanager:GetSecretValue action",
        ),
        (
            powerless,
            {"environmentFiles": [file]},
            "ResourceInitializationError: failed to download env files: file download command: "
            "non empty error stream: service call has been retried 1 time(s): "
            f'{file["value"]}: AccessDenied: {user}s3:GetObject on resource: "{file["value"]}" '
            "because no identity-based policy allows the s3:GetObject action",
        ),
    ]
    started = []
    for role_arn, members, text in wanted:
        definition = register(plane, container(**members), executionRoleArn=role_arn)
        started.append((run(plane, definition), text))
    for task, text in started:
        assert failure(task) == text.replace("TASK", task.arn.rpartition("/")[2])


def test_values_are_in_no_file_of_the_data_directory_and_in_no_log(
    plane: ControlPlane, execution_role: str
) -> None:
    password = f"pass-{uuid.uuid4().hex}"
    plane.client("ssm").put_parameter(Name="/hidden", Value=password, Type="SecureString")
    made = plane.client("secretsmanager").create_secret(Name="hidden", SecretString=password)
    s3 = plane.client("s3")
    s3.create_bucket(Bucket="hidden-files")
    s3.put_object(Bucket="hidden-files", Key="a.env", Body=f"C={password}\n".encode())
    secrets = [{"name": "A", "valueFrom": "/hidden"}, {"name": "B", "valueFrom": made["ARN"]}]
    definition = register(
        plane,
        container(
            secrets=secrets,
            environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::hidden-files/a.env"}],
        ),
        executionRoleArn=execution_role,
    )
    task = run(plane, definition)
    task.reaches("RUNNING")
    variables = task.containers()["main"]["Config"]["Env"]
    assert {f"{name}={password}" for name in "ABC"} <= set(variables)
    files = [path for path in plane.data_dir.rglob("*") if path.is_file()]
    assert any(path.name == "homeport.sqlite" for path in files)
    assert any(path.parent.name == "tasks" for path in files), "the agent's files are looked at"
    assert [str(path) for path in files if password.encode() in path.read_bytes()] == []
    for name in ("vault.key", "homeport.sqlite"):
        (path,) = [path for path in files if path.name == name]
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    task.stop()


def test_values_are_there_after_the_control_plane_was_killed(plane: ControlPlane) -> None:
    ssm, manager, s3 = (plane.client(s) for s in ("ssm", "secretsmanager", "s3"))
    ssm.put_parameter(Name="/kept", Value="parameter", Type="SecureString")
    manager.create_secret(Name="kept", SecretString="secret")
    s3.create_bucket(Bucket="kept-files")
    s3.put_object(Bucket="kept-files", Key="a.env", Body=b"object")
    plane.kill()
    plane.start()
    plane.wait_for_instance()
    read = ssm.get_parameter(Name="/kept", WithDecryption=True)["Parameter"]["Value"]
    assert read == "parameter"
    assert manager.get_secret_value(SecretId="kept")["SecretString"] == "secret"
    assert s3.get_object(Bucket="kept-files", Key="a.env")["Body"].read() == b"object"


def test_an_agent_that_was_killed_reads_them_again_for_containers_to_come(
    plane: ControlPlane, execution_role: str
) -> None:
    ssm = plane.client("ssm")
    ssm.put_parameter(Name="/phase", Value="before", Type="SecureString")
    secret = [{"name": "PHASE", "valueFrom": "/phase"}]
    first = container("first", "sleep 4", essential=False, secrets=secret)
    main = container(
        command="echo PHASE=$PHASE",
        secrets=secret,
        dependsOn=[{"containerName": "first", "condition": "SUCCESS"}],
    )
    task = run(plane, register(plane, main, first, executionRoleArn=execution_role))
    eventually("the first container runs", lambda: "first" in task.containers(), 30)
    assert "main" not in task.containers()
    ssm.put_parameter(Name="/phase", Value="after", Overwrite=True)
    plane.kill_agent()
    seen = task.reaches("STOPPED", 60)
    assert {c["name"]: c.get("exitCode") for c in seen["containers"]} == {"main": 0, "first": 0}
    made = task.containers()
    assert "PHASE=before" in made["first"]["Config"]["Env"]
    assert docker("logs", made["main"]["Id"]).strip() == "PHASE=after"


def test_options_of_a_log_driver_can_be_secrets(plane: ControlPlane, execution_role: str) -> None:
    plane.client("ssm").put_parameter(Name="/log/tag", Value="tag-of-mine", Type="SecureString")
    logging = {
        "logDriver": "json-file",
        "options": {"max-size": "1m"},
        "secretOptions": [{"name": "tag", "valueFrom": "/log/tag"}],
    }
    definition = register(
        plane, container(logConfiguration=logging), executionRoleArn=execution_role
    )
    task = run(plane, definition)
    task.reaches("RUNNING")
    config = task.containers()["main"]["HostConfig"]["LogConfig"]["Config"]
    assert config == {"max-size": "1m", "tag": "tag-of-mine"}
    task.stop()
    odd = {**logging, "secretOptions": [{"name": "max-file", "valueFrom": "/log/tag"}]}
    definition = register(plane, container(logConfiguration=odd), executionRoleArn=execution_role)
    seen = run(plane, definition).reaches("STOPPED", 60)
    reason = seen["containers"][0]["reason"]
    assert ("***" in reason, "tag-of-mine" in reason) == (True, False), reason


def test_an_image_is_pulled_with_a_secrets_password(
    plane: ControlPlane, execution_role: str
) -> None:
    manager = plane.client("secretsmanager")
    right = json.dumps({"username": "blue", "password": "right"})
    arn = manager.create_secret(Name="registry", SecretString=right)["ARN"]
    image = f"private-{uuid.uuid4().hex[:8]}"
    with private_registry("blue", "right", image) as reference:
        main = container(command="true", repositoryCredentials={"credentialsParameter": arn})
        definition = register(plane, {**main, "image": reference}, executionRoleArn=execution_role)
        public = register(plane, {**container(), "image": reference})
        refused = run(plane, public).reaches("STOPPED", 60)
        assert "CannotPullContainerError" in refused["containers"][0]["reason"]
        seen = run(plane, definition).reaches("STOPPED", 60)
        assert [c.get("exitCode") for c in seen["containers"]] == [0], seen
    docker("rmi", "-f", reference)
