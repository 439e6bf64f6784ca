"""ExecuteCommand on a host: what amazon-ssm-agent does inside of a container, from outside.

``targets`` keeps one control channel for each running container whose task asked for it, with
that container's credentials; ``session`` serves one session on its data channel; ``shell`` is the
command in the container, started through the Engine. Several sessions at once; they end with
their container, their client or this agent, and nothing of them is kept.
"""

from .targets import ExecuteAgentSeen, ExecuteTargets

__all__ = ["ExecuteAgentSeen", "ExecuteTargets"]
