"""Who this agent is: made once, kept in the data directory."""

from __future__ import annotations

import secrets
import uuid
from pathlib import Path

import msgspec

from .data_dir import DataDirError, write_durably


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """``registration_token`` makes registration idempotent until an ARN has been given.

    The Engine's id and the host's name are no identity: hosts made from one image share them.
    """

    cluster: str
    instance_id: str
    registration_token: str
    container_instance_arn: str = ""


def load_identity(data_dir: Path, cluster: str) -> Identity:
    """Read it, or make it and make it durable. Raises DataDirError for another cluster's."""
    path = data_dir / "identity.json"
    try:
        identity = msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        return save_identity(data_dir, new_identity(cluster))
    except (OSError, msgspec.DecodeError) as error:
        raise DataDirError(f"The agent's identity {path} can't be read: {error}.") from error
    if identity.cluster != cluster:
        raise DataDirError(
            f"The data directory {data_dir} belongs to an agent of cluster {identity.cluster},"
            f" not {cluster}: give this one a directory of its own."
        )
    return identity


def new_identity(cluster: str) -> Identity:
    """A host that was never seen before."""
    return Identity(
        cluster=cluster,
        instance_id=f"i-{secrets.token_hex(9)[:17]}",
        registration_token=str(uuid.uuid4()),
    )


def save_identity(data_dir: Path, identity: Identity) -> Identity:
    """Make it durable; returns it."""
    write_durably(data_dir / "identity.json", msgspec.json.encode(identity))
    return identity
