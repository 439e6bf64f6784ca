"""Secrets of Secrets Manager: a name, its versions and the labels that stage them.

A staging label is on at most one version of a secret. AWSCURRENT is what is read by default;
when it moves, the version that had it gets AWSPREVIOUS.
"""

from __future__ import annotations

import msgspec

from .cluster import Tag
from .vault import Sealed

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"


class Secret(msgspec.Struct, frozen=True):
    """A secret. ``delete_at`` set: it can only be restored until then."""

    arn: str
    name: str
    created_at: float
    changed_at: float
    description: str = ""
    kms_key_id: str = ""
    accessed_at: float | None = None
    deleted_at: float | None = None
    delete_at: float | None = None
    tags: tuple[Tag, ...] = ()


class SecretVersion(msgspec.Struct, frozen=True):
    """One version of a secret; its value is sealed. Without stages it is deprecated."""

    secret_arn: str
    version_id: str
    value: Sealed
    created_at: float
    binary: bool = False
    stages: tuple[str, ...] = ()
    accessed_at: float | None = None

    @property
    def owner(self) -> str:
        """What the value is sealed for."""
        return f"{self.secret_arn} {self.version_id}"
