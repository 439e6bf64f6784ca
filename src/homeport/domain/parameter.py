"""Parameters of SSM Parameter Store: a name and its versions."""

from __future__ import annotations

from typing import Literal

import msgspec

from .cluster import Tag
from .vault import Sealed

ParameterType = Literal["String", "StringList", "SecureString"]
ParameterTier = Literal["Standard", "Advanced"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter by name. ``version``: the newest one's number; numbers are never reused."""

    name: str
    arn: str
    type: ParameterType
    version: int
    tags: tuple[Tag, ...] = ()


class ParameterVersion(msgspec.Struct, frozen=True):
    """One version of a parameter; its value is sealed, whatever the type."""

    name: str
    version: int
    value: Sealed
    type: ParameterType
    modified_at: float
    modified_by: str
    tier: ParameterTier = "Standard"
    description: str = ""
    allowed_pattern: str = ""
    data_type: str = "text"
    labels: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """What the value is sealed for."""
        return f"ssm {self.name} {self.version}"
