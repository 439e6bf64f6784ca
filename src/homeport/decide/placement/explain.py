"""Why a service's task was not placed, in AWS's words.

Source: "Amazon ECS service event messages", developer guide.
"""

from __future__ import annotations

from homeport.decide.placement.place import Unplaceable

_PREFIX = "was unable to place a task because no container instance met all of its requirements."
_POINTER = (
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)
NO_CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone"
)
_PROBLEMS = {
    "RESOURCE:CPU": "has insufficient CPU units available.",
    "RESOURCE:MEMORY": "has insufficient memory available.",
    "RESOURCE:PORTS": "is already using a port required by your task.",
    "RESOURCE:PORTS_UDP": "is already using a port required by your task.",
    "AGENT": 'encountered error "AGENT".',
    "ATTRIBUTE": "is missing an attribute required by your task.",
}


def no_capacity_message(service_name: str) -> str:
    """The service event when the platform has no room for a FARGATE task."""
    reason = f"Reason: {NO_CAPACITY}."
    return f"(service {service_name}) was unable to place a task. {reason} {_POINTER}"


def unplaceable_message(
    service_name: str, unplaceable: Unplaceable, *, of_provider: bool = False
) -> str:
    """The service event, prefix included. ``of_provider``: only its instances were looked at."""
    closest = unplaceable.closest()
    prefix = f"(service {service_name}) {_PREFIX}"
    if closest is None:
        where = "capacity provider" if of_provider else "cluster"
        return f"{prefix} Reason: No Container Instances were found in your {where}. {_POINTER}"
    problem = _PROBLEMS.get(closest.reason, f'encountered error "{closest.reason}".')
    instance_id = closest.instance_arn.rsplit("/", 1)[-1]
    return f"{prefix} The closest matching (container-instance {instance_id}) {problem} {_POINTER}"
