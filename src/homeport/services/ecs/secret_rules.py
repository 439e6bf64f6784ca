"""What a definition may say of secrets, environment files and private registries.

Sources: "Pass sensitive data to an Amazon ECS container" and "Pass environment variables to an
Amazon ECS container", developer guide; texts as RegisterTaskDefinition gives them where known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import ClientException

Document = Mapping[str, Any]  # a request document: open-ended by nature

MAX_FILES = 10
_PARAMETER = re.compile(r"[A-Za-z0-9_./-]{1,2048}(:[A-Za-z0-9_.-]+)?")
_PARAMETER_ARN = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/.{1,2048}")
_SECRET_ARN = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]{1,512}(:[^:]*:[^:]*:[^:]*)?"
)
_FILE_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[^/]{3,63}/.+\.env")


def check_secrets(container: Document, request: Document) -> None:
    """Raise the first refusal of one container's secrets, files and registry password."""
    secrets: Sequence[Document] = container.get("secrets") or ()
    logging: Document = container.get("logConfiguration") or {}
    options: Sequence[Document] = logging.get("secretOptions") or ()
    if (secrets or options) and not request.get("executionRoleArn"):
        raise ClientException(
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )
    taken = {str(e.get("name")) for e in container.get("environment") or ()}
    _check_references(secrets, taken)
    _check_references(options, set(logging.get("options") or ()))
    check_files(container)
    if container.get("environmentFiles") and not request.get("executionRoleArn"):
        raise ClientException(
            "When you are specifying environment files, you must also specify a value for "
            "'executionRoleArn'."
        )
    _check_registry(container, request)


def check_files(container: Document) -> None:
    """The files of a container or of its override."""
    files: Sequence[Document] = container.get("environmentFiles") or ()
    name = str(container.get("name"))[:64]
    if len(files) > MAX_FILES:
        raise ClientException(
            f"Container '{name}' can have at most {MAX_FILES} environment files: environmentFiles."
        )
    for file in files:
        if file.get("type") != "s3":
            raise ClientException(
                f"environmentFiles.type of container '{name}' should be one of [s3], not "
                f"'{str(file.get('type'))[:64]}'."
            )
        if not _FILE_ARN.fullmatch(str(file.get("value") or "")):
            raise ClientException(
                f"environmentFiles.value of container '{name}' must be the ARN of an S3 object "
                f"whose name ends in .env: '{str(file.get('value'))[:256]}'."
            )


def _check_references(secrets: Iterable[Document], taken: set[str]) -> None:
    for secret in secrets:
        name = str(secret.get("name") or "")
        if not name:
            raise ClientException("Secret name cannot be null or blank: secrets.name.")
        if name in taken:
            raise ClientException(
                "The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{name[:256]}'."
            )
        taken.add(name)
        _check_value_from(name, str(secret.get("valueFrom") or ""))


def _check_value_from(name: str, value: str) -> None:
    if value.startswith("arn:"):
        if not (_PARAMETER_ARN.fullmatch(value) or _SECRET_ARN.fullmatch(value)):
            raise ClientException(
                f"The ARN specified for secret {name[:256]} is invalid: valueFrom must be the ARN "
                "of a Systems Manager parameter, or of a Secrets Manager secret with or without "
                ":json-key:version-stage:version-id."
            )
    elif not _PARAMETER.fullmatch(value):
        raise ClientException(
            f"The Systems Manager parameter name specified for secret {name[:256]} is invalid. The "
            "parameter name can be up to 2048 characters and include the following letters and "
            "symbols: a-zA-Z0-9_.-"
        )


def _check_registry(container: Document, request: Document) -> None:
    private = container.get("repositoryCredentials")
    if not private:
        return
    if not request.get("executionRoleArn"):
        raise ClientException(
            "Private repository authentication requires that the task definition specify a value "
            "for executionRoleArn."
        )
    parameter = str(private.get("credentialsParameter") or "")
    if not _SECRET_ARN.fullmatch(parameter):
        raise ClientException(
            "repositoryCredentials.credentialsParameter must be the ARN of a Secrets Manager "
            f"secret: '{parameter[:256]}'."
        )
