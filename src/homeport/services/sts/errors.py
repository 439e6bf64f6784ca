"""The error codes of STS, one class each."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class AccessDenied(ServiceError):
    """What not even a policy can allow."""

    http_status = 403


class ValidationError(ServiceError):
    """A parameter is not valid."""


class MalformedPolicyDocument(ServiceError):
    """A session policy is not a policy."""


class PackedPolicyTooLarge(ServiceError):
    """Session policies that do not fit."""
