"""Which service and operation a request is for.

By what clients really send: ``X-Amz-Target``, else ``Action`` and ``Version`` of a form, else the
method and path of a REST service, which the credential scope names. The service name in the
credential scope is checked against the route when the signature is verified. Host names say
nothing behind ``--endpoint-url``.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from .errors import ApiError
from .http import Request
from .model import REST_SERVICES, SERVICES, load
from .protocols.form import parse_form
from .rest_router import RestRoutes
from .s3_addressing import path_style, told_apart
from .shapes import Invalid


@dataclass(frozen=True, slots=True)
class Route:
    """``service`` is botocore's client name; ``operation`` is not yet known to exist."""

    service: str
    operation: str


_SCOPE = re.compile(r"Credential=[^/,]+/[0-9]{8}/[^/,]+/([^/,]+)/aws4_request")
_PRESIGNED_SCOPE = re.compile(
    r"X-Amz-Credential=[^%/&]+(?:%2F|/)[0-9]{8}(?:%2F|/)[^%/&]+(?:%2F|/)([^%/&]+)(?:%2F|/)aws4"
)
_BY_TARGET = {prefix: name for name, (_, prefix, _) in SERVICES.items() if prefix}
_BY_VERSION = {version: name for name, (_, _, version) in SERVICES.items() if version}
_BY_SIGNING_NAME = {signing_name: name for name, (signing_name, _, _) in SERVICES.items()}


def route(request: Request) -> Route:
    """The route, or UnknownOperationException / InvalidAction."""
    target = request.headers.get("x-amz-target")
    if target is not None:
        return _by_target(target)
    if _signed_for(request) == "s3":  # its keys and forms may look like anything
        return _by_path(request)
    if request.method == "POST" and _is_form(request):
        return _by_action(request)
    if request.method == "GET" and "Action=" in request.query_string:
        return _by_action(request)
    return _by_path(request)


def refuser(request: Request) -> str:
    """The service in whose shape a request that has no route is refused.

    The one that the client signed for, else what its body looks like: a client of an XML protocol
    can't read an error in JSON.
    """
    service = _BY_SIGNING_NAME.get(_signed_for(request) or "")
    if service is not None:
        return service
    return "sts" if _is_form(request) or "Action=" in request.query_string else "ecs"


def _signed_for(request: Request) -> str | None:
    """The signing name in the credential scope, not verified yet."""
    scope = _SCOPE.search(request.headers.get("authorization", "")) or _PRESIGNED_SCOPE.search(
        request.query_string
    )
    if scope is None and "AWSAccessKeyId=" in request.query_string and not _is_form(request):
        return "s3"  # presigned with version 2: to be refused in S3's words
    return scope.group(1) if scope else None


def _is_form(request: Request) -> bool:
    content_type = request.headers.get("content-type", "").lower()
    return content_type.startswith("application/x-www-form-urlencoded")


def _by_target(target: str) -> Route:
    prefix, _, operation = target.rpartition(".")
    service = _BY_TARGET.get(prefix)
    if service is None:
        text = f"The target {target[:128]!r} names no service that Homeport knows."
        raise ApiError("UnknownOperationException", text, 404)
    return Route(service, operation)


def _by_action(request: Request) -> Route:
    try:
        parameters = parse_form(request)
    except Invalid as error:
        raise ApiError("MalformedQueryString", error.message, 404) from None
    action, version = parameters.get("Action", ""), parameters.get("Version", "")
    service = _BY_VERSION.get(version)
    if not action:
        raise ApiError("MissingAction", "The request is missing an Action parameter.")
    if service is None:
        text = f"Could not find operation {action[:128]} for version {version[:32] or '(none)'}"
        raise ApiError("InvalidAction", text)
    return Route(service, action)


def _by_path(request: Request) -> Route:
    signed_for = _signed_for(request)
    for service, signing_name in REST_SERVICES.items():
        # S3's paths are anything: nothing goes there that was not signed for it
        if signed_for == signing_name or (signed_for is None and service != "s3"):
            try:
                operation = _rest_operation(service, request)
            except ValueError:
                break
            if operation is not None:
                return Route(service, operation)
    raise ApiError("UnknownOperationException", "The request names no operation.", 404)


def _rest_operation(service: str, request: Request) -> str | None:
    routes = _routes(service)
    if service != "s3":
        return routes.match(request.method, request.path, request.query_string)
    addressed = path_style(request)
    found = routes.match(request.method, addressed.path, request.query_string)
    return told_apart(found, request) if found is not None else None


@functools.cache
def _routes(service: str) -> RestRoutes:
    return RestRoutes(load(service))
