"""The authentication step: which principal signed this request."""

from __future__ import annotations

from homeport.domain.credential import AccessKey
from homeport.domain.iam import Role, User
from homeport.domain.session import Session, SessionMint, VerifiedSession
from homeport.domain.vault import Vault
from homeport.identities import role_by_name
from homeport.services.call import Platform, Principal
from homeport.store import Store
from homeport.store.schema import ACCESS_KEYS, USERS
from homeport.wire import sigv4
from homeport.wire.errors import ApiError
from homeport.wire.http import Request

# Signed with whatever region the client happens to have; the service is one for all regions.
GLOBAL_SERVICES = frozenset({"iam", "sts", "route53"})


class SigV4Authenticator:
    """Verifies every request: against an access key in the store, or a session's own token."""

    def __init__(
        self, store: Store, platform: Platform, sessions: SessionMint, vault: Vault
    ) -> None:
        self._store = store
        self._platform = platform
        self._sessions = sessions
        self._vault = vault
        self._root_arn = f"arn:aws:iam::{platform.account_id}:root"

    def authenticate(
        self, request: Request, signing_name: str, protocol: str, now: float
    ) -> Principal:
        """The principal; raises the service family's error."""
        codes = sigv4.codes_for(protocol)
        signature = sigv4.read_signature(request, codes)
        region = signature.region if signing_name in GLOBAL_SERVICES else self._platform.region
        key, session = self._credentials(signature)
        sigv4.verify(
            request,
            signature,
            self._secret(signature, key, session),
            now,
            codes,
            region=region,
            service=signing_name,
        )
        principal = self._of_session(session.session) if session else self._of_key(key)
        if principal is None:  # whoever it was is no longer there
            raise ApiError(codes.unknown_key, codes.unknown_key_message, codes.unknown_key_status)
        return principal

    def _credentials(
        self, signature: sigv4.Signature
    ) -> tuple[AccessKey | None, VerifiedSession | None]:
        if signature.session_token is not None:
            token, key_id = signature.session_token, signature.access_key_id
            return None, self._sessions.verify(key_id, token)
        with self._store.transaction() as tx:
            return tx.get(ACCESS_KEYS, signature.access_key_id), None

    def _secret(
        self, signature: sigv4.Signature, key: AccessKey | None, session: VerifiedSession | None
    ) -> sigv4.Secret | None:
        """What the signature is checked with; an inactive key is as good as none."""
        if session is not None:
            return sigv4.Secret(
                session.secret_access_key, signature.session_token, session.session.expires_at
            )
        if key is None or not key.active:
            return None
        return sigv4.Secret(key.secret(self._vault), key.session_token, key.expires_at)

    def _of_key(self, key: AccessKey | None) -> Principal | None:
        assert key is not None  # verify has refused an unknown key
        if key.kind == "user":
            return self._user(key.user_id or "", None)
        return Principal(key.principal_arn, key.kind, self._platform.account_id)

    def _of_session(self, session: Session) -> Principal | None:
        if session.role_name:
            return self._role(session)
        if session.arn == self._root_arn:
            return Principal(session.arn, "root", self._platform.account_id, session=session)
        return self._user(session.session_name, session)

    def _user(self, user_id: str, session: Session | None) -> Principal | None:
        user = self._user_record(user_id)
        if user is None:
            return None
        account = self._platform.account_id
        return Principal(user.arn, "user", account, user.name, user.user_id, session)

    def _role(self, session: Session) -> Principal | None:
        role = self._role_record(session.role_name)
        # A role of the same name that was made later is another role.
        if role is None or role.created_at > session.issued_at:
            return None
        account = self._platform.account_id
        return Principal(session.arn, "role", account, role.name, role.role_id, session)

    def _user_record(self, user_id: str) -> User | None:
        with self._store.transaction() as tx:
            found = tx.find(USERS, "id", user_id)
        return found[0] if found else None

    def _role_record(self, name: str) -> Role | None:
        with self._store.transaction() as tx:
            return role_by_name(tx, name)


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
