"""Sessions of ExecuteCommand, control plane's side: what ``ssmmessages`` is on AWS.

Owns the control channels of containers that can be told to start a session, the two ends of each
session and the tokens that open them. Called by the gateway; meets ExecuteCommand in the store.
Nothing in it is Homeport's own: the client is the session-manager-plugin, the agent speaks as
amazon-ssm-agent does.

Invariants: a token opens one connection of one channel, once, for a minute. A record of
``EXECUTE_TARGETS`` is there exactly while its control channel is open, one of
``EXECUTE_SESSIONS`` until its session is over. A session survives nothing: neither of its ends
nor the control plane can come back to it.

::

    asked for ──▶ told to the agent ──▶ both ends open ──▶ over
        └── a minute without both ends ──────────┴─ 20 idle minutes, either end gone,
                                                    the task stopped ─────▶ over
"""

from .link import SessionLink

__all__ = ["SessionLink"]
