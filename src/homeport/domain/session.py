"""Temporary credentials of a role: minted without being stored, read back from their token.

A session token carries what it stands for, signed with a key that only the control plane has, so
credentials outlive a restart and cost no record. The secret is derived from the token: nobody
can read it off the token without the key. The token is signed, not encrypted: it names the role
and the session, which whoever holds it may know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

import msgspec

MINIMUM_KEY_BYTES = 32


class Session(msgspec.Struct, frozen=True, array_like=True):
    """What a session token says. Times in epoch seconds.

    ``arn``: ``arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION-NAME``. ``session_policies``: JSON
    documents and managed-policy ARNs that narrow what the role allows. ``nonce`` makes two
    sessions of the same second differ.
    """

    arn: str
    role_name: str
    session_name: str
    issued_at: float
    expires_at: float
    nonce: str
    session_policies: tuple[str, ...] = ()
    session_policy_arns: tuple[str, ...] = ()


class SessionCredentials(msgspec.Struct, frozen=True):
    """Temporary credentials, as STS hands them out; the secret parts are never shown."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: float

    def __repr__(self) -> str:
        return f"SessionCredentials({self.access_key_id})"


class VerifiedSession(msgspec.Struct, frozen=True):
    """A session whose token is genuine, and the secret that its requests are signed with."""

    session: Session
    secret_access_key: str

    def __repr__(self) -> str:
        return f"VerifiedSession({self.session.arn})"


class SessionMint:
    """Issues and reads session tokens. One per control plane; ``key`` at least 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MINIMUM_KEY_BYTES:
            raise ValueError(f"a session key has at least {MINIMUM_KEY_BYTES} bytes")
        self._key = key

    def issue(self, session: Session) -> SessionCredentials:
        """The credentials of a session."""
        body = msgspec.json.encode(session)
        token = _text(self._digest(b"token", body) + body)
        return SessionCredentials(
            self._access_key_id(token), self._secret(token), token, session.expires_at
        )

    def verify(self, access_key_id: str, session_token: str) -> VerifiedSession | None:
        """The session of a token, expired or not; None unless it was issued here, with this id."""
        try:
            raw = base64.b64decode(session_token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, ValueError):
            return None
        signature, body = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, self._digest(b"token", body)):
            return None
        if not hmac.compare_digest(
            access_key_id.encode(), self._access_key_id(session_token).encode()
        ):
            return None
        try:
            session = msgspec.json.decode(body, type=Session)
        except msgspec.DecodeError:
            return None
        return VerifiedSession(session, self._secret(session_token))

    def credentials_id(self, *parts: str) -> str:
        """An unguessable UUID, the same each time for the same parts."""
        digest = self._digest(b"credentials id", "\n".join(parts).encode())
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def _access_key_id(self, token: str) -> str:
        digest = self._digest(b"access key id", token.encode())
        return "ASIA" + base64.b32encode(digest).decode()[:16]

    def _secret(self, token: str) -> str:
        return _text(self._digest(b"secret access key", token.encode()))[:40]

    def _digest(self, purpose: bytes, body: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + body, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.b64encode(data, altchars=b"-_").decode()
