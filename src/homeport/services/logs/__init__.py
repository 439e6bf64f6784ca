"""CloudWatch Logs: log groups, their streams, retention policies and tags.

Called by the gateway. Owns the records of groups and streams: a stream never outlives its
group. Events are not taken yet: PutLogEvents and what reads events is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import groups, streams, tags

OPERATIONS: Mapping[str, Handler] = {
    **groups.OPERATIONS,
    **streams.OPERATIONS,
    **tags.OPERATIONS,
}
