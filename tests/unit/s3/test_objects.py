"""What a user of boto3 sees of buckets and objects."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ENDPOINT, KEY, REGION, Api, refusal
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from homeport.gateway.asgi import MAX_BODY_BYTES
from homeport.services.s3.checksums import ALGORITHMS
from homeport.store.schema import OBJECTS
from homeport.wire.http import Request


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def s3(api: Api) -> Any:
    client = api.client("s3")
    client.create_bucket(Bucket="files")
    return client


def content(s3: Any, key: str, **more: Any) -> bytes:
    return bytes(s3.get_object(Bucket="files", Key=key, **more)["Body"].read())


def test_an_object_comes_back_with_what_was_put_with_it(s3: Any) -> None:
    put = s3.put_object(
        Bucket="files",
        Key="web/app.env",
        Body=b"A=1\n",
        ContentType="text/plain",
        CacheControl="no-cache",
        Metadata={"team": "web"},
    )
    digest = hashlib.md5(b"A=1\n").hexdigest()
    etag = f'"{digest}"'
    assert put["ETag"] == etag
    got = s3.get_object(Bucket="files", Key="web/app.env")
    assert got["Body"].read() == b"A=1\n"
    assert (got["ETag"], got["ContentType"], got["ContentLength"]) == (etag, "text/plain", 4)
    assert (got["Metadata"], got["CacheControl"]) == ({"team": "web"}, "no-cache")
    head = s3.head_object(Bucket="files", Key="web/app.env")
    assert (head["ContentLength"], head["ETag"]) == (4, etag)


@pytest.mark.parametrize(
    "key", ["a b", "a+b", "ä/ö", "a//b", "../x", "x/", "?", "%41", "a&b=c", "~"]
)
def test_keys_of_all_kinds(s3: Any, key: str) -> None:
    s3.put_object(Bucket="files", Key=key, Body=key.encode())
    assert content(s3, key) == key.encode()
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="files")["Contents"]] == [key]
    s3.delete_object(Bucket="files", Key=key)
    assert s3.list_objects_v2(Bucket="files")["KeyCount"] == 0


def test_what_is_not_there(s3: Any) -> None:
    no_key = ("NoSuchKey", "The specified key does not exist.")
    no_bucket = ("NoSuchBucket", "The specified bucket does not exist")
    assert refusal(s3.get_object, Bucket="files", Key="no") == no_key
    assert refusal(s3.get_object, Bucket="nothing", Key="no") == no_bucket
    assert refusal(s3.list_objects_v2, Bucket="nothing") == no_bucket
    assert refusal(s3.head_object, Bucket="files", Key="no") == ("404", "Not Found")
    assert refusal(s3.head_bucket, Bucket="nothing") == ("404", "Not Found")
    s3.delete_object(Bucket="files", Key="no")


def test_ranges(s3: Any) -> None:
    s3.put_object(Bucket="files", Key="k", Body=b"0123456789")
    part = s3.get_object(Bucket="files", Key="k", Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert content(s3, "k", Range="bytes=8-") == b"89"
    assert content(s3, "k", Range="bytes=-3") == b"789"
    assert content(s3, "k", Range="bytes=5-99") == b"56789"
    assert content(s3, "k", Range="pages=1") == b"0123456789"
    assert refusal(s3.get_object, Bucket="files", Key="k", Range="bytes=10-")[0] == "InvalidRange"


def test_conditions(s3: Any) -> None:
    etag = s3.put_object(Bucket="files", Key="k", Body=b"1")["ETag"]
    named = {"Bucket": "files", "Key": "k"}
    assert refusal(s3.put_object, **named, IfNoneMatch="*")[0] == "PreconditionFailed"
    assert refusal(s3.get_object, **named, IfMatch='"x"')[0] == "PreconditionFailed"
    assert refusal(s3.get_object, **named, IfNoneMatch=etag)[0] == "304"
    assert content(s3, "k", IfMatch=etag) == b"1"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_of_boto3_are_checked_and_given_back(s3: Any, algorithm: str) -> None:
    put = s3.put_object(Bucket="files", Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket="files", Key="k", ChecksumMode="ENABLED")
    assert put[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]
    wrong = base64.b64encode(bytes(4)).decode()
    code, text = refusal(s3.put_object, Bucket="files", Key="k", Body=b"x", ChecksumCRC32=wrong)
    assert (code, "ChecksumCRC32" in text) == ("BadDigest", True)
    assert content(s3, "k") == b"hello"


@pytest.mark.parametrize(
    ("name", "check_value"),  # of "123456789", from the catalogue of CRC algorithms
    [
        ("ChecksumCRC32", "cbf43926"),
        ("ChecksumCRC32C", "e3069283"),
        ("ChecksumCRC64NVME", "ae8b14860a799888"),
    ],
)
def test_the_check_values_of_the_cyclic_checksums(name: str, check_value: str) -> None:
    assert ALGORITHMS[name](b"123456789").hex() == check_value


def test_lists_are_folded_and_paged(s3: Any) -> None:
    for key in ("a", "b/1", "b/2", "c/1", "d"):
        s3.put_object(Bucket="files", Key=key, Body=b"x")

    def names(**more: Any) -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket="files", PaginationConfig={"PageSize": 2}, **more
        )
        found: list[str] = []
        for page in pages:
            found += [o["Key"] for o in page.get("Contents", ())]
            found += [p["Prefix"] for p in page.get("CommonPrefixes", ())]
        return sorted(found)

    assert names() == ["a", "b/1", "b/2", "c/1", "d"]
    assert names(Delimiter="/") == ["a", "b/", "c/", "d"]
    assert names(Prefix="b/", Delimiter="/") == ["b/1", "b/2"]
    assert names(StartAfter="b/1") == ["b/2", "c/1", "d"]


def test_buckets(s3: Any) -> None:
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["files"]
    s3.create_bucket(Bucket="files")  # one's own again, in us-east-1
    assert s3.get_bucket_location(Bucket="files")["LocationConstraint"] is None
    assert s3.head_bucket(Bucket="files")["BucketRegion"] == REGION
    s3.put_object(Bucket="files", Key="k", Body=b"x")
    assert refusal(s3.delete_bucket, Bucket="files")[0] == "BucketNotEmpty"
    s3.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "k"}, {"Key": "no"}]})
    s3.delete_bucket(Bucket="files")
    assert s3.list_buckets()["Buckets"] == []
    elsewhere = {"LocationConstraint": "eu-west-1"}
    code, text = refusal(s3.create_bucket, Bucket="x-y", CreateBucketConfiguration=elsewhere)
    assert (code, "eu-west-1" in text) == ("IllegalLocationConstraintException", True)
    for name in ("Files", "a..b", "10.0.0.1", "-ab", "xn--a"):
        assert refusal(s3.create_bucket, Bucket=name)[0] == "InvalidBucketName"


@pytest.mark.parametrize(
    "more",
    [
        {"ACL": "public-read"},
        {"Tagging": "a=b"},
        {"StorageClass": "GLACIER"},
        {"ServerSideEncryption": "aws:kms"},
        {"WebsiteRedirectLocation": "/x"},
    ],
)
def test_what_would_be_ignored_is_refused_by_name(s3: Any, more: dict[str, str]) -> None:
    code, text = refusal(s3.put_object, Bucket="files", Key="k", Body=b"x", **more)
    assert (code, next(iter(more)) in text) == ("NotImplemented", True)
    assert refusal(s3.get_object, Bucket="files", Key="k")[0] == "NoSuchKey"


def test_parts_copies_and_what_is_too_large_are_refused(s3: Any) -> None:
    named = {"Bucket": "files", "Key": "k"}
    code, text = refusal(s3.create_multipart_upload, **named)
    assert (code, "s3:CreateMultipartUpload" in text) == ("NotImplemented", True)
    source = {"Bucket": "files", "Key": "x"}
    assert refusal(s3.copy_object, **named, CopySource=source)[0] == "NotImplemented"
    code, text = refusal(s3.put_object, **named, Body=bytes(MAX_BODY_BYTES + 1))
    assert (code, str(MAX_BODY_BYTES) in text) == ("EntityTooLarge", True)


def test_a_bucket_in_the_host_name(api: Api, s3: Any) -> None:
    virtual = api.client("s3", endpoint="http://localhost:4566", s3={"addressing_style": "virtual"})
    virtual.put_object(Bucket="files", Key="k", Body=b"x")
    assert content(s3, "k") == b"x"
    assert content(virtual, "k") == b"x"


def test_a_presigned_url_is_read_without_headers(api: Api, s3: Any) -> None:
    s3.put_object(Bucket="files", Key="a b", Body=b"x")
    signed = api.client("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": "files", "Key": "a b"}
    )
    path, _, query = signed.removeprefix(ENDPOINT).partition("?")
    request = Request("GET", path, query, {"host": "127.0.0.1:4566"})
    answer = api.loop.run_until_complete(api.gateway.answer(request, "id"))
    assert (answer.status, answer.body) == (200, b"x")
    changed = Request("GET", path.replace("a", "b"), query, request.headers)
    assert api.loop.run_until_complete(api.gateway.answer(changed, "id")).status == 403


def test_a_url_presigned_with_version_2_is_refused_in_s3s_words(api: Api, s3: Any) -> None:
    signed = api.client("s3", signature_version="s3").generate_presigned_url(
        "get_object", Params={"Bucket": "files", "Key": "k"}
    )
    path, _, query = signed.removeprefix(ENDPOINT).partition("?")
    request = Request("GET", path, query, {"host": "127.0.0.1:4566"})
    answer = api.loop.run_until_complete(api.gateway.answer(request, "id"))
    assert answer.status == 400
    assert b"<Code>InvalidRequest</Code>" in answer.body
    assert b"Please use AWS4-HMAC-SHA256." in answer.body


def test_trailing_checksums_over_an_unsigned_body(api: Api, s3: Any) -> None:
    """What SDKs send over TLS; a proxy that ends TLS passes it on."""
    crc = base64.b64encode(ALGORITHMS["ChecksumCRC32"](b"hello")).decode()
    body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc.encode() + b"\r\n\r\n"
    request = AWSRequest(
        method="PUT",
        url=f"{ENDPOINT}/files/k",
        data=body,
        headers={
            "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": "5",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
        },
    )
    request.context["payload_signing_enabled"] = False
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(KEY.access_key_id, KEY.secret_access_key), "s3", REGION).add_auth(
        request
    )
    headers = {"host": "127.0.0.1:4566"} | {k.lower(): v for k, v in request.headers.items()}
    answer = api.loop.run_until_complete(
        api.gateway.answer(Request("PUT", "/files/k", "", headers, body), "id")
    )
    assert answer.status == 200, answer.body
    assert content(s3, "k") == b"hello"
    assert "ContentEncoding" not in s3.head_object(Bucket="files", Key="k")


def test_errors_are_s3s_own(api: Api) -> None:
    stranger = api.client("s3", access_key_id="AKIANOBODY")
    with pytest.raises(ClientError) as refused:
        stranger.list_buckets()
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"


def test_a_content_is_sealed_in_its_file(api: Api, s3: Any) -> None:
    s3.put_object(Bucket="files", Key="k", Body=b"hunter2")
    with api.store.transaction() as tx:
        (stored,) = tx.all(OBJECTS)
    path = api.objects_directory / stored.blob
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"hunter2" not in path.read_bytes()
