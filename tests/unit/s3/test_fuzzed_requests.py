"""2,000 S3 requests with odd paths, parameters, headers and bodies: no 500, no trace."""

from __future__ import annotations

import logging
import random
from urllib.parse import quote

import pytest
from api_client import ENDPOINT, KEY, REGION, Api
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from homeport.wire.http import Request

REQUESTS, SEED = 2_000, 20_261_121
SEGMENTS = ["", "files", "k", "a b", "ä", "..", "%", "x" * 1100, "a/b", "\x00"]
PARAMETERS = [
    *("list-type=2", "prefix=a", "delimiter=/", "max-keys=0", "max-keys=-1", "max-keys=x"),
    *("continuation-token=x", "start-after=k", "encoding-type=url", "encoding-type=x"),
    *("location", "uploads", "delete", "acl", "uploadId=1", "Action=x", "max-buckets=0"),
]
HEADERS = {
    "Range": ["bytes=0-1", "bytes=9-", "bytes=-0", "bytes=" + "9" * 30 + "-", "x"],
    "If-Match": ["*", '"x"', ""],
    "If-None-Match": ["*", "x"],
    "If-Modified-Since": ["Sat, 21 Nov 2026 08:00:00 GMT", "x"],
    "Content-MD5": ["x", "1B2M2Y8AsgTpgAmY7PhCfg=="],
    "x-amz-checksum-crc32": ["AAAAAA==", "x"],
    "x-amz-checksum-crc64nvme": ["x"],
    "x-amz-meta-a": ["b", ""],
    "x-amz-acl": ["private", "public-read"],
    "x-amz-decoded-content-length": ["5", "x"],
    "x-amz-copy-source": ["files/k"],
}
BODIES = [
    *(b"", b"x", b"<Delete><Object><Key>k</Key></Object></Delete>", b"<a", b"\xff\xfe"),
    *(b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhel", b"<Delete/>", b"<CreateBucketConfiguration/>"),
]
KINDS = ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]


def made(chance: random.Random) -> Request:
    method = chance.choice(["GET", "PUT", "PUT", "POST", "DELETE", "HEAD"])
    segments = [chance.choice(SEGMENTS) for _ in range(chance.randrange(3))]
    if chance.random() < 0.7:
        segments.insert(0, "files")
    path = "/" + "/".join(quote(s) for s in segments)
    query = "&".join(chance.sample(PARAMETERS, chance.choice([0, 0, 1, 2])))
    names = chance.sample(sorted(HEADERS), chance.choice([0, 0, 1, 2]))
    body = chance.choice(BODIES)
    request = AWSRequest(
        method=method,
        url=f"{ENDPOINT}{path}" + (f"?{query}" if query else ""),
        data=body,
        headers={name: chance.choice(HEADERS[name]) for name in names},
    )
    credentials = Credentials(KEY.access_key_id, KEY.secret_access_key)
    signer = S3SigV4Auth(credentials, "s3", REGION)
    if chance.random() < 0.3:
        kind = chance.choice(KINDS)
        signer.payload = lambda _: kind
    signer.add_auth(request)
    headers = {"host": "127.0.0.1:4566"} | {k.lower(): v for k, v in request.headers.items()}
    return Request(method, path, query, headers, body)


def test_fuzzed_requests_give_no_500(caplog: pytest.LogCaptureFixture) -> None:
    api, chance = Api(), random.Random(SEED)
    api.client("s3").create_bucket(Bucket="files")
    statuses: set[int] = set()
    with caplog.at_level(logging.ERROR):
        for _ in range(REQUESTS):
            request = made(chance)
            answer = api.loop.run_until_complete(api.gateway.answer(request, "id"))
            statuses.add(answer.status)
            assert answer.status < 500 or answer.status == 501, (request, answer)
    api.close()
    assert not [record for record in caplog.records if record.exc_info], caplog.text[-4000:]
    assert {200, 204, 206, 400, 403, 404, 412, 501} <= statuses, sorted(statuses)
