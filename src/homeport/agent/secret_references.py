"""``valueFrom`` of a Secrets Manager secret: an ARN, maybe with key, stage and version. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretReference:
    """``ARN:json-key:version-stage:version-id``, any of the last three empty."""

    arn: str
    json_key: str = ""
    version_stage: str = ""
    version_id: str = ""

    def request(self) -> dict[str, str]:
        """The GetSecretValue request."""
        members = {
            "SecretId": self.arn,
            "VersionStage": self.version_stage,
            "VersionId": self.version_id,
        }
        return {name: value for name, value in members.items() if value}


def secret_reference(value_from: str) -> SecretReference:
    """Taken apart; what has no such form is left to Secrets Manager to refuse."""
    parts = value_from.split(":")
    if len(parts) != 10:  # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME and three more
        return SecretReference(value_from)
    return SecretReference(":".join(parts[:7]), parts[7], parts[8], parts[9])
