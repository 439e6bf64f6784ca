"""ListObjectsV2: keys in order, folded at a delimiter, in pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from homeport.domain.object_storage import StoredObject
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import OBJECTS
from homeport.wire.paging import decode_token, encode_token

from .buckets import find_bucket
from .errors import InvalidArgument
from .refusals import refuse_unknown_members

MAX_KEYS = 1000
Request = Mapping[str, Any]  # as the wire decodes it, by the names of the model
KNOWN = (
    *("Bucket", "Delimiter", "EncodingType", "MaxKeys", "Prefix", "ContinuationToken"),
    *("FetchOwner", "StartAfter", "ExpectedBucketOwner", "OptionalObjectAttributes"),
)


def list_objects_v2(call: Call, request: Request) -> Response:
    """A common prefix counts as one key and stands for all that begin with it."""
    bucket = find_bucket(call, request["Bucket"])
    refuse_unknown_members(request, KNOWN)
    if request.get("EncodingType") not in (None, "url"):
        raise InvalidArgument("Invalid Encoding Method specified in Request")
    limit = request.get("MaxKeys", MAX_KEYS)
    if limit < 0:
        raise InvalidArgument("Argument max-keys must be an integer between 0 and 2147483647")
    token = request.get("ContinuationToken")
    after = decode_token(token, "InvalidArgument") if token else request.get("StartAfter") or ""
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    entries: dict[str, StoredObject | None] = {}  # None: a common prefix
    for stored in sorted(call.tx.find(OBJECTS, "bucket", bucket.name), key=lambda o: o.key):
        if stored.key.startswith(prefix):
            name = _folded(stored.key, prefix, delimiter)
            if name > after:
                entries.setdefault(name, stored if name == stored.key else None)
    names = list(entries)[: min(limit, MAX_KEYS)]
    more = len(entries) > len(names) and bool(names)
    encode = quote if request.get("EncodingType") else str
    owner = {"Owner": {"ID": call.platform.account_id}} if request.get("FetchOwner") else {}
    return {
        "IsTruncated": more,
        "Contents": [
            {**_entry(entry), "Key": encode(name), **owner}
            for name in names
            if (entry := entries[name]) is not None
        ],
        "CommonPrefixes": [{"Prefix": encode(n)} for n in names if entries[n] is None],
        "Name": bucket.name,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) if delimiter else None,
        "MaxKeys": limit,
        "EncodingType": request.get("EncodingType"),
        "KeyCount": len(names),
        "ContinuationToken": token,
        "NextContinuationToken": encode_token(names[-1]) if more else None,
        "StartAfter": encode(request["StartAfter"]) if request.get("StartAfter") else None,
    }


def _folded(key: str, prefix: str, delimiter: str) -> str:
    if not delimiter:
        return key
    end = key.find(delimiter, len(prefix))
    return key if end < 0 else key[: end + len(delimiter)]


def _entry(stored: StoredObject) -> dict[str, object]:
    return {
        "LastModified": stored.modified_at,
        "ETag": f'"{stored.etag}"',
        "Size": stored.size,
        "StorageClass": "STANDARD",
    }


OPERATIONS: dict[str, Handler] = {"ListObjectsV2": list_objects_v2}
