"""Does the task fit? Every reason against it, the first that holds first."""

from __future__ import annotations

from collections.abc import Iterator

from .candidate import CandidateInstance, TaskToPlace

# In this order AWS's documentation lists them; earlier filters first.
REASONS = (
    "AGENT",
    "ATTRIBUTE",
    "RESOURCE:CPU",
    "RESOURCE:MEMORY",
    "RESOURCE:PORTS",
    "RESOURCE:PORTS_UDP",
)


def refusal(task: TaskToPlace, instance: CandidateInstance) -> str | None:
    """Why the instance can't take the task, or None."""
    return next(refusals(task, instance), None)


def refusals(task: TaskToPlace, instance: CandidateInstance) -> Iterator[str]:
    """Every reason why the instance can't take the task, in the order of ``REASONS``."""
    if not instance.agent_connected:
        yield "AGENT"
    if not task.required_attributes <= instance.attributes.keys():
        yield "ATTRIBUTE"
    if task.cpu > instance.remaining_cpu:
        yield "RESOURCE:CPU"
    if task.memory > instance.remaining_memory:
        yield "RESOURCE:MEMORY"
    if task.tcp_ports & instance.used_tcp_ports:
        yield "RESOURCE:PORTS"
    if task.udp_ports & instance.used_udp_ports:
        yield "RESOURCE:PORTS_UDP"
