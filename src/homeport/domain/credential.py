"""Access keys and who they stand for."""

from __future__ import annotations

from typing import Literal

import msgspec


class AccessKey(msgspec.Struct, frozen=True):
    """An access key. ``kind`` decides what the authorization step allows."""

    access_key_id: str
    secret_access_key: str
    principal_arn: str
    kind: Literal["root", "agent"]
    created_at: float
    session_token: str | None = None
    expires_at: float | None = None

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id}, {self.principal_arn})"
