"""What a request asks for and Homeport's S3 has not: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .errors import NotSupported

# Members that ask for what is so anyway, with the values that do.
HARMLESS: dict[str, tuple[str, ...]] = {
    "ACL": ("private", "bucket-owner-full-control"),
    "StorageClass": ("STANDARD",),
    "ServerSideEncryption": ("AES256",),
    "ObjectOwnership": ("BucketOwnerEnforced", "BucketOwnerPreferred"),
    "RequestPayer": ("requester",),
    "BucketNamespace": ("global",),
}


def refuse_unknown_members(request: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise NotSupported for the first member that would have an effect."""
    for name, value in request.items():
        if name in known or not value or value in HARMLESS.get(name, ()):
            continue
        raise NotSupported(
            "A header you provided implies functionality that is not implemented: Homeport does "
            f"not know {name} here."
        )
