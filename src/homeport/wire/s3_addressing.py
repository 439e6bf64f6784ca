"""What is peculiar to S3 requests: the bucket in the host name, and operations that share a path.

Source: "Virtual hosting of buckets", S3 user guide. One endpoint serves all services, so only
host names that say so name a bucket: ``BUCKET.localhost``, ``BUCKET.s3.ANYTHING``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qsl

from .http import Request

_BUCKET = r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}?[a-z0-9])"
_VIRTUAL = re.compile(
    _BUCKET + r"\.(s3([.-][a-z0-9-]+)*\.[a-z0-9.-]+|localhost)(:[0-9]+)?", re.IGNORECASE
)
_SERVICE_HOST = re.compile(r"s3([.-][a-z0-9-]+)*\.(amazonaws\.com|localhost)(:[0-9]+)?")


def path_style(request: Request) -> Request:
    """The same request with the bucket in its path, wherever it was."""
    host = request.headers.get("host", "")
    found = _VIRTUAL.fullmatch(host)
    if found is None or _SERVICE_HOST.fullmatch(host):
        return request
    return replace(request, path=f"/{found['bucket']}{request.path}")


def told_apart(operation: str, request: Request) -> str:
    """The operation among those that only a header or a parameter tells apart."""
    given = {name for name, _ in parse_qsl(request.query_string, keep_blank_values=True)}
    upload, copy = "uploadId" in given, "x-amz-copy-source" in request.headers
    match operation:
        case "CopyObject" | "PutObject" | "UploadPart" | "UploadPartCopy":
            if upload:
                return "UploadPartCopy" if copy else "UploadPart"
            return "CopyObject" if copy else "PutObject"
        case "GetObject" | "ListParts":
            return "ListParts" if upload else "GetObject"
        case "AbortMultipartUpload" | "DeleteObject":
            return "AbortMultipartUpload" if upload else "DeleteObject"
        case "ListDirectoryBuckets":
            return "ListBuckets"
        case _:
            return operation
