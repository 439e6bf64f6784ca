"""What an agent is to fetch for a container, as the agent protocol has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]  # a container definition as registered: open-ended by nature


def secret_members(container: Document, region: str) -> dict[str, Any]:
    """``secrets``, ``environmentFiles`` and ``registryAuthentication``, those that there are."""
    logging: Document = container.get("logConfiguration") or {}
    secrets = [
        *_secrets(container.get("secrets") or (), region, "ENVIRONMENT_VARIABLE", "CONTAINER"),
        *_secrets(logging.get("secretOptions") or (), region, "BOOTSTRAP", "LOG_DRIVER"),
    ]
    files = [{"value": f["value"], "type": "s3"} for f in container.get("environmentFiles") or ()]
    members: dict[str, Any] = {"secrets": secrets, "environmentFiles": files}
    private: Document = container.get("repositoryCredentials") or {}
    if parameter := private.get("credentialsParameter"):
        auth = {"credentialsParameter": parameter, "region": region_of(parameter) or region}
        members["registryAuthentication"] = {"type": "asm", "asmAuthData": auth}
    return {name: value for name, value in members.items() if value}


def region_of(arn: str) -> str:
    """The region in an ARN; empty if it is none."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def _secrets(
    wanted: Sequence[Document], region: str, type_: str, target: str
) -> list[dict[str, str]]:
    return [
        {
            "name": secret["name"],
            "valueFrom": value_from(secret["valueFrom"], region),
            "region": region_of(secret["valueFrom"]) or region,
            "provider": "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm",
            "type": type_,
            "target": target,
        }
        for secret in wanted
    ]


def value_from(text: str, region: str) -> str:
    """Parameters of more than one level by name: Amazon's agent knows an answer by its name.

    Those of other regions stay ARNs, and so do names of one level: their ARN does not tell
    whether they begin with a slash.
    """
    prefix, _, path = text.partition(":parameter/")
    if prefix.startswith(f"arn:aws:ssm:{region}:") and "/" in path:
        return f"/{path}"
    return text
