"""Access keys and who they stand for."""

from __future__ import annotations

from typing import Literal

import msgspec

from .vault import Sealed, Vault


class AccessKey(msgspec.Struct, frozen=True):
    """An access key. ``kind`` says whose: root's, the local agent's or a user's (``user_id``).

    A user's key names the user by id, so it survives a change of name; ``principal_arn`` is the
    ARN at the time the key was made. Its secret is sealed (``sealed_secret``) and so in no journal
    and no backup of one; root's and the agent's are this machine's and stand as they are.
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
    sealed_secret: Sealed | None = None

    def secret(self, vault: Vault) -> str:
        """What requests are signed with. Raises WrongKey if it was sealed with another key."""
        if self.sealed_secret is None:
            return self.secret_access_key
        return vault.open_text(self.sealed_secret, self.access_key_id)

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id}, {self.principal_arn})"
