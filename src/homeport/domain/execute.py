"""Sessions of ExecuteCommand, and the containers that can have one.

::

    ExecuteCommand ──▶ ExecuteSession ──(both ends connect, the command ends)──▶ deleted
                            └── nobody connects in time, the task stops ──▶ deleted

A session lives as long as its relay: no record outlives the process of the control plane. Of the
client's token only the digest is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import msgspec

_TASK_SESSION = re.compile(r"arn:aws:sts::[0-9]*:assumed-role/.+/([0-9a-f]{32})")

MANAGED_AGENT = "ExecuteCommandAgent"
CAPABILITY = "ecs.capability.execute-command"
SESSION_PREFIX = "ecs-execute-command-"
TOKEN_SECONDS = 60.0
MAX_SESSIONS_PER_CONTAINER = 1000


class ExecuteTarget(msgspec.Struct, frozen=True):
    """A container whose control channel is open: it can be told to start a session.

    ``channel_id`` is ``ecs:CLUSTER_TASK_RUNTIME``; the record is there exactly while it is open.
    """

    channel_id: str
    task_arn: str
    opened_at: float


class ExecuteSession(msgspec.Struct, frozen=True):
    """One session that was asked for. ``expires_at``: when the client's token does."""

    id: str
    channel_id: str
    task_arn: str
    container_name: str
    command: str
    principal_arn: str
    token_digest: str
    created_at: float
    expires_at: float

    def admits(self, token: str, now: float) -> bool:
        """Whether this is the client's token, in constant time, and it has not expired."""
        same = hmac.compare_digest(self.token_digest, token_digest(token))
        return same and now < self.expires_at


def channel_id(cluster_name: str, task_id: str, runtime_id: str) -> str:
    """What SSM calls the target."""
    return f"ecs:{cluster_name}_{task_id}_{runtime_id}"


def task_of_channel(identifier: str) -> tuple[str, str] | None:
    """(cluster name, task id) of a channel id; a cluster's name may have underscores."""
    scheme, _, rest = identifier.partition(":")
    parts = rest.rsplit("_", 2)
    if scheme != "ecs" or len(parts) != 3 or not all(parts):
        return None
    return parts[0], parts[1]


def session_task(principal_arn: str) -> str | None:
    """The task whose role's session this principal is (it is named after it); None for others."""
    found = _TASK_SESSION.fullmatch(principal_arn)
    return found.group(1) if found else None


def token_digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
