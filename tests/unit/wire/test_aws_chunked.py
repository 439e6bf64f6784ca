"""Bodies in chunks, as S3 clients send them: signed or not, with trailing headers or without."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from homeport.wire import aws_chunked, sigv4
from homeport.wire.errors import ApiError
from homeport.wire.http import Request
from homeport.wire.protocols.s3 import unchunked
from homeport.wire.s3_addressing import path_style, told_apart

# The example of "Signature calculations for the authorization header: transferring payload in
# multiple chunks", S3 API reference: 65 KiB in chunks of 64 KiB.
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CHUNKS = (
    (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
SIGNATURE = sigv4.Signature(
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    date="20130524",
    region="us-east-1",
    service="s3",
    terminator="aws4_request",
    signed_headers=("host",),
    signature=SEED,
    timestamp="20130524T000000Z",
    session_token=None,
    expires_seconds=None,
)
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def body_of(*chunks: tuple[bytes, str], trailers: bytes = b"") -> bytes:
    lines = b""
    for data, signature in chunks:
        extension = f";chunk-signature={signature}" if signature else ""
        lines += f"{len(data):x}{extension}\r\n".encode() + data + (b"\r\n" if data else b"")
    return lines + trailers + b"\r\n"


def request(body: bytes, kind: str, **headers: str) -> Request:
    return Request("PUT", "/b/k", "", {"x-amz-content-sha256": kind, **headers}, body)


def check(body: bytes, kind: str = SIGNED) -> None:
    sigv4._check_chunks(request(body, kind), SIGNATURE, SECRET, sigv4.S3_CODES)


def test_the_documented_example_is_accepted() -> None:
    check(body_of(*CHUNKS))


def test_a_changed_moved_or_missing_chunk_is_refused() -> None:
    first, second, last = CHUNKS
    for chunks in (
        ((b"b" + first[0][1:], first[1]), second, last),
        (second, first, last),
        (first, last),
        ((first[0], ""), second, last),
    ):
        with pytest.raises(ApiError, match="SignatureDoesNotMatch"):
            check(body_of(*chunks))


def test_trailing_headers_are_signed_after_the_last_chunk() -> None:
    key = sigv4.signing_key(SECRET, "20130524", "us-east-1", "s3")
    line = "x-amz-checksum-crc32:AAAAAA==\n"
    digest = hashlib.sha256(line.encode()).hexdigest()
    scope = "20130524T000000Z\n20130524/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256-TRAILER\n{scope}\n{CHUNKS[-1][1]}\n{digest}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    for crc, accepted in (("AAAAAA==", True), ("AAAAAQ==", False)):
        trailers = f"x-amz-checksum-crc32:{crc}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
        body = body_of(*CHUNKS, trailers=trailers)
        if accepted:
            check(body, f"{SIGNED}-TRAILER")
        else:
            with pytest.raises(ApiError, match="SignatureDoesNotMatch"):
                check(body, f"{SIGNED}-TRAILER")


def test_a_body_is_put_together_and_its_trailers_become_headers() -> None:
    body = body_of(
        (b"hello", ""), (b" world", ""), (b"", ""), trailers=b"x-amz-checksum-crc32:Z\r\n"
    )
    headers = {"content-encoding": "gzip, aws-chunked", "x-amz-decoded-content-length": "11"}
    whole = unchunked(request(body, UNSIGNED, **headers))
    assert whole.body == b"hello world"
    assert whole.headers["x-amz-checksum-crc32"] == "Z"
    assert whole.headers["content-encoding"] == "gzip"
    assert whole.headers["content-length"] == "11"
    with pytest.raises(ApiError, match="IncompleteBody"):
        unchunked(request(body, UNSIGNED, **{"x-amz-decoded-content-length": "12"}))


@pytest.mark.parametrize(
    "body",
    [b"", b"5\r\nhel", b"5\r\nhelloXX0\r\n\r\n", b"zz\r\n\r\n", b"-1\r\n\r\n", b"5\r\nhello\r\n"],
)
def test_what_is_cut_off_or_malformed_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        aws_chunked.read(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("127.0.0.1:4566", "/k"),
        ("localhost:4566", "/k"),
        ("homeport.lan:4566", "/k"),
        ("s3.localhost:4566", "/k"),
        ("s3.us-east-1.amazonaws.com", "/k"),
        ("bucket.localhost:4566", "/bucket/k"),
        ("my.bucket.s3.localhost", "/my.bucket/k"),
        ("bucket.s3.us-east-1.amazonaws.com", "/bucket/k"),
        ("bucket.s3.amazonaws.com", "/bucket/k"),
        ("bucket.s3.homeport.lan:4566", "/bucket/k"),
    ],
)
def test_a_bucket_is_in_the_host_or_in_the_path(host: str, path: str) -> None:
    assert path_style(Request("GET", "/k", "", {"host": host})).path == path


@pytest.mark.parametrize(
    ("operation", "query", "headers", "told"),
    [
        ("CopyObject", "", {}, "PutObject"),
        ("CopyObject", "", {"x-amz-copy-source": "b/k"}, "CopyObject"),
        ("CopyObject", "partNumber=1&uploadId=x", {}, "UploadPart"),
        ("GetObject", "uploadId=x", {}, "ListParts"),
        ("AbortMultipartUpload", "", {}, "DeleteObject"),
        ("ListBuckets", "", {}, "ListBuckets"),
    ],
)
def test_operations_of_one_path_are_told_apart(
    operation: str, query: str, headers: dict[str, str], told: str
) -> None:
    assert told_apart(operation, Request("PUT", "/b/k", query, headers)) == told
