"""The error codes of IAM and STS, one class each. Source: "Common errors", IAM API reference."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class ValidationError(ServiceError):
    """A parameter is not valid."""


class InvalidInput(ServiceError):
    """A parameter is not valid for what is asked."""


class MalformedPolicyDocument(ServiceError):
    """A policy document is not a policy."""


class NoSuchEntity(ServiceError):
    """There is no such user, group, role, policy, access key …"""

    http_status = 404


class EntityAlreadyExists(ServiceError):
    """The name is taken."""

    http_status = 409


class DeleteConflict(ServiceError):
    """Something still belongs to what is to be deleted."""

    http_status = 409


class LimitExceeded(ServiceError):
    """A quota of the account."""

    http_status = 409


class UnmodifiableEntity(ServiceError):
    """A service-linked role."""


class AccessDenied(ServiceError):
    """What not even a policy can allow."""

    http_status = 403
