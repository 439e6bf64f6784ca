"""The agent protocol, server side: ACS (what to run) and TCS (what was measured).

Owns the websockets of container instances. Level-triggered: what is sent is derived from the
tasks of the instance, so a lost frame, a lost connection or a restart on either side is just
another pass. Nothing is sent before it is durable. Nothing in the protocol is ours alone: the
official ``amazon-ecs-agent`` must understand every frame.
"""

from .link import AgentLink

__all__ = ["AgentLink"]
