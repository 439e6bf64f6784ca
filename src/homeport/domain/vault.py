"""Values that must not be readable where they are stored: sealed with a key of the data directory.

AES-256-GCM. What a value belongs to (an ARN, a version) is sealed with it: a value that is moved
to another record does not open. Whoever has the key file has the values; the journal alone, a
backup of it or a log tell nothing but their lengths.
"""

from __future__ import annotations

import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class Sealed(msgspec.Struct, frozen=True):
    """A sealed value: nonce, then ciphertext with its tag."""

    data: bytes = b""


class WrongKey(ValueError):
    """The value was sealed with another key, or for another owner, or is damaged."""


class Vault:
    """Seals and opens values. One per control plane; ``key`` is 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: bytes, owner: str) -> Sealed:
        """The value, to be opened only for the same owner."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return Sealed(nonce + self._cipher.encrypt(nonce, value, owner.encode()))

    def open(self, sealed: Sealed, owner: str) -> bytes:
        """What was sealed. Raises WrongKey."""
        nonce, body = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, owner.encode())
        except (InvalidTag, ValueError):
            raise WrongKey(f"the value of {owner} was not sealed with this key") from None

    def seal_text(self, value: str, owner: str) -> Sealed:
        """``seal`` of a text."""
        return self.seal(value.encode(), owner)

    def open_text(self, sealed: Sealed, owner: str) -> str:
        """``open`` of a text."""
        return self.open(sealed, owner).decode()
