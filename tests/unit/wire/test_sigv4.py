"""Signatures of botocore's own signers are accepted; anything changed afterwards is refused."""

from __future__ import annotations

import dataclasses
import time
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from homeport.wire import sigv4
from homeport.wire.errors import ApiError
from homeport.wire.http import Request

SECRET = sigv4.Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None)
CODES = sigv4.codes_for("json")
REGION, SERVICE = "us-east-1", "ecs"


def signed(
    url: str = "http://127.0.0.1:4566/",
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    token: str | None = None,
    presigned: bool = False,
) -> Request:
    """A request as it arrives, signed by botocore now."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials("AKIA", SECRET.secret_access_key, token)
    signer = SigV4QueryAuth if presigned else SigV4Auth
    signer(credentials, SERVICE, REGION).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    received = {k.lower(): _text(v) for k, v in prepared.headers.items()}
    received.setdefault("host", parts.netloc)
    return Request(method, parts.path or "/", parts.query, received, body)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def check(
    request: Request,
    secret: sigv4.Secret | None = SECRET,
    *,
    after_seconds: float = 0.0,
    service: str = SERVICE,
    region: str = REGION,
) -> None:
    signature = sigv4.read_signature(request, CODES)
    now = time.time() + after_seconds
    sigv4.verify(request, signature, secret, now, CODES, region=region, service=service)


def refused(request: Request, secret: sigv4.Secret | None = SECRET, **more: object) -> str:
    with pytest.raises(ApiError) as error:
        check(request, secret, **more)  # type: ignore[arg-type]
    assert 400 <= error.value.status < 500
    return error.value.code


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize(
    "path",
    ["/", "/a/b", "/a%20b", "/a//b", "/a/./b/../c", "/%E2%98%83", "/a+b", "/a:b@c", "/a~b", "/a*b"],
)
@pytest.mark.parametrize("query", ["", "?b=2&a=1", "?a=&a=%20x", "?a", "?a%2Fb=%3D", "?x=%7E~"])
def test_what_botocore_signs_is_accepted(path: str, query: str, presigned: bool) -> None:
    check(signed(f"http://127.0.0.1:4566{path}{query}", b"", method="GET", presigned=presigned))


@given(st.binary(max_size=200), st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"])))
def test_any_body_and_header_is_accepted(body: bytes, value: str) -> None:
    check(signed(body=body, headers={"X-Custom": value or "x"}))


def test_session_tokens_must_be_the_keys_own() -> None:
    own = dataclasses.replace(SECRET, session_token="token")
    check(signed(token="token"), own)
    check(signed(body=b"", method="GET", token="token", presigned=True), own)
    assert refused(signed(token="other"), own) == "UnrecognizedClientException"
    assert refused(signed(), own) == "UnrecognizedClientException"
    assert refused(signed(token="token")) == "UnrecognizedClientException"


def test_an_expired_session_is_refused() -> None:
    expired = sigv4.Secret(SECRET.secret_access_key, "token", time.time() - 1)
    assert refused(signed(token="token"), expired) == "ExpiredTokenException"


@pytest.mark.parametrize("skew", [-1000.0, 1000.0])
def test_a_clock_that_is_far_off_is_refused(skew: float) -> None:
    assert refused(signed(), after_seconds=skew) == "InvalidSignatureException"


@pytest.mark.parametrize("skew", [-600.0, 600.0])
def test_a_clock_that_is_a_little_off_is_fine(skew: float) -> None:
    check(signed(), after_seconds=skew)


def test_a_presigned_request_ends_with_its_time() -> None:
    request = signed(method="GET", body=b"", presigned=True)
    check(request, after_seconds=3500)
    assert refused(request, after_seconds=3700) == "InvalidSignatureException"


def test_unknown_keys_and_wrong_secrets_are_refused() -> None:
    assert refused(signed(), None) == "UnrecognizedClientException"
    other = sigv4.Secret("another secret", None, None)
    assert refused(signed(), other) == "InvalidSignatureException"


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET"},
        {"path": "/other"},
        {"query_string": "a=2"},
        {"body": b'{"cluster": "other"}'},
    ],
)
def test_whatever_is_changed_after_signing_is_refused(changes: dict[str, object]) -> None:
    request = signed("http://127.0.0.1:4566/?a=1")
    changed = dataclasses.replace(request, **changes)  # type: ignore[arg-type]
    assert refused(changed) == "InvalidSignatureException"


def test_signed_headers_are_bound_and_the_operation_must_be_one() -> None:
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListTasks"}
    request = signed(headers=target)
    check(request)
    other = {**request.headers, "x-amz-target": "AmazonEC2ContainerServiceV20141113.StopTask"}
    assert refused(dataclasses.replace(request, headers=other)) == "InvalidSignatureException"
    slipped_in = {**signed().headers, **{k.lower(): v for k, v in target.items()}}
    request = dataclasses.replace(signed(), headers=slipped_in)
    assert refused(request) == "InvalidSignatureException"


def test_another_service_or_region_is_refused() -> None:
    assert refused(signed(), service="elasticloadbalancing") == "InvalidSignatureException"
    assert refused(signed(), region="eu-west-1") == "InvalidSignatureException"


def test_a_request_without_a_signature_says_so() -> None:
    request = Request("POST", "/", "", {"host": "x"}, b"{}")
    assert refused(request) == "MissingAuthenticationTokenException"


@given(st.text(st.characters(codec="latin-1"), max_size=300))
def test_no_authorization_header_does_more_than_be_refused(text: str) -> None:
    for header in (text, f"AWS4-HMAC-SHA256 {text}", f"AWS4-HMAC-SHA256 Credential={text}"):
        headers = {"host": "x", "authorization": header, "x-amz-date": "20261121T000000Z"}
        assert refused(Request("POST", "/", "", headers, b"{}"))


@given(st.text(st.characters(codec="ascii"), max_size=300))
def test_no_query_string_does_more_than_be_refused(text: str) -> None:
    assert refused(Request("GET", "/", f"X-Amz-Signature={text}", {"host": "x"}))
