"""Does the task fit? One reason, the first that holds."""

from __future__ import annotations

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
    if not instance.agent_connected:
        return "AGENT"
    if not task.required_attributes <= instance.attributes.keys():
        return "ATTRIBUTE"
    if task.cpu > instance.remaining_cpu:
        return "RESOURCE:CPU"
    if task.memory > instance.remaining_memory:
        return "RESOURCE:MEMORY"
    if task.tcp_ports & instance.used_tcp_ports:
        return "RESOURCE:PORTS"
    if task.udp_ports & instance.used_udp_ports:
        return "RESOURCE:PORTS_UDP"
    return None
