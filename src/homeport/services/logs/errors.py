"""The error codes of CloudWatch Logs."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class InvalidParameterException(ServiceError):
    """A parameter is not valid."""


class ValidationException(ServiceError):
    """The resource is in no state for the request."""


class ServiceUnavailableException(ServiceError):
    """The service cannot complete the request."""

    http_status = 503


class ResourceAlreadyExistsException(ServiceError):
    """There is a group or stream of this name."""


class ResourceNotFoundException(ServiceError):
    """No such group or stream."""


class GroupNotFound(ResourceNotFoundException):
    """No such log group."""

    code_name = "ResourceNotFoundException"
    default_message = "The specified log group does not exist."


class StreamNotFound(ResourceNotFoundException):
    """No such log stream."""

    code_name = "ResourceNotFoundException"
    default_message = "The specified log stream does not exist."
