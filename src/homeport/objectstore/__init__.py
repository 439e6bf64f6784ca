"""The content of S3 objects: a file for each, in ``objects/`` of the data directory.

Called by the operations of S3, which keep the records. A file is written whole and synced before
its record is, and never changed; it goes only after nothing durable refers to it (``sweep``). So
a record always has its file, whatever is killed when; a file without a record is waste for a while.
"""

from __future__ import annotations

from .object_store import ObjectStore

__all__ = ["ObjectStore"]
