"""Amazon EventBridge: for now the events that ECS would send to it, kept in order.

Nothing matches rules against them yet; ``ListEvents`` (an extension, see ``listing``) shows them.
``EventRecorder`` belongs to the store: what it writes is part of the very transaction that made
the change, so an event is there if and only if the change is.
"""

from .listing import list_events
from .recorder import EventRecorder

__all__ = ["EventRecorder", "list_events"]
