"""The error codes of Parameter Store, with AWS's texts where they are known."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class ValidationException(ServiceError):
    """A parameter of the request is not valid."""


class AccessDeniedException(ServiceError):
    """A name that belongs to AWS."""


class ParameterNotFound(ServiceError):
    """No such parameter."""


class ParameterVersionNotFound(ServiceError):
    """The parameter has no such version or label."""


class ParameterAlreadyExists(ServiceError):
    """A parameter of this name is there, and ``Overwrite`` was not asked for."""

    default_message = (
        "The parameter already exists. To overwrite this value, set the overwrite option in the "
        "request to true."
    )


class ParameterMaxVersionLimitExceeded(ServiceError):
    """The oldest of 100 versions has a label and can't go."""


class ParameterVersionLabelLimitExceeded(ServiceError):
    """More than ten labels on a version."""

    default_message = "A parameter version can have a maximum of ten labels."


class HierarchyLevelLimitExceededException(ServiceError):
    """A path with too many levels."""

    default_message = (
        "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and "
        "constraints for parameter names in the AWS Systems Manager User Guide."
    )


class HierarchyTypeMismatchException(ServiceError):
    """A new version of another type."""

    default_message = (
        "Parameter Store does not support changing a parameter type in a hierarchy. For example, "
        "you can't change a parameter from a String type to a SecureString type. You must create "
        "a new, unique parameter."
    )


class InvalidAllowedPatternException(ServiceError):
    """The allowed pattern is no regular expression."""


class ParameterPatternMismatchException(ServiceError):
    """The value does not match the allowed pattern."""


class UnsupportedParameterType(ServiceError):
    """A type that there is not."""


class InvalidKeyId(ServiceError):
    """A KMS key: there are none."""


class InvalidPolicyTypeException(ServiceError):
    """Parameter policies: there are none."""


class DoesNotExistException(ServiceError):
    """No such session."""


class InvalidFilterKey(ServiceError):
    """A filter by something unknown."""


class InvalidFilterOption(ServiceError):
    """A filter's comparison that there is not."""


class InvalidFilterValue(ServiceError):
    """A filter's value makes no sense."""


class InvalidResourceType(ServiceError):
    """Tags of something else than a parameter."""


class InvalidResourceId(ServiceError):
    """Tags of a parameter that is not there."""


class TooManyTagsError(ServiceError):
    """More than 50 tags."""
