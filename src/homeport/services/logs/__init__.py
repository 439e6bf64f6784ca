"""CloudWatch Logs: log groups, their streams, retention policies and tags.

Called by the gateway. Owns the records of groups and streams: a stream never outlives its
group. Events are in the log store (``Call.logs``), kept before they are acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import filter_events, get_events, groups, put_events, streams, tags

OPERATIONS: Mapping[str, Handler] = {
    **groups.OPERATIONS,
    **streams.OPERATIONS,
    **put_events.OPERATIONS,
    **get_events.OPERATIONS,
    **filter_events.OPERATIONS,
    **tags.OPERATIONS,
}
