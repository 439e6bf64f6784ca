"""The authentication step: which principal signed this request."""

from __future__ import annotations

from homeport.domain.credential import AccessKey
from homeport.services.call import Platform, Principal
from homeport.store import Store
from homeport.store.schema import ACCESS_KEYS
from homeport.wire import sigv4
from homeport.wire.http import Request

# Signed with whatever region the client happens to have; the service is one for all regions.
GLOBAL_SERVICES = frozenset({"iam", "sts", "route53"})


class SigV4Authenticator:
    """Verifies every request against the access keys in the store."""

    def __init__(self, store: Store, platform: Platform) -> None:
        self._store = store
        self._platform = platform

    def authenticate(
        self, request: Request, signing_name: str, protocol: str, now: float
    ) -> Principal:
        """The principal; raises the service family's error."""
        codes = sigv4.codes_for(protocol)
        signature = sigv4.read_signature(request, codes)
        key = self._key(signature.access_key_id)
        region = signature.region if signing_name in GLOBAL_SERVICES else self._platform.region
        sigv4.verify(
            request, signature, _secret(key), now, codes, region=region, service=signing_name
        )
        assert key is not None  # verify has refused an unknown key
        return Principal(key.principal_arn, key.kind, self._platform.account_id)

    def _key(self, access_key_id: str) -> AccessKey | None:
        with self._store.transaction() as tx:
            return tx.get(ACCESS_KEYS, access_key_id)


class NoAuthentication:
    """``--no-auth``: any credentials, or none, are the account's root."""

    def __init__(self, platform: Platform) -> None:
        arn = f"arn:aws:iam::{platform.account_id}:root"
        self._root = Principal(arn, "root", platform.account_id)

    def authenticate(
        self, request: Request, signing_name: str, protocol: str, now: float
    ) -> Principal:
        """Always root."""
        return self._root


def _secret(key: AccessKey | None) -> sigv4.Secret | None:
    if key is None:
        return None
    return sigv4.Secret(key.secret_access_key, key.session_token, key.expires_at)
