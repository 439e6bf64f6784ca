"""S3: buckets and objects. IAM's actions are not always named like the operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from .rule import Asked, Need, Rule


def _bucket(asked: Asked) -> list[str]:
    return [f"arn:aws:s3:::{asked.document.get('Bucket', '')}"]


def _object(asked: Asked) -> list[str]:
    return [f"arn:aws:s3:::{asked.document.get('Bucket', '')}/{asked.document.get('Key', '')}"]


def _deleted(asked: Asked) -> Iterator[str]:
    for each in (asked.document.get("Delete") or {}).get("Objects") or ():
        yield f"arn:aws:s3:::{asked.document.get('Bucket', '')}/{each.get('Key', '')}"


def _copied(asked: Asked) -> Iterator[Need]:
    source = asked.document.get("CopySource")
    if isinstance(source, str):
        path = unquote(source.partition("?")[0]).removeprefix("/")
        yield Need("s3:GetObject", f"arn:aws:s3:::{path}", {})


def _listing_keys(asked: Asked) -> Mapping[str, str | None]:
    keys = asked.document.get("MaxKeys")
    return {
        "s3:prefix": asked.document.get("Prefix", ""),
        "s3:delimiter": asked.document.get("Delimiter"),
        "s3:max-keys": None if keys is None else str(keys),
    }


_LIST = Rule(_bucket, action="ListBucket", keys=_listing_keys)

RULES: Mapping[str, Rule] = {
    "CreateBucket": Rule(_bucket),
    "DeleteBucket": Rule(_bucket),
    "HeadBucket": Rule(_bucket, action="ListBucket"),
    "GetBucketLocation": Rule(_bucket),
    "ListBuckets": Rule(action="ListAllMyBuckets"),
    "ListObjects": _LIST,
    "ListObjectsV2": _LIST,
    "GetObject": Rule(_object),
    "HeadObject": Rule(_object, action="GetObject"),
    "PutObject": Rule(_object),
    "CopyObject": Rule(_object, action="PutObject", also=_copied),
    "DeleteObject": Rule(_object),
    "DeleteObjects": Rule(_deleted, action="DeleteObject"),
}
