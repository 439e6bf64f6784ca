"""Signature Version 4 verification, header and presigned forms.

Source: "Signature Version 4 signing process", IAM user guide. A pure function of the request,
the key's secret and the time: ``verify`` returns the scope or raises the AWS error.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote

from . import aws_chunked
from .errors import ApiError
from .http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
WINDOW_SECONDS = 15 * 60
MUST_BE_SIGNED = ("x-amz-target", "x-amz-date", "x-amz-security-token")
LONGEST_PRESIGN_SECONDS = 7 * 24 * 3600
UNHASHED = frozenset(
    {
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    }
)
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
# S3 signs the raw path; everybody else the path encoded once more.
RAW_PATH_SERVICES = frozenset({"s3"})

_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SPACES = re.compile(r" +")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of its own signature."""

    access_key_id: str
    date: str  # YYYYMMDD of the scope
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str  # X-Amz-Date
    session_token: str | None
    expires_seconds: int | None  # presigned form only


@dataclass(frozen=True, slots=True)
class Secret:
    """What verification needs of an access key."""

    secret_access_key: str
    session_token: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """How a family of services names the failures."""

    missing: str
    incomplete: str
    unknown_key: str
    unknown_key_status: int
    wrong: str
    expired_token: str
    unknown_key_message: str = "The security token included in the request is invalid."
    expired_token_status: int = 403


JSON_CODES = Codes(
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    400,
    "InvalidSignatureException",
    "ExpiredTokenException",
    expired_token_status=400,
)
QUERY_CODES = Codes(
    "MissingAuthenticationToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    403,
    "SignatureDoesNotMatch",
    "ExpiredToken",
)
EC2_CODES = Codes(
    "MissingAuthenticationToken",
    "IncompleteSignature",
    "AuthFailure",
    401,
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "AWS was not able to validate the provided access credentials",
)
S3_CODES = Codes(
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    403,
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "The AWS Access Key Id you provided does not exist in our records.",
)


def codes_for(protocol: str) -> Codes:
    """The failure names of a protocol's services; rest-xml is S3's alone."""
    by_protocol = {"query": QUERY_CODES, "ec2": EC2_CODES, "rest-xml": S3_CODES}
    return by_protocol.get(protocol, JSON_CODES)


def read_signature(request: Request, codes: Codes) -> Signature:
    """The signature of a request, unverified; raises when there is none or it is incomplete."""
    header = request.headers.get("authorization")
    if header is not None:
        return _from_header(header, request, codes)
    if "X-Amz-Signature=" in request.query_string:
        return _from_query(request, codes)
    if "AWSAccessKeyId=" in request.query_string:  # version 2, which S3's clients still make
        text = (
            "The authorization mechanism you have provided is not supported. Please use "
            f"{ALGORITHM}."
        )
        raise ApiError("InvalidRequest", text)
    raise ApiError(codes.missing, "Missing Authentication Token", 403)


def verify(
    request: Request,
    signature: Signature,
    secret: Secret | None,
    now: float,
    codes: Codes,
    *,
    region: str,
    service: str,
) -> None:
    """Raise unless the request was signed with this secret, now, for this region and service.

    ``secret`` None stands for an unknown access key.
    """
    _check_scope(signature, codes, region, service)
    _check_time(signature, now, codes)
    _check_signed_headers(request, signature, codes)
    if secret is None or not _token_matches(secret.session_token, signature.session_token):
        raise ApiError(codes.unknown_key, codes.unknown_key_message, codes.unknown_key_status)
    if secret.expires_at is not None and secret.expires_at <= now:
        text = "The security token included in the request is expired"
        raise ApiError(codes.expired_token, text, codes.expired_token_status)
    _check_body(request, codes)
    expected = _sign(request, signature, secret.secret_access_key)
    if not hmac.compare_digest(expected.encode(), signature.signature.encode()):
        raise ApiError(codes.wrong, _MISMATCH, 403)
    if request.headers.get("x-amz-content-sha256", "").startswith(SIGNED_CHUNKS):
        _check_chunks(request, signature, secret.secret_access_key, codes)


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)


# -- reading ------------------------------------------------------------------------------------


def _from_header(header: str, request: Request, codes: Codes) -> Signature:
    if not header.strip():
        raise ApiError(codes.incomplete, "Authorization header cannot be empty.", 403)
    algorithm, _, rest = header.strip().partition(" ")
    if algorithm != ALGORITHM:
        text = f"Unsupported AWS 'algorithm': '{algorithm[:64]}'."
        raise ApiError(codes.incomplete, text, 403)
    fields = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            text = (
                "The signature contains an in-valid key=value pair (missing equal-sign) in "
                "Authorization header."
            )
            raise ApiError(codes.incomplete, text, 403)
        fields[name] = value
    for wanted in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(wanted):
            text = f"Authorization header requires '{wanted}' parameter."
            raise ApiError(codes.incomplete, text, 403)
    timestamp = request.headers.get("x-amz-date") or _http_date(request.headers.get("date", ""))
    return _signature(
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        timestamp,
        request.headers.get("x-amz-security-token"),
        None,
        codes,
    )


def _http_date(text: str) -> str:
    """A ``Date`` header in X-Amz-Date's form, or nothing when it is none; no zone means UTC."""
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
        return moment.strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, TypeError, OverflowError):
        return ""


def _from_query(request: Request, codes: Codes) -> Signature:
    fields = dict(parse_qsl(request.query_string, keep_blank_values=True))
    for wanted in ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"):
        if not fields.get(wanted):
            text = f"AWS query-string parameters must include '{wanted}'."
            raise ApiError(codes.incomplete, text, 403)
    if fields.get("X-Amz-Algorithm") != ALGORITHM:
        raise ApiError(codes.incomplete, "Unsupported AWS 'algorithm' in the query string.", 403)
    expires = fields["X-Amz-Expires"]
    if not expires.isascii() or not expires.isdigit() or int(expires[:9]) > LONGEST_PRESIGN_SECONDS:
        text = "X-Amz-Expires must be a number of seconds, at most one week."
        raise ApiError(codes.incomplete, text, 403)
    return _signature(
        fields["X-Amz-Credential"],
        fields["X-Amz-SignedHeaders"],
        fields["X-Amz-Signature"],
        fields["X-Amz-Date"],
        fields.get("X-Amz-Security-Token"),
        int(expires),
        codes,
    )


def _signature(
    credential: str,
    signed_headers: str,
    signature: str,
    timestamp: str,
    session_token: str | None,
    expires_seconds: int | None,
    codes: Codes,
) -> Signature:
    scope = credential.split("/")
    if len(scope) != 5:
        text = (
            "Credential must have exactly 5 slash-delimited elements, "
            "e.g. keyid/date/region/service/term."
        )
        raise ApiError(codes.incomplete, text, 403)
    if not _DATE.fullmatch(timestamp):
        text = "Authorization header requires existence of either a 'X-Amz-Date' or 'Date' header."
        raise ApiError(codes.incomplete, text, 403)
    headers = tuple(signed_headers.lower().split(";"))
    if not {"host", ":authority"} & set(headers):
        text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        raise ApiError(codes.wrong, text, 403)
    access_key_id, date, region, service, terminator = scope
    return Signature(
        access_key_id=access_key_id,
        date=date,
        region=region,
        service=service,
        terminator=terminator,
        signed_headers=headers,
        signature=signature,
        timestamp=timestamp,
        session_token=session_token,
        expires_seconds=expires_seconds,
    )


# -- checking -----------------------------------------------------------------------------------


def _check_scope(signature: Signature, codes: Codes, region: str, service: str) -> None:
    problem = None
    if signature.terminator != TERMINATOR:
        problem = f"Credential should be scoped with a valid terminator: '{TERMINATOR}'"
    elif signature.region != region:
        problem = f"Credential should be scoped to a valid Region, not {signature.region[:64]}"
    elif signature.service != service:
        problem = f"Credential should be scoped to correct service: '{service}'"
    elif signature.date != signature.timestamp[:8]:
        problem = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            f"from HTTP: '{signature.date[:16]}' != '{signature.timestamp[:8]}'"
        )
    if problem:
        raise ApiError(codes.wrong, problem, 403)


def _check_signed_headers(request: Request, signature: Signature, codes: Codes) -> None:
    """What decides about the request must be signed with it."""
    for name in MUST_BE_SIGNED:
        if name in request.headers and name not in signature.signed_headers:
            if signature.expires_seconds is not None and name != "x-amz-target":
                continue  # a presigned request carries them in its query string
            raise ApiError(codes.wrong, f"'{name}' must be a 'SignedHeader' when present.", 403)


def _check_time(signature: Signature, now: float, codes: Codes) -> None:
    age = now - _signed_at(signature.timestamp, codes)
    allowed = WINDOW_SECONDS if signature.expires_seconds is None else signature.expires_seconds
    if age > allowed:
        text = (
            f"Signature expired: {signature.timestamp} is now earlier than "
            f"{_stamp(now - allowed)} ({_stamp(now)} - {allowed // 60} min.)"
        )
        raise ApiError(codes.wrong, text, 403)
    if age < -WINDOW_SECONDS:
        text = (
            f"Signature not yet current: {signature.timestamp} is still later than "
            f"{_stamp(now + WINDOW_SECONDS)} ({_stamp(now)} + {WINDOW_SECONDS // 60} min.)"
        )
        raise ApiError(codes.wrong, text, 403)


def _signed_at(stamp: str, codes: Codes) -> float:
    """Epoch seconds of ``YYYYMMDDTHHMMSSZ``; on the path of every request, so no ``strptime``."""
    try:
        return datetime(
            int(stamp[:4]),
            int(stamp[4:6]),
            int(stamp[6:8]),
            int(stamp[9:11]),
            int(stamp[11:13]),
            int(stamp[13:15]),
            tzinfo=UTC,
        ).timestamp()
    except ValueError as error:
        raise ApiError(codes.incomplete, "X-Amz-Date is not a valid date.", 403) from error


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _token_matches(expected: str | None, given: str | None) -> bool:
    return hmac.compare_digest((expected or "").encode(), (given or "").encode())


def _check_body(request: Request, codes: Codes) -> None:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None or declared in UNHASHED:
        return
    actual = hashlib.sha256(request.body).hexdigest()
    if not hmac.compare_digest(declared.encode(), actual.encode()):
        text = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise ApiError(codes.wrong, text, 403)


def _check_chunks(
    request: Request, signature: Signature, secret_access_key: str, codes: Codes
) -> None:
    """Each chunk's signature covers the one before it; the trailing headers' covers the last."""
    chunked = aws_chunked.read(request.body)
    key = signing_key(secret_access_key, signature.date, signature.region, signature.service)
    scope = f"{signature.timestamp}\n{_scope(signature)}"
    before = signature.signature
    nothing = hashlib.sha256(b"").hexdigest()
    for chunk in chunked.chunks:
        digest = hashlib.sha256(chunk.data).hexdigest()
        to_sign = f"{ALGORITHM}-PAYLOAD\n{scope}\n{before}\n{nothing}\n{digest}"
        before = _expect(key, to_sign, chunk.signature, codes)
    if not request.headers["x-amz-content-sha256"].endswith("-TRAILER"):
        return
    trailers = dict(chunked.trailers)
    given = trailers.pop("x-amz-trailer-signature", "")
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    _expect(key, f"{ALGORITHM}-TRAILER\n{scope}\n{before}\n{digest}", given, codes)


def _expect(key: bytes, to_sign: str, given: str, codes: Codes) -> str:
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ApiError(codes.wrong, _MISMATCH, 403)
    return expected


# -- signing ------------------------------------------------------------------------------------


def _sign(request: Request, signature: Signature, secret_access_key: str) -> str:
    canonical = canonical_request(request, signature)
    scope = _scope(signature)
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    to_sign = f"{ALGORITHM}\n{signature.timestamp}\n{scope}\n{digest}"
    key = signing_key(secret_access_key, signature.date, signature.region, signature.service)
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _scope(signature: Signature) -> str:
    return f"{signature.date}/{signature.region}/{signature.service}/{TERMINATOR}"


@functools.lru_cache(maxsize=256)
def signing_key(secret_access_key: str, date: str, region: str, service: str) -> bytes:
    """The derived key of one day, region and service."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def canonical_request(request: Request, signature: Signature) -> str:
    """The six parts, joined by line feeds."""
    values = request.headers
    headers = "".join(f"{n}:{_trim(values.get(n, ''))}\n" for n in signature.signed_headers)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path, signature.service),
            _canonical_query(request.query_string),
            headers,
            ";".join(signature.signed_headers),
            _payload_hash(request, signature),
        )
    )


def _payload_hash(request: Request, signature: Signature) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is not None:
        return declared
    if signature.expires_seconds is not None and signature.service in RAW_PATH_SERVICES:
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body).hexdigest()


def _trim(value: str) -> str:
    return _SPACES.sub(" ", value.strip())


def _canonical_path(path: str, service: str) -> str:
    if path in ("", "/"):
        return "/"
    if service in RAW_PATH_SERVICES:
        return path
    return quote(_remove_dot_segments(path), safe="/~")


def _remove_dot_segments(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    trailing = "/" if path.endswith("/") and kept else ""
    return "/" + "/".join(kept) + trailing


def _canonical_query(query_string: str) -> str:
    """Sorted; a plus sign is a space, which clients in Go send and sign as ``%20``."""
    if not query_string:
        return ""
    pairs = []
    query_string = query_string.replace("+", "%20")
    for part in query_string.split("&"):
        name, _, value = part.partition("=")
        if name and name != "X-Amz-Signature":
            pairs.append((name, value))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
