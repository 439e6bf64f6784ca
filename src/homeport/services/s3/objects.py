"""Objects: put, read whole or a range, delete. Source: S3 API reference."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homeport.domain.object_storage import StoredObject
from homeport.domain.vault import Sealed
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import OBJECTS

from .buckets import find_bucket
from .checksums import checked
from .errors import (
    InvalidArgument,
    InvalidRange,
    KeyTooLongError,
    NoSuchBucket,
    NoSuchKey,
    NotFound,
    NotModified,
    PreconditionFailed,
)
from .refusals import refuse_unknown_members

Request = Mapping[str, Any]  # as the wire decodes it, by the names of the model
MAX_KEY_BYTES = 1024
MAX_DELETED = 1000
KEPT_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
)
PUT_MEMBERS = (
    *("Bucket", "Key", "Body", "ContentLength", "ContentMD5", "ChecksumAlgorithm", "Metadata"),
    *("IfNoneMatch", "IfMatch", "ExpectedBucketOwner", *KEPT_HEADERS),
)
GET_MEMBERS = (
    *("Bucket", "Key", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince"),
    *("Range", "ChecksumMode", "ExpectedBucketOwner"),
)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def put_object(call: Call, request: Request) -> Response:
    """The object whole, or not at all."""
    bucket, key = find_bucket(call, request["Bucket"]), request["Key"]
    checksums = [name for name in request if name.startswith("Checksum")]
    refuse_unknown_members(request, (*PUT_MEMBERS, *checksums))
    if len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
        raise KeyTooLongError
    existing = call.tx.get(OBJECTS, f"{bucket.name}/{key}")
    _check_write_conditions(request, existing)
    body: bytes = request.get("Body") or b""
    stored = StoredObject(
        bucket=bucket.name,
        key=key,
        blob=call.ids.uuid(),
        size=len(body),
        etag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
        modified_at=call.now,
        headers={name: request[name] for name in KEPT_HEADERS if request.get(name)},
        metadata=dict(request.get("Metadata") or {}),
        checksums=checked(request, body),
    )
    call.objects.write(stored.blob, call.vault.seal(body, stored.owner).data)
    call.tx.put(OBJECTS, stored)
    return {"ETag": f'"{stored.etag}"', "ServerSideEncryption": "AES256", **stored.checksums}


def _check_write_conditions(request: Request, existing: StoredObject | None) -> None:
    if (absent := request.get("IfNoneMatch")) is not None:
        if absent != "*":
            raise InvalidArgument("If-None-Match of PutObject can only be *.")
        if existing is not None:
            raise PreconditionFailed
    if (wanted := request.get("IfMatch")) is not None:
        if existing is None:
            raise NoSuchKey
        if wanted.strip('"') != existing.etag:
            raise PreconditionFailed


def get_object(call: Call, request: Request) -> Response:
    """The content and what was put with it."""
    stored = _find(call, request)
    _check_read_conditions(request, stored)
    content = call.vault.open(Sealed(call.objects.read(stored.blob)), stored.owner)
    first, last = _range(request.get("Range"), stored.size)
    view = _view(stored, request)
    if (first, last) == (0, stored.size - 1) or not stored.size:
        return {**view, "Body": content}
    for name in stored.checksums:
        view.pop(name, None)  # they are of the whole
    part = content[first : last + 1]
    content_range = f"bytes {first}-{last}/{stored.size}"
    return {**view, "Body": part, "ContentLength": len(part), "ContentRange": content_range}


def head_object(call: Call, request: Request) -> Response:
    """The same without the content."""
    try:
        stored = _find(call, request)
    except (NoSuchBucket, NoSuchKey):
        raise NotFound from None
    _check_read_conditions(request, stored)
    return _view(stored, request)


def delete_object(call: Call, request: Request) -> Response:
    """One that is not there is no error."""
    bucket = find_bucket(call, request["Bucket"])
    refuse_unknown_members(request, ("Bucket", "Key", "ExpectedBucketOwner"))
    call.tx.delete(OBJECTS, f"{bucket.name}/{request['Key']}")
    return {}


def delete_objects(call: Call, request: Request) -> Response:
    """Up to 1,000."""
    bucket, asked = find_bucket(call, request["Bucket"]), request["Delete"]
    refuse_unknown_members(
        request, ("Bucket", "Delete", "ChecksumAlgorithm", "ExpectedBucketOwner")
    )
    keys = [entry["Key"] for entry in asked["Objects"]]
    if len(keys) > MAX_DELETED:
        raise InvalidArgument(f"Delete.Objects can have at most {MAX_DELETED} keys.")
    for entry in asked["Objects"]:
        refuse_unknown_members(entry, ("Key",))
    for key in keys:
        call.tx.delete(OBJECTS, f"{bucket.name}/{key}")
    return {"Deleted": [] if asked.get("Quiet") else [{"Key": key} for key in keys]}


def _find(call: Call, request: Request) -> StoredObject:
    bucket = find_bucket(call, request["Bucket"])
    refuse_unknown_members(request, GET_MEMBERS)
    stored = call.tx.get(OBJECTS, f"{bucket.name}/{request['Key']}")
    if stored is None:
        raise NoSuchKey
    return stored


def _check_read_conditions(request: Request, stored: StoredObject) -> None:
    """HTTP's own rules (RFC 9110): the entity tags count more than the dates."""
    wanted, known = request.get("IfMatch"), request.get("IfNoneMatch")
    if wanted is not None and not _names(wanted, stored):
        raise PreconditionFailed
    since: datetime | None = request.get("IfUnmodifiedSince")
    if wanted is None and since is not None and int(stored.modified_at) > since.timestamp():
        raise PreconditionFailed
    if known is not None and _names(known, stored):
        raise NotModified
    since = request.get("IfModifiedSince")
    if known is None and since is not None and int(stored.modified_at) <= since.timestamp():
        raise NotModified


def _names(tags: str, stored: StoredObject) -> bool:
    return any(tag.strip().strip('"') in ("*", stored.etag) for tag in tags.split(","))


def _range(text: str | None, size: int) -> tuple[int, int]:
    """First and last byte; a header that is no single range is not looked at, as in HTTP."""
    match = _RANGE.fullmatch(text or "")
    if match is None or match[1] == match[2] == "":
        return 0, size - 1
    if match[1] == "":  # the last so many
        if int(match[2]) == 0:
            raise InvalidRange
        return max(0, size - int(match[2])), size - 1
    first, last = int(match[1]), int(match[2] or size)
    if last < first:
        return 0, size - 1
    if first >= size:
        raise InvalidRange
    return first, min(last, size - 1)


def _view(stored: StoredObject, request: Request) -> dict[str, object]:
    view: dict[str, object] = {
        "ContentType": "binary/octet-stream",
        **stored.headers,
        "ContentLength": stored.size,
        "ETag": f'"{stored.etag}"',
        "LastModified": stored.modified_at,
        "AcceptRanges": "bytes",
        "ServerSideEncryption": "AES256",
        "Metadata": stored.metadata,
    }
    if request.get("ChecksumMode") == "ENABLED":
        view |= stored.checksums
    return view


OPERATIONS: dict[str, Handler] = {
    "PutObject": put_object,
    "GetObject": get_object,
    "HeadObject": head_object,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
}
