"""The error codes of ELBv2, one class each."""

from __future__ import annotations

from homeport.wire.errors import ServiceError


class ValidationError(ServiceError):
    """A parameter is not valid."""


class LoadBalancerNotFound(ServiceError):
    """No such load balancer."""

    default_message = "One or more load balancers not found"


class ListenerNotFound(ServiceError):
    """No such listener."""

    default_message = "One or more listeners not found"


class RuleNotFound(ServiceError):
    """No such rule."""

    default_message = "One or more rules not found"


class TargetGroupNotFound(ServiceError):
    """No such target group."""

    default_message = "One or more target groups not found"


class DuplicateLoadBalancerName(ServiceError):
    """The name is taken by a load balancer with other settings."""

    default_message = "A load balancer with the specified name already exists."


class DuplicateTargetGroupName(ServiceError):
    """The name is taken by a target group with other settings."""

    default_message = "A target group with the specified name already exists."


class DuplicateListener(ServiceError):
    """The load balancer listens on this port already."""

    default_message = "A listener with the specified port already exists."


class DuplicateTagKeys(ServiceError):
    """A tag key was given twice."""


class IncompatibleProtocols(ServiceError):
    """The protocols of a listener and a target group don't go together."""


class InvalidConfigurationRequest(ServiceError):
    """What was asked for can't be configured."""


class InvalidLoadBalancerAction(ServiceError):
    """An action is not valid."""


class InvalidSubnet(ServiceError):
    """A subnet can't be used."""


class InvalidTarget(ServiceError):
    """A target does not exist, or is not where it should be."""


class OperationNotPermitted(ServiceError):
    """The resource forbids it."""


class PriorityInUse(ServiceError):
    """Another rule has this priority."""

    default_message = "The specified priority is in use."


class ResourceInUse(ServiceError):
    """Something still uses the resource."""


class SubnetNotFound(ServiceError):
    """No such subnet."""


class TargetGroupAssociationLimit(ServiceError):
    """A target group serves one load balancer only."""


class TooManyActions(ServiceError):
    """Too many actions or target groups in one rule."""


class TooManyListeners(ServiceError):
    """The load balancer has as many listeners as it may."""


class TooManyRules(ServiceError):
    """The load balancer has as many rules as it may."""


class TooManyTags(ServiceError):
    """A resource has at most 50 tags."""


class TooManyTargets(ServiceError):
    """A target group has at most 1,000 targets."""


class UnsupportedProtocol(ServiceError):
    """The protocol is not supported."""
