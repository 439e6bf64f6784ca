"""The error codes of Secrets Manager."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class ValidationException(ServiceError):
    """A value that no secret can have."""


class InvalidParameterException(ServiceError):
    """A parameter of the request is not valid."""


class InvalidRequestException(ServiceError):
    """The secret is in no state for the request."""


class InvalidNextTokenException(ServiceError):
    """The paging token is not ours."""


class ResourceExistsException(ServiceError):
    """A secret of this name, or a version of this id, is there."""


class ResourceNotFoundException(ServiceError):
    """No such secret, or no such version of it."""

    default_message = "Secrets Manager can't find the specified secret."


class LimitExceededException(ServiceError):
    """Too many labels or tags."""
