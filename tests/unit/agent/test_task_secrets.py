"""A task's secrets: fetched once with its execution role, placed, and never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from homeport.agent.container_spec import create_body
from homeport.agent.credentials import CredentialStore
from homeport.agent.environment_files import merged, parse_environment_file
from homeport.agent.secret_references import SecretReference, secret_reference
from homeport.agent.secret_sources import Refused, Unreachable
from homeport.agent.surroundings import Surroundings
from homeport.agent.task_secrets import ContainerSecrets, NotRetrieved, TaskSecrets
from homeport.domain.agent_payload import (
    PayloadAsmAuth,
    PayloadContainer,
    PayloadDockerConfig,
    PayloadEnvironmentFile,
    PayloadRegistryAuthentication,
    PayloadSecret,
    PayloadTask,
    RoleCredentials,
)

ROLE = RoleCredentials("id", "arn:aws:iam::1:role/execution", "ASIA1", "secret", "token", "2030")
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
FILE = "arn:aws:s3:::files/app.env"
PULL = "ResourceInitializationError: unable to pull secrets or registry auth: "
RETRIEVAL = f"{PULL}execution resource retrieval failed: "


class Sources:
    """What the services would answer."""

    def __init__(self) -> None:
        self.parameter_values = {"/db/host": "db.internal"}
        self.texts = {SECRET: '{"password": "hunter2", "port": 5432, "tls": true}'}
        self.files = {FILE: b"# comment\nA=file\nB=x=y\n"}
        self.calls: list[str] = []
        self.failure: Exception | None = None

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if self.failure is not None:
            raise self.failure

    async def parameters(
        self, names: Sequence[str], role: RoleCredentials
    ) -> tuple[dict[str, str], list[str]]:
        assert role == ROLE
        self._asked("ssm")
        known = self.parameter_values
        return dict(known), [name for name in names if name not in known]

    async def secret(self, request: Mapping[str, str], role: RoleCredentials) -> str:
        self._asked(f"asm {request}")
        return self.texts[request["SecretId"]]

    async def file(self, arn: str, role: RoleCredentials) -> bytes:
        self._asked("s3")
        return self.files[arn]


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def secrets(sources: Sources) -> TaskSecrets:
    credentials = CredentialStore()
    credentials.renew("task", "TaskExecution", ROLE)
    return TaskSecrets(sources, credentials)  # type: ignore[arg-type]


def task(*containers: PayloadContainer) -> PayloadTask:
    return PayloadTask(arn="task", desired_status="RUNNING", containers=list(containers))


def asm(name: str, value_from: str = SECRET, target: str = "CONTAINER") -> PayloadSecret:
    return PayloadSecret(name, value_from, "us-east-1", "asm", target=target)


HOST = PayloadSecret("HOST", "/db/host")


async def test_values_go_where_the_definition_wants_them(
    secrets: TaskSecrets, sources: Sources
) -> None:
    wanted = task(
        PayloadContainer(
            "web",
            secrets=[
                HOST,
                asm("ALL"),
                asm("PASSWORD", f"{SECRET}:password::"),
                asm("PORT", f"{SECRET}:port::"),
                asm("TLS", f"{SECRET}:tls::"),
                asm("token", f"{SECRET}:password::", "LOG_DRIVER"),
            ],
            environment_files=[PayloadEnvironmentFile(FILE)],
        ),
        PayloadContainer("side", secrets=[asm("PASSWORD", f"{SECRET}:password::")]),
        PayloadContainer("plain"),
    )
    web, side, plain = await asyncio.gather(
        *(secrets.of(wanted, name) for name in ("web", "side", "plain"))
    )
    assert web.environment == {
        "HOST": "db.internal",
        "ALL": sources.texts[SECRET],
        "PASSWORD": "hunter2",
        "PORT": "5432",
        "TLS": "true",
    }
    assert web.log_options == {"token": "hunter2"}
    assert web.defaults == {"A": "file", "B": "x=y"}
    assert side.environment == {"PASSWORD": "hunter2"}
    assert plain == ContainerSecrets()
    assert len(sources.calls) == 3, "each secret is read once for the whole task"
    assert "hunter2" not in repr(web)


async def test_a_task_without_secrets_needs_no_role() -> None:
    secrets = TaskSecrets(Sources(), CredentialStore())  # type: ignore[arg-type]
    assert await secrets.of(task(PayloadContainer("web")), "web") == ContainerSecrets()


async def test_what_was_forgotten_is_read_again(secrets: TaskSecrets, sources: Sources) -> None:
    wanted = task(PayloadContainer("web", secrets=[HOST]))
    assert (await secrets.of(wanted, "web")).environment == {"HOST": "db.internal"}
    sources.parameter_values["/db/host"] = "db2.internal"
    assert (await secrets.of(wanted, "web")).environment == {"HOST": "db.internal"}
    secrets.forget("task")
    assert (await secrets.of(wanted, "web")).environment == {"HOST": "db2.internal"}


async def why(given: TaskSecrets, **container: object) -> str:
    with pytest.raises(NotRetrieved) as failed:
        await given.of(task(PayloadContainer("web", **container)), "web")  # type: ignore[arg-type]
    assert "hunter2" not in str(failed.value)
    return str(failed.value)


async def test_failures_in_awss_words(secrets: TaskSecrets, sources: Sources) -> None:
    ssm = f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried "
    asm_ = f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried "
    files = (
        "ResourceInitializationError: failed to download env files: file download command: non "
        "empty error stream: "
    )
    missing = PayloadSecret("X", "/nothing")
    assert (
        await why(secrets, secrets=[missing]) == f"{ssm}1 time(s): invalid ssm parameters: /nothing"
    )
    secrets.forget("task")
    text = await why(secrets, secrets=[asm("X", f"{SECRET}:nothing::")])
    assert text == (
        f"{asm_}1 time(s): retrieved secret from Secrets Manager did not contain json key nothing"
    )
    secrets.forget("task")
    sources.texts[SECRET] = "hunter2"
    text = await why(secrets, secrets=[asm("X", f"{SECRET}:password::")])
    assert text.startswith(f"{asm_}1 time(s): retrieved secret")
    secrets.forget("task")
    denied = "User: arn:aws:sts::1:assumed-role/execution/1 is not authorized to perform: …"
    sources.failure = Refused("AccessDeniedException", denied)
    assert await why(secrets, secrets=[asm("X")]) == (
        f"{asm_}1 time(s): failed to fetch secret {SECRET} from secrets manager: "
        f"AccessDeniedException: {denied}"
    )
    secrets.forget("task")
    text = await why(secrets, secrets=[HOST])
    assert text == f"{ssm}1 time(s): AccessDeniedException: {denied}"
    secrets.forget("task")
    sources.failure = Unreachable("connection refused")
    text = await why(secrets, secrets=[HOST])
    assert text.startswith(f"{ssm}5 time(s): RequestCanceled: request context canceled")
    secrets.forget("task")
    text = await why(secrets, environment_files=[PayloadEnvironmentFile(FILE)])
    assert text.startswith(f"{files}RequestCanceled: ")
    secrets.forget("task")
    sources.failure = Refused("NoSuchKey", "The specified key does not exist.")
    text = await why(secrets, environment_files=[PayloadEnvironmentFile(FILE)])
    assert text == (
        f"{files}service call has been retried 1 time(s): {FILE}: NoSuchKey: The specified key "
        "does not exist."
    )


async def test_a_registry_password_is_a_secret_of_two_members(
    secrets: TaskSecrets, sources: Sources
) -> None:
    private = PayloadRegistryAuthentication("asm", PayloadAsmAuth(SECRET))
    sources.texts[SECRET] = '{"username": "me", "password": "hunter2"}'
    given = await secrets.of(task(PayloadContainer("web", registry_authentication=private)), "web")
    assert given.login is not None
    assert (given.login.username, given.login.password) == ("me", "hunter2")
    assert "hunter2" not in repr(given)
    secrets.forget("task")
    sources.texts[SECRET] = "hunter2"
    assert "username" in await why(secrets, registry_authentication=private)


def test_the_engines_words_are_shown_without_values() -> None:
    given = ContainerSecrets({"A": "file"}, {"B": "hunter2", "C": "hunter22", "D": "1"})
    text = "invalid size: 'hunter2' of hunter22, 1 file"
    assert given.masked(text) == "invalid size: '***' of ***, 1 ***"


def test_a_definitions_variables_overrule_files_and_secrets_overrule_both() -> None:
    given = ContainerSecrets(
        {"A": "file", "B": "file", "C": "file"}, {"A": "secret"}, {"token": "hunter2"}
    )
    config = PayloadDockerConfig(host_config='{"LogConfig":{"Type":"splunk","Config":{"a":"b"}}}')
    container = PayloadContainer("web", environment={"A": "own", "B": "own"}, docker_config=config)
    body = create_body(task(container), container, (), "default", Surroundings(secrets=given))
    assert sorted(body["Env"]) == ["A=secret", "B=own", "C=file"]
    logging = body["HostConfig"]["LogConfig"]
    assert logging == {"Type": "splunk", "Config": {"a": "b", "token": "hunter2"}}


@pytest.mark.parametrize(
    ("content", "variables"),
    [
        (b"A=1\nB=2", {"A": "1", "B": "2"}),
        (b"A=1\r\nA=2\r\n", {"A": "2"}),
        (b"#A=1\n =x\n=y\nnothing\n\nC=", {" ": "x", "C": ""}),
        (b"A='1' # no comment\n B=2", {"A": "'1' # no comment", " B": "2"}),
        (b"A=\xc3\xa4=b", {"A": "ä=b"}),
        (b"", {}),
    ],
)
def test_lines_of_an_environment_file(content: bytes, variables: dict[str, str]) -> None:
    assert parse_environment_file(content) == variables


def test_an_earlier_file_counts_more() -> None:
    assert merged([{"A": "1", "B": "1"}, {"B": "2", "C": "2"}]) == {"A": "1", "B": "1", "C": "2"}


def test_references() -> None:
    assert secret_reference(SECRET) == SecretReference(SECRET)
    whole = secret_reference(f"{SECRET}:key:AWSPREVIOUS:")
    assert whole == SecretReference(SECRET, "key", "AWSPREVIOUS", "")
    assert whole.request() == {"SecretId": SECRET, "VersionStage": "AWSPREVIOUS"}
