"""The error codes of ECS, one class each."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class ClientException(ServiceError):
    """The request can't be carried out as asked."""


class InvalidParameterException(ServiceError):
    """A parameter is not valid."""


class ClusterNotFoundException(ServiceError):
    """No such cluster."""

    default_message = "Cluster not found."


class ClusterContainsServicesException(ServiceError):
    """The cluster still has services."""

    default_message = "The Cluster cannot be deleted while Services are active."


class ClusterContainsContainerInstancesException(ServiceError):
    """The cluster still has container instances."""

    default_message = (
        "The Cluster cannot be deleted while Container Instances are active or draining."
    )


class ClusterContainsTasksException(ServiceError):
    """The cluster still has tasks."""

    default_message = "The Cluster cannot be deleted while Tasks are active."


class ResourceInUseException(ServiceError):
    """The resource is needed and can't be taken away."""


class ServiceNotFoundException(ServiceError):
    """No such service."""

    default_message = "Service not found."


class ServiceNotActiveException(ServiceError):
    """The service is draining or inactive."""

    default_message = "Service was not ACTIVE."


class ConflictException(ServiceError):
    """The resource is in no state for this, or a client token was used with other parameters."""


class ServiceDeploymentNotFoundException(ServiceError):
    """No such service deployment."""

    default_message = "The service deployment does not exist."


class TargetNotFoundException(ServiceError):
    """The target of an attribute does not exist."""


class AttributeLimitExceededException(ServiceError):
    """A resource has too many custom attributes."""


class ResourceNotFoundException(ServiceError):
    """The resource to tag does not exist."""

    default_message = "The specified resource could not be found."


class PlatformUnknownException(ServiceError):
    """No such platform version."""

    default_message = "The specified platform version doesn't exist."


class PlatformTaskDefinitionIncompatibilityException(ServiceError):
    """The platform version can't run the task definition."""

    default_message = (
        "The specified platform version doesn't satisfy the required capabilities of the task "
        "definition."
    )


class TargetNotConnectedException(ServiceError):
    """The container's agent has no connection to start a session on."""

    default_message = "The execute command failed due to an internal error. Try again later."


class UnsupportedFeatureException(ServiceError):
    """Not in this installation."""
