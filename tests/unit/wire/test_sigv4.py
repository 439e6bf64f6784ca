"""Signatures of botocore's own signers are accepted; anything changed afterwards is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from email.utils import formatdate
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
    signer: type[SigV4Auth] | None = None,
) -> Request:
    """A request as it arrives, signed by botocore now."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials("AKIA", SECRET.secret_access_key, token)
    signer = signer or (SigV4QueryAuth if presigned else SigV4Auth)
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


def test_a_plus_sign_in_a_query_is_a_space_as_clients_in_go_sign_it() -> None:
    asked = signed("http://127.0.0.1:4566/acs/ws?v=Docker%3A%2020%2B1", b"", method="GET")
    sent = dataclasses.replace(asked, query_string=asked.query_string.replace("%20", "+"))
    assert "+" in sent.query_string
    check(sent)


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


def test_a_date_header_serves_as_well_as_x_amz_date() -> None:
    request = signed(headers={"Date": "now"})
    assert "x-amz-date" not in request.headers
    check(request)
    assert refused(request, after_seconds=1000) == "InvalidSignatureException"
    later = {**request.headers, "date": formatdate(time.time() + 60)}
    assert refused(dataclasses.replace(request, headers=later)) == "InvalidSignatureException"
    for nonsense in ("", "now", "Sat, 99 Nov 2026 99:00:00 GMT"):
        odd = dataclasses.replace(request, headers={**request.headers, "date": nonsense})
        assert refused(odd) == "IncompleteSignatureException"


WHOLE = [u for u in sorted(sigv4.UNHASHED) if not u.startswith(sigv4.SIGNED_CHUNKS)]


@pytest.mark.parametrize("literal", sorted(sigv4.UNHASHED - set(WHOLE)))
def test_chunks_that_are_to_be_signed_must_be(literal: str) -> None:
    assert refused(signed_with_hash(literal)) == "IncompleteBody"
    chunks = dataclasses.replace(signed_with_hash(literal), body=b"2\r\n{}\r\n0\r\n\r\n")
    assert refused(chunks) == "InvalidSignatureException"


@pytest.mark.parametrize("literal", WHOLE)
def test_only_the_signer_can_leave_the_body_out_of_the_signature(literal: str) -> None:
    unsigned = signed_with_hash(literal)
    check(unsigned)
    check(dataclasses.replace(unsigned, body=b"anything"))
    for request in (signed(), signed_with_hash(hashlib.sha256(b"{}").hexdigest())):
        check(request)
        said_afterwards = {**request.headers, "x-amz-content-sha256": literal}
        changed = dataclasses.replace(request, headers=said_afterwards, body=b"anything")
        assert refused(changed) == "InvalidSignatureException"
    claimed = {**unsigned.headers, "x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}
    changed = dataclasses.replace(unsigned, headers=claimed, body=b"other")
    assert refused(changed) == "InvalidSignatureException"


def test_a_declared_hash_must_be_the_bodys() -> None:
    request = signed_with_hash(hashlib.sha256(b"another body").hexdigest())
    assert refused(request) == "InvalidSignatureException"
    assert refused(signed_with_hash("not a hash")) == "InvalidSignatureException"
    assert refused(signed_with_hash("")) == "InvalidSignatureException"


def signed_with_hash(declared: str) -> Request:
    """A request whose signer put this into x-amz-content-sha256, and into the signature."""

    class Signer(SigV4Auth):
        def payload(self, request: AWSRequest) -> str:
            return declared

    headers = {"X-Amz-Content-SHA256": declared}
    return signed(headers=headers, signer=Signer)


def test_presigned_parameters_are_bound_and_bounded() -> None:
    request = signed("http://127.0.0.1:4566/?a=1", b"", method="GET", presigned=True)
    query = request.query_string
    for before, after in (
        ("a=1", "a=2"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=36000"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=604801"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=-1"),
        ("X-Amz-Expires=3600&", ""),
        ("us-east-1", "eu-west-1"),
        ("SignedHeaders=host", "SignedHeaders=date"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    ):
        assert before in query
        assert refused(dataclasses.replace(request, query_string=query.replace(before, after)))
    assert refused(dataclasses.replace(request, query_string=f"{query}&b=1"))
    assert refused(dataclasses.replace(request, headers={"host": "elsewhere"}))


@pytest.mark.parametrize("presigned", [False, True])
def test_the_host_is_bound(presigned: bool) -> None:
    request = signed(body=b"", method="GET", presigned=presigned)
    other = dataclasses.replace(request, headers={**request.headers, "host": "127.0.0.1:4567"})
    assert refused(other) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("protocol", "missing", "unknown", "wrong"),
    [
        (
            "json",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
        ),
        ("query", "MissingAuthenticationToken", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("ec2", "MissingAuthenticationToken", "AuthFailure", "SignatureDoesNotMatch"),
    ],
)
def test_each_family_of_services_has_its_own_names_for_it(
    protocol: str, missing: str, unknown: str, wrong: str
) -> None:
    codes = sigv4.codes_for(protocol)
    request = signed()
    signature = sigv4.read_signature(request, codes)
    other = sigv4.Secret("another secret")
    for secret, code in ((None, unknown), (other, wrong)):
        with pytest.raises(ApiError) as error:
            sigv4.verify(
                request, signature, secret, time.time(), codes, region=REGION, service=SERVICE
            )
        assert error.value.code == code
    with pytest.raises(ApiError) as error:
        sigv4.read_signature(Request("POST", "/", "", {"host": "x"}, b""), codes)
    assert error.value.code == missing


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
