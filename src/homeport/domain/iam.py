"""IAM's records: who there is in the account and which policies they have.

Names are unique without regard to case, so tables are keyed by ``name_key``. A policy document is
kept as the text that was sent; only documents that ``decide.policy`` could parse are stored.
"""

from __future__ import annotations

import msgspec

from .cluster import Tag

DEFAULT_SESSION_SECONDS = 3600


def name_key(name: str) -> str:
    """The key of an entity in its table."""
    return name.lower()


class InlinePolicy(msgspec.Struct, frozen=True):
    """A policy that belongs to one user, group or role."""

    name: str
    document: str


class User(msgspec.Struct, frozen=True):
    """An IAM user. ``groups`` holds group names; the group has no list of its members."""

    name: str
    path: str
    user_id: str
    arn: str
    created_at: float
    permissions_boundary: str | None = None
    inline_policies: tuple[InlinePolicy, ...] = ()
    attached_policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """A group of users."""

    name: str
    path: str
    group_id: str
    arn: str
    created_at: float
    inline_policies: tuple[InlinePolicy, ...] = ()
    attached_policies: tuple[str, ...] = ()


class Role(msgspec.Struct, frozen=True):
    """A role. ``trust_policy`` says who may assume it."""

    name: str
    path: str
    role_id: str
    arn: str
    created_at: float
    trust_policy: str
    description: str = ""
    max_session_seconds: int = DEFAULT_SESSION_SECONDS
    permissions_boundary: str | None = None
    inline_policies: tuple[InlinePolicy, ...] = ()
    attached_policies: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


class PolicyVersion(msgspec.Struct, frozen=True):
    """One version of a managed policy."""

    version_id: str
    document: str
    created_at: float


class ManagedPolicy(msgspec.Struct, frozen=True):
    """A managed policy: the customer's in the store, AWS's in ``identities.aws_managed``.

    ``last_version`` only grows: the id of a deleted version is not given again.
    """

    arn: str
    name: str
    path: str
    policy_id: str
    created_at: float
    updated_at: float
    versions: tuple[PolicyVersion, ...]
    default_version_id: str = "v1"
    last_version: int = 1
    description: str = ""
    tags: tuple[Tag, ...] = ()

    def version(self, version_id: str) -> PolicyVersion | None:
        """The version with this id."""
        return next((v for v in self.versions if v.version_id == version_id), None)

    @property
    def document(self) -> str:
        """The default version's document."""
        version = self.version(self.default_version_id)
        assert version is not None  # the default version can't be deleted
        return version.document


class InstanceProfile(msgspec.Struct, frozen=True):
    """An instance profile: at most one role."""

    name: str
    path: str
    profile_id: str
    arn: str
    created_at: float
    role_name: str | None = None
    tags: tuple[Tag, ...] = ()
