"""Buckets. Source: S3 API reference; "Bucket naming rules", S3 user guide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homeport.domain.object_storage import Bucket
from homeport.services.call import Call, Handler, Response
from homeport.store.schema import BUCKETS, OBJECTS

from .errors import (
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    IllegalLocationConstraintException,
    InvalidBucketName,
    NoSuchBucket,
    NotFound,
)
from .refusals import refuse_unknown_members

Request = Mapping[str, Any]  # as the wire decodes it, by the names of the model
HOME_REGION = "us-east-1"
MAX_BUCKETS = 10_000
_NAME = re.compile(r"(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")


def create_bucket(call: Call, request: Request) -> Response:
    """Creating one's own again is an error everywhere but in us-east-1, as on AWS."""
    name = request["Bucket"]
    if not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name):
        raise InvalidBucketName
    refuse_unknown_members(request, ("Bucket", "CreateBucketConfiguration"))
    configuration: Request = request.get("CreateBucketConfiguration") or {}
    _check_place(call, configuration.get("LocationConstraint"))
    if call.tx.get(BUCKETS, name) is None:
        call.tx.put(BUCKETS, Bucket(name, call.now))
    elif call.platform.region != HOME_REGION:
        raise BucketAlreadyOwnedByYou
    return {"Location": f"/{name}"}


def _check_place(call: Call, place: str | None) -> None:
    region = call.platform.region
    if place != (None if region == HOME_REGION else region):
        raise IllegalLocationConstraintException(
            f"The {place or 'unspecified'} location constraint is incompatible for the region "
            "specific endpoint this request was sent to."
        )


def delete_bucket(call: Call, request: Request) -> Response:
    """An empty one."""
    bucket = find_bucket(call, request["Bucket"])
    if call.tx.find(OBJECTS, "bucket", bucket.name):
        raise BucketNotEmpty
    call.tx.delete(BUCKETS, bucket.name)
    return {}


def head_bucket(call: Call, request: Request) -> Response:
    """Whether it is there."""
    if call.tx.get(BUCKETS, request["Bucket"]) is None:
        raise NotFound
    return {"BucketRegion": call.platform.region}


def get_bucket_location(call: Call, request: Request) -> Response:
    """Nothing stands for us-east-1."""
    find_bucket(call, request["Bucket"])
    region = call.platform.region
    return {"LocationConstraint": "" if region == HOME_REGION else region}


def list_buckets(call: Call, request: Request) -> Response:
    """In the order of their names."""
    prefix, after = request.get("Prefix") or "", request.get("ContinuationToken") or ""
    wanted = min(max(1, request.get("MaxBuckets") or MAX_BUCKETS), MAX_BUCKETS)
    region = request.get("BucketRegion") or call.platform.region
    found = sorted(
        (b for b in call.tx.all(BUCKETS) if b.name.startswith(prefix) and b.name > after),
        key=lambda b: b.name,
    )
    page = found[:wanted] if region == call.platform.region else []
    return {
        "Buckets": [{"Name": b.name, "CreationDate": b.created_at} for b in page],
        "Owner": {"ID": call.platform.account_id},
        "ContinuationToken": page[-1].name if page and len(found) > len(page) else None,
        "Prefix": prefix or None,
    }


def find_bucket(call: Call, name: str) -> Bucket:
    """By name. Raises NoSuchBucket."""
    bucket = call.tx.get(BUCKETS, name)
    if bucket is None:
        raise NoSuchBucket
    return bucket


OPERATIONS: dict[str, Handler] = {
    "CreateBucket": create_bucket,
    "DeleteBucket": delete_bucket,
    "HeadBucket": head_bucket,
    "GetBucketLocation": get_bucket_location,
    "ListBuckets": list_buckets,
}
