"""Buckets and objects of S3; contents are files of the object store."""

from __future__ import annotations

import msgspec


class Bucket(msgspec.Struct, frozen=True):
    """A bucket by name."""

    name: str
    created_at: float


class StoredObject(msgspec.Struct, frozen=True):
    """An object as last put. ``blob`` names its sealed content in the object store.

    ``etag``: MD5 in hex. ``headers``: the HTTP headers that a reader gets back, by the names of
    the API's members; ``checksums`` likewise.
    """

    bucket: str
    key: str
    blob: str
    size: int
    etag: str
    modified_at: float
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    checksums: dict[str, str] = {}

    @property
    def owner(self) -> str:
        """What the content is sealed for."""
        return f"s3 {self.blob}"
