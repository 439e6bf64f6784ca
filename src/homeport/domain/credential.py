"""Access keys and who they stand for."""

from __future__ import annotations

from typing import Literal

import msgspec


class AccessKey(msgspec.Struct, frozen=True):
    """An access key. ``kind`` says whose: root's, the local agent's or a user's (``user_id``).

    A user's key names the user by id, so it survives a change of name; ``principal_arn`` is the
    ARN at the time the key was made.
    """

    access_key_id: str
    secret_access_key: str
    principal_arn: str
    kind: Literal["root", "agent", "user"]
    created_at: float
    session_token: str | None = None
    expires_at: float | None = None
    user_id: str | None = None
    active: bool = True

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id}, {self.principal_arn})"
