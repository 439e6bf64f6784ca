"""What a task's containers must be given and nobody else may see: fetched once, kept in memory.

A task's secrets, environment files and registry passwords are read with its execution role before
its first container is made. All of a task's containers get the same values; once the last is made
they are forgotten. After a restart of the agent those of containers that were not made yet are read
again. Nothing of it is in a task's file or a log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from homeport.domain.agent_payload import (
    PayloadContainer,
    PayloadSecret,
    PayloadTask,
    RoleCredentials,
)

from .awslogs import LogStream, log_streams
from .credentials import CredentialsMissing, CredentialStore
from .environment_files import merged, parse_environment_file
from .secret_references import SecretReference, secret_reference
from .secret_sources import ATTEMPTS, Refused, SecretSources, Unreachable

CREDENTIALS_SECONDS = 60.0
SHORTEST_MASKED = 4  # what is shorter is in any text
_PULL = "ResourceInitializationError: unable to pull secrets or registry auth: "
_RETRIEVAL = _PULL + "execution resource retrieval failed: "
_FILES = (
    "ResourceInitializationError: failed to download env files: file download command: non empty "
    "error stream: "
)
_TASK_NETWORK = ". Please check your task network configuration."


class NotRetrieved(Exception):
    """Why the task can't be given what it needs, in AWS's words."""


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Who pulls an image; never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContainerSecrets:
    """``defaults``: variables of files, which the definition's own overrule; ``environment``:
    secrets, which overrule those; ``log_options``: options of the log driver."""

    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: RegistryLogin | None = None

    def masked(self, text: str) -> str:
        """The text without these values: the Engine may repeat what it can't use."""
        values = [*self.defaults.values(), *self.environment.values(), *self.log_options.values()]
        if self.login is not None:
            values.append(self.login.password)
        for value in sorted(values, key=len, reverse=True):
            if len(value) >= SHORTEST_MASKED:
                text = text.replace(value, "***")
        return text


NOTHING = ContainerSecrets()


class TaskSecrets:
    """By task and container; each task's is fetched by whoever asks first."""

    def __init__(self, sources: SecretSources, credentials: CredentialStore) -> None:
        self._sources = sources
        self._credentials = credentials
        self._fetching: dict[str, asyncio.Task[dict[str, ContainerSecrets]]] = {}

    async def of(self, task: PayloadTask, container: str) -> ContainerSecrets:
        """What the container is to be given. Raises NotRetrieved."""
        if not any(map(needs_something, task.containers or ())) and not log_streams(task):
            return NOTHING
        fetching = self._fetching.get(task.arn)
        if fetching is None:
            fetching = asyncio.create_task(self._fetch(task), name=f"secrets of {task.arn}")
            # whoever waited may be gone: a failure without a reader is no defect
            fetching.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._fetching[task.arn] = fetching
        return (await asyncio.shield(fetching)).get(container, NOTHING)

    def forget(self, task_arn: str) -> None:
        """Every container has been made, or the task is over."""
        fetching = self._fetching.pop(task_arn, None)
        if fetching is not None:
            fetching.cancel()

    async def _fetch(self, task: PayloadTask) -> dict[str, ContainerSecrets]:
        try:
            role = await self._credentials.execution_role(task.arn, CREDENTIALS_SECONDS)
        except CredentialsMissing:
            raise NotRetrieved(f"{_PULL}unable to find execution role credentials") from None
        wanted = [c for c in task.containers or () if needs_something(c)]
        values = await self._parameters(wanted, role)
        values |= await self._secrets(wanted, role)
        found = {c.name: _placed(c, values) for c in wanted}
        for container in wanted:
            files = await self._files(container, role)
            login = await self._login(container, role)
            found[container.name] = replace(found[container.name], defaults=files, login=login)
        for stream in log_streams(task):
            await self._log_stream(stream, role)
        return found

    async def _log_stream(self, stream: LogStream, role: RoleCredentials) -> None:
        """On Fargate logging is proved before a container is made, in whatever mode it runs."""
        making = "group"
        try:
            if stream.create_group:
                await self._sources.log_group(stream.group, role)
            making = "stream"
            await self._sources.log_stream(stream.group, stream.name, role)
        except (Refused, Unreachable) as error:
            raise NotRetrieved(
                "ResourceInitializationError: failed to validate logger args: create stream has "
                f"been retried 1 times: failed to create Cloudwatch log {making}: {error} : exit "
                "status 1"
            ) from None

    async def _parameters(
        self, containers: list[PayloadContainer], role: RoleCredentials
    ) -> dict[str, str]:
        names = _values_from(containers, "ssm")
        if not names:
            return {}
        about = f"{_RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried "
        try:
            values, invalid = await self._sources.parameters(names, role)
        except Refused as error:
            raise NotRetrieved(f"{about}1 time(s): {error}") from None
        except Unreachable as error:
            text = f"RequestCanceled: request context canceled caused by: {error}{_TASK_NETWORK}"
            raise NotRetrieved(f"{about}{ATTEMPTS} time(s): {text}") from None
        missing = invalid or [name for name in names if name not in values]
        if missing:
            raise NotRetrieved(f"{about}1 time(s): invalid ssm parameters: {', '.join(missing)}")
        return {name: values[name] for name in names}

    async def _secrets(
        self, containers: list[PayloadContainer], role: RoleCredentials
    ) -> dict[str, str]:
        values: dict[str, str] = {}
        texts: dict[SecretReference, str] = {}
        for value_from in _values_from(containers, "asm"):
            reference = secret_reference(value_from)
            whole = replace(reference, json_key="")
            if whole not in texts:
                texts[whole] = await self._secret(whole, role)
            values[value_from] = _member(texts[whole], reference.json_key)
        return values

    async def _secret(self, reference: SecretReference, role: RoleCredentials) -> str:
        failed = f"failed to fetch secret {reference.arn} from secrets manager: "
        about = f"{_RETRIEVAL}unable to retrieve secret from asm: service call has been retried "
        try:
            return await self._sources.secret(reference.request(), role)
        except Refused as error:
            raise NotRetrieved(f"{about}1 time(s): {failed}{error}") from None
        except Unreachable as error:
            text = f"RequestCanceled: request context canceled caused by: {error}{_TASK_NETWORK}"
            raise NotRetrieved(f"{about}{ATTEMPTS} time(s): {failed}{text}") from None

    async def _files(self, container: PayloadContainer, role: RoleCredentials) -> dict[str, str]:
        files = []
        for wanted in container.environment_files or ():
            about = f"{_FILES}service call has been retried "
            try:
                files.append(parse_environment_file(await self._sources.file(wanted.value, role)))
            except Refused as error:
                raise NotRetrieved(f"{about}1 time(s): {wanted.value}: {error}") from None
            except Unreachable as error:
                text = f"RequestCanceled: request context canceled caused by: {error}"
                raise NotRetrieved(f"{_FILES}{text}{_TASK_NETWORK}") from None
        return merged(files)

    async def _login(
        self, container: PayloadContainer, role: RoleCredentials
    ) -> RegistryLogin | None:
        wanted = container.registry_authentication
        if wanted is None or wanted.asm_auth_data is None:
            return None
        parameter = wanted.asm_auth_data.credentials_parameter
        text = await self._secret(SecretReference(parameter), role)
        try:
            document = msgspec.json.decode(text, type=dict[str, str])
            return RegistryLogin(document["username"], document["password"])
        except (msgspec.DecodeError, KeyError):
            raise NotRetrieved(
                f"{_RETRIEVAL}unable to retrieve registry auth from asm: the secret {parameter} "
                'must be a JSON object with "username" and "password"'
            ) from None


def needs_something(container: PayloadContainer) -> bool:
    """Whether a container has anything that is fetched."""
    return bool(
        container.secrets or container.environment_files or container.registry_authentication
    )


def _values_from(containers: list[PayloadContainer], provider: str) -> list[str]:
    """What is asked of a provider, each once."""
    return list(
        dict.fromkeys(
            s.value_from for c in containers for s in c.secrets or () if s.provider == provider
        )
    )


def _placed(container: PayloadContainer, values: Mapping[str, str]) -> ContainerSecrets:
    def those(log_driver: bool) -> dict[str, str]:
        wanted = [s for s in container.secrets or () if _is_log_option(s) == log_driver]
        return {s.name: values[s.value_from] for s in wanted}

    return ContainerSecrets(environment=those(False), log_options=those(True))


def _is_log_option(secret: PayloadSecret) -> bool:
    return secret.target == "LOG_DRIVER"


def _member(text: str, json_key: str) -> str:
    """The secret itself, or a member of the JSON object that it is."""
    if not json_key:
        return text
    about = f"{_RETRIEVAL}unable to retrieve secret from asm: service call has been retried "
    try:
        document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        member = msgspec.json.decode(document[json_key])
    except msgspec.DecodeError:
        raise NotRetrieved(
            f"{about}1 time(s): retrieved secret from Secrets Manager is not a JSON object, so it "
            f"did not contain json key {json_key}"
        ) from None
    except KeyError:
        raise NotRetrieved(
            f"{about}1 time(s): retrieved secret from Secrets Manager did not contain json key "
            f"{json_key}"
        ) from None
    return member if isinstance(member, str) else bytes(document[json_key]).decode()
